"""The two calls by which a process gives up rights on Linux, made with ctypes."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def syscall(number: int, *arguments: object) -> int:
    """Make the system call `number` and return its result. Raises OSError.

    `arguments` are integers, None for a null pointer, or what ctypes passes as a pointer.
    """
    passed = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *passed))


def prctl(option: int, value: int) -> int:
    """Call `prctl(option, value, 0, 0, 0)`. Raises OSError."""
    zero = ctypes.c_ulong(0)
    return _checked(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def forbid_new_privileges() -> None:
    """Let no later program of this thread, and of those that it starts, gain rights by set-uid bits."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def forbid_dumps() -> None:
    """Write no core dump of this process, and let no other process of the same user read its memory.

    On Linux, its files in /proc then belong to root. Elsewhere, only core dumps are forbidden.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 0)


def _checked(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
