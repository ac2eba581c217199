"""Say in every line of the log which shard wrote it."""

from __future__ import annotations

import logging


class ShardMark(logging.Filter):
    """Lets every line pass, with the number of the shard as its field `shard`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark a record."""
        record.shard = self._number
        return True


def mark_lines(number: int | None) -> None:
    """Mark all that this process logs from here on; None: it has no shard, and its lines have no mark."""
    for handler in logging.getLogger().handlers:
        for mark in [each for each in handler.filters if isinstance(each, ShardMark)]:
            handler.removeFilter(mark)
        if number is not None:
            handler.addFilter(ShardMark(number))
