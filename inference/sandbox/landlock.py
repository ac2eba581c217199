"""Landlock: the calling thread, and all that it starts, keep only the rights that are named here.

See https://docs.kernel.org/userspace-api/landlock.html. The numbers of the system calls are the same on every
processor. Each version of the interface (ABI) handles more rights; what a kernel does not know is left out.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from inference.sandbox.kernel import forbid_new_privileges, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
READING = READ_FILE | READ_DIR
ON_FILES = READ_FILE | WRITE_FILE | TRUNCATE
"""Rights that a rule for a single file may give."""
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""ABI -> all rights on files from then on; 2 adds moving between folders, 3 truncating, 5 devices' ioctl."""
NETWORK_RIGHTS = {4: 0b11}
"""Binding and connecting of TCP sockets."""
SCOPES = {6: 0b11}
"""Abstract Unix sockets, and signals to processes outside."""
ALL_THREADS = 1 << 3
"""From ABI 8 on, for all threads of the process and not for the calling one alone."""
ALL_THREADS_SINCE = 8


class _Rights(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def abi() -> int:
    """Return the version of Landlock that this kernel offers, 0 where it offers none."""
    try:
        return syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def restrict(*, read: Iterable[Path] = (), write: Iterable[Path] = (), network: bool = False) -> int:
    """Give up all rights on files but those beneath `read` and `write`, and return `abi()`.

    Without `network`, TCP is given up too (ABI 4). Abstract sockets of other processes and signals to them
    always are (ABI 6). What is open stays open. Paths that do not exist are left out. Raises OSError.
    """
    version = abi()
    if not version:
        return 0
    files = _newest(FILE_RIGHTS, version)
    rights = _Rights(files, 0 if network else _newest(NETWORK_RIGHTS, version), _newest(SCOPES, version))
    ruleset = syscall(CREATE_RULESET, ctypes.byref(rights), ctypes.sizeof(rights), 0)
    try:
        for path, allowed in (*((path, READING) for path in read), *((path, files) for path in write)):
            _allow(ruleset, path, allowed & files)
        forbid_new_privileges()
        syscall(RESTRICT_SELF, ruleset, ALL_THREADS if version >= ALL_THREADS_SINCE else 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there, or not for us, needs no right
    try:
        rule = _PathRule(rights if path.is_dir() else rights & ON_FILES, opened)
        syscall(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)


def _newest(rights: dict[int, int], version: int) -> int:
    return max((value for since, value in rights.items() if since <= version), default=0)
