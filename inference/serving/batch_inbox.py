"""More work for a worker that is at work already, handed from the event loop to the supervisor's thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import NamedTuple

from inference.serving.protocol import BatchRequest


class Batch(NamedTuple):
    """Images to look at together, and the bytes of those that are looked at for the first time."""

    request: BatchRequest
    pictures: Sequence[bytes]


class BatchInbox:
    """Takes batches as long as it is open. Its descriptor can be polled for reading: it then has some."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: list[Batch] = []
        self._reader, self._writer = os.pipe()
        self._is_open = True

    def fileno(self) -> int:
        """Return the descriptor that is readable while there are batches."""
        return self._reader

    def put(self, batch: Batch) -> bool:
        """Leave a batch; return False if nobody will come for it any more."""
        with self._lock:
            if not self._is_open:
                return False
            if not self._batches:
                os.write(self._writer, b"\0")
            self._batches.append(batch)
            return True

    def take(self) -> list[Batch]:
        """Return what was left since the last time."""
        with self._lock:
            batches, self._batches = self._batches, []
            if batches:
                os.read(self._reader, 1)
            return batches

    def close_if_empty(self) -> bool:
        """Take no more batches, unless there is one; return whether there is none."""
        with self._lock:
            self._is_open = self._is_open and bool(self._batches)
            return not self._is_open

    def close(self) -> None:
        """Take no more batches, and give the descriptors back."""
        with self._lock:
            self._is_open = False
            for descriptor in (self._reader, self._writer):
                os.close(descriptor)
