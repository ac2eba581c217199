"""How glibc's allocator keeps large buffers, such as the bytes of pictures that wait."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3
LARGE_BYTES = 256 * 1024


def give_back_when_freed() -> None:
    """Have buffers from 256 KiB on given back to the system as soon as they are freed.

    By itself glibc takes the next ones from its heap once such a buffer was freed, and what is small stands
    between them then: with 64 MiB of pictures waiting the bot grew by 15 MB more. See mallopt(3); other C
    libraries have no such function, and keep nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
