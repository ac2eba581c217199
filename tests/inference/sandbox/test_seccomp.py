"""The filter of system calls, call by call, without Landlock."""

from __future__ import annotations

import ctypes
import json
import platform
import subprocess
import sys

import pytest

from inference.sandbox import seccomp
from inference.sandbox.syscalls import ALLOWED, CHECKED, LOOKING, MACHINES, NETWORK, NEVER, WRITING
from inference.subprocesses import own_environment

HERE = MACHINES.index(platform.machine())
TRIES = """
import errno, json, os, sys
from inference.sandbox import seccomp
from inference.sandbox.kernel import syscall

results = {}
for name, number, arguments in json.loads(sys.stdin.read()):
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        assert getattr(seccomp, sys.argv[1])(**json.loads(sys.argv[2]))
        try:
            syscall(number, *arguments)
        except OSError as error:
            os._exit(error.errno)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    results[name] = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
print(json.dumps(results))
"""
SIGSYS, EPERM, EACCES, ENOSYS = -31, 1, 13, 38


def outcomes(which: str, tries: list[tuple[str, int, list[int]]], **arguments: bool) -> dict[str, int]:
    """What becomes of each system call under the filter `which`: an error's number, or minus a signal's."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", TRIES, which, json.dumps(arguments)],
        input=json.dumps(tries),
        capture_output=True,
        text=True,
        check=True,
        env=own_environment(),
    )
    results: dict[str, int] = json.loads(done.stdout)
    return results


def here(*tables: dict[str, tuple[int | None, ...]]) -> list[tuple[str, int, list[int]]]:
    """Each system call of the tables that this processor has, with arguments that do no harm."""
    return [
        (name, number, [-1, -1, -1, -1])
        for table in tables
        for name, numbers in table.items()
        if (number := numbers[HERE]) is not None
    ]


def test_a_worker_dies_of_every_call_that_no_library_makes() -> None:
    tries = here(WRITING, NETWORK, NEVER)
    assert outcomes("confine", tries) == {name: SIGSYS for name, _, _ in tries}


def test_a_worker_is_refused_to_look_at_paths() -> None:
    tries = here(LOOKING)
    assert outcomes("confine", tries) == {name: EACCES for name, _, _ in tries}


def test_what_the_filter_does_not_know_does_not_exist() -> None:
    assert outcomes("confine", [("memfd_create", (319, 279)[HERE], [0, 0]), ("future", 1000, [])]) == {
        "memfd_create": ENOSYS,
        "future": ENOSYS,
    }


def test_arguments_decide_where_they_have_to() -> None:
    number = {name: numbers[HERE] or -1 for name, numbers in CHECKED.items()}
    tries = {
        "a thread": ("clone3", [0, 0], ENOSYS),
        "a fork": ("clone", [17, 0, 0, 0, 0], SIGSYS),
        "reading a file": ("openat", [-100, 0, 0, 0], EACCES),
        "writing a file": ("openat", [-100, 0, 1, 0], SIGSYS),
        "making a file": ("openat", [-100, 0, 0o102, 0], SIGSYS),
        "a signal to the parent of all": ("kill", [1, 0], SIGSYS),
        "a signal to everybody": ("kill", [-1, 0], SIGSYS),
        "nothing to its own group": ("kill", [0, 0], 0),
        "a thread of another process": ("tgkill", [1, 1, 0], SIGSYS),
        "whose signals a pipe sends": ("fcntl", [0, 8, 1], EPERM),
        "flags of a pipe": ("fcntl", [2, 3, 0], 0),
        "typing into the terminal": ("ioctl", [2, 0x5412, 0], EPERM),
        "typing, with bits that the kernel drops": ("ioctl", [2, 0x5412 | 1 << 32, 0], EPERM),
        "dumps again": ("prctl", [4, 1, 0, 0, 0], EPERM),
        "another's limits": ("prlimit64", [1, 4, 0, 0], EPERM),
    }
    given = outcomes("confine", [(what, number[name], args) for what, (name, args, _) in tries.items()])
    assert given == {what: expected for what, (_, _, expected) in tries.items()}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 has a second table of calls")
def test_the_calls_of_x32_are_no_way_round() -> None:
    assert outcomes("confine", [("getpid of x32", 0x40000000 | 39, [])]) == {"getpid of x32": SIGSYS}


@pytest.mark.parametrize("network", [True, False])
def test_a_job_gets_sockets_only_to_download_and_never_another_program(*, network: bool) -> None:
    given = outcomes("withhold", here(NETWORK, NEVER), network=network)
    never = {name: given.pop(name) for name, _, _ in here(NEVER)}
    assert set(never.values()) == {EPERM}
    assert (EPERM in set(given.values())) is not network


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_libseccomp(machine: str) -> None:
    library = ctypes.CDLL("libseccomp.so.2")
    for table in (ALLOWED, CHECKED, LOOKING, WRITING, NETWORK, NEVER):
        for name, numbers in table.items():
            number = library.seccomp_syscall_resolve_name_arch(
                ctypes.c_uint32(seccomp.ARCHITECTURE[machine]), name.encode()
            )
            expected = numbers[MACHINES.index(machine)]
            assert (number if number >= 0 else None) == expected, name
