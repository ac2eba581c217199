"""Tell a decoder that got no memory from a picture that is damaged."""

from __future__ import annotations

import ctypes
import errno
import sys


class AllocationWatch:
    """Watches whether an allocation of this thread fails from now on.

    Decoders that get no memory say in their own words that the picture is damaged, and no list of words is
    complete. But C's `malloc` leaves ENOMEM in the thread's `errno`, which nothing clears.
    """

    def __init__(self) -> None:
        self._errno = _errno()
        self._errno[0] = 0

    def failed(self) -> bool:
        """Return whether memory was refused to this thread since the watch was made."""
        return bool(self._errno[0] == errno.ENOMEM)


_errno = ctypes.CDLL(None)["__errno_location" if sys.platform == "linux" else "__error"]
_errno.restype = ctypes.POINTER(ctypes.c_int)
