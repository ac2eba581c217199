"""What a process gives up before it touches what strangers made.

Landlock takes files and network away, a seccomp filter the system calls themselves. Each holds where the
other is not offered; on other systems than Linux, neither is.

Both are written here, on `ctypes`. PyPI's `landlock` (1.0.0.dev5, May 2025) knows files alone: no network and
no signals. Its `pyseccomp` (0.1.2, January 2021) needs libseccomp, which not every machine has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

if sys.platform == "linux":
    from inference.sandbox import landlock, seccomp

__all__ = ["give_up_everything", "give_up_files", "keep_only"]


def give_up_files() -> None:
    """Take from the calling thread, and from those that it starts, every file that is not open yet.

    A thread that was started before `give_up_everything` calls it for itself: Landlock is a thread's own
    matter, up to its ABI 7.
    """
    if sys.platform == "linux":
        landlock.restrict()


def give_up_everything() -> tuple[int, bool]:
    """Let this process only compute, wait, and use what is open.

    Returns the version (ABI) of Landlock that holds it, 0 without, and whether its system calls are filtered.
    """
    if sys.platform != "linux":
        return 0, False
    return landlock.restrict(), seccomp.confine()


def keep_only(*, read: Iterable[Path], write: Iterable[Path], network: bool) -> None:
    """Keep the rights that a job of the models needs: to read, to write beneath folders, and the network.

    Starting programs and touching other processes are given up too. Paths that are missing are left out.
    """
    if sys.platform == "linux":
        landlock.restrict(read=read, write=write, network=network)
        seccomp.withhold(network=network)
