"""A filter of system calls, which the kernel runs before each call of every thread of this process.

It is classic BPF, written here because that is a page: see seccomp(2) and linux/filter.h. On a processor
whose numbers are not in `syscalls` there is no filter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable
from typing import NamedTuple

from inference.sandbox.kernel import forbid_new_privileges, syscall
from inference.sandbox.syscalls import (
    ALLOWED,
    CHECKED,
    LOOKING,
    MACHINES,
    NETWORK,
    NEVER,
    WRITING,
    Numbers,
)

SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER = 1
ALL_THREADS, LOGGED = 1, 2

ALLOW = 0x7FFF0000
KILL = 0x80000000
ERROR = 0x00050000

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
"""A bit in the number of calls of another interface on x86_64."""

LOAD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16

CLONE_THREAD = 0x10000
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41
TCGETS, FIOCLEX = 0x5401, 0x5451


class ArgumentCheck(NamedTuple):
    """Decides by the low 32 bits of argument number `argument`, counted from 0.

    `then` is the action where it is one of `values`, or, with `bits`, where any of these bits is set;
    `otherwise` is the action elsewhere.
    """

    argument: int
    then: int
    otherwise: int
    values: tuple[int, ...] = ()
    bits: int = 0


Action = int | ArgumentCheck


def confine() -> bool:
    """Let every thread of this process only compute, wait, and use what is open.

    Returns False where the kernel or the processor offers no filter. What no honest library does ends the
    process by SIGSYS; what libraries try and can do without is refused with an error.
    """
    own = (os.getpid(),)
    not_permitted, denied, unknown = (ERROR | each for each in (errno.EPERM, errno.EACCES, errno.ENOSYS))
    rules: dict[str, Action] = {
        **dict.fromkeys(ALLOWED, ALLOW),
        **dict.fromkeys(LOOKING, denied),
        **dict.fromkeys((*WRITING, *NETWORK, *NEVER), KILL),
        "clone": ArgumentCheck(0, ALLOW, KILL, bits=CLONE_THREAD),
        "clone3": unknown,  # its flags are in memory that a filter cannot see; glibc then takes clone
        "kill": ArgumentCheck(0, ALLOW, KILL, (0, *own)),  # 0 is this process's own group
        "tgkill": ArgumentCheck(0, ALLOW, KILL, own),
        "fcntl": ArgumentCheck(1, ALLOW, not_permitted, (1, 2, 3)),  # F_GETFD, F_SETFD, F_GETFL
        "ioctl": ArgumentCheck(1, ALLOW, not_permitted, (TCGETS, FIOCLEX)),
        "prctl": ArgumentCheck(0, ALLOW, not_permitted, (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA)),
        "prlimit64": not_permitted,
        "openat": ArgumentCheck(2, KILL, denied, bits=WRITES),
        "open": ArgumentCheck(1, KILL, denied, bits=WRITES),
    }
    return _install(rules, unknown)


def withhold(*, network: bool) -> bool:
    """Let every thread of this process do all but start programs, touch others or change the system.

    Without `network` it gets no socket. What is withheld fails with EPERM. Returns as `confine` does.
    """
    not_permitted = ERROR | errno.EPERM
    rules: dict[str, Action] = {
        **dict.fromkeys(NEVER if network else (*NEVER, *NETWORK), not_permitted),
        "clone": ArgumentCheck(0, ALLOW, not_permitted, bits=CLONE_THREAD),
        "clone3": ERROR | errno.ENOSYS,
        "kill": ArgumentCheck(0, ALLOW, not_permitted, (os.getpid(),)),
    }
    return _install(rules, ALLOW)


def program(machine: str, rules: dict[str, Action], default: int) -> bytes:
    """Return the filter for `machine`, of `MACHINES`: the action of each call in `rules`, else `default`."""
    numbers: Numbers = {**ALLOWED, **CHECKED, **LOOKING, **WRITING, **NETWORK, **NEVER}
    code = [_load(ARCHITECTURE_AT), _jump(JUMP_IF_EQUAL, ARCHITECTURE[machine], 1, 0), _return(KILL)]
    code.append(_load(NUMBER_AT))
    if machine == "x86_64":
        code += [_jump(JUMP_IF_AT_LEAST, X32, 0, 1), _return(KILL)]
    for name, action in rules.items():
        number = numbers[name][MACHINES.index(machine)]
        if number is not None:
            decision = list(_decision(action))
            code += [_jump(JUMP_IF_EQUAL, number, 0, len(decision)), *decision]
    return b"".join((*code, _return(default)))


def _decision(action: Action) -> Iterable[bytes]:
    """Yield the instructions after which a call that has matched is decided."""
    if isinstance(action, int):
        yield _return(action)
        return
    yield _load(ARGUMENTS_AT + 8 * action.argument)  # the low half, as both processors are little-endian
    if action.bits:
        yield _jump(JUMP_IF_ANY_BIT, action.bits, 0, 1)
        yield _return(action.then)
    for value in action.values:
        yield _jump(JUMP_IF_EQUAL, value, 0, 1)
        yield _return(action.then)
    yield _return(action.otherwise)


def _install(rules: dict[str, Action], default: int) -> bool:
    machine = platform.machine()
    if machine not in MACHINES:
        return False
    code = program(machine, rules, default)
    buffer = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("HP", len(code) // 8, ctypes.addressof(buffer))
    forbid_new_privileges()
    try:
        thread = syscall(SECCOMP[machine], SET_MODE_FILTER, ALL_THREADS | LOGGED, pointer)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL):
            return False
        raise
    if thread:
        raise OSError(errno.EBUSY, f"the filter could not be given to thread {thread}")
    return True


def _load(offset: int) -> bytes:
    return _instruction(LOAD, offset, 0, 0)


def _jump(kind: int, value: int, if_true: int, if_false: int) -> bytes:
    return _instruction(kind, value, if_true, if_false)


def _return(action: int) -> bytes:
    return _instruction(RETURN, action, 0, 0)


def _instruction(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
