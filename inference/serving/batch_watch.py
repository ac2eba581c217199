"""The watch over one batch: which image the worker is at, since when, and whether that was too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inference.serving.protocol import LooksBegun, WorkerNews, WorkerReply

ASLEEP = 0.02
"""Of the time without news, the part on a processor below which a worker is taken for hung."""


@dataclass(slots=True)
class LooksInWork:
    """What one thread of the worker is at. `core_seconds` is what the thread had used before."""

    ids: tuple[int, ...]
    thread: int
    core_seconds: float
    since: float


class BatchWatch:
    """Follows the worker's news of the batch of images `ids`.

    `image_seconds` is the processor time that each image may take, and `silence` how many seconds may go by
    without news. `thread_seconds` and `process_seconds` tell how much processor time a thread of the worker,
    and the whole worker, have used; they are asked only when an image is overdue.
    """

    def __init__(
        self,
        ids: Iterable[int],
        *,
        image_seconds: float,
        silence: float,
        thread_seconds: Callable[[int], float],
        process_seconds: Callable[[], float],
    ) -> None:
        self.unanswered = set(ids)
        self._image_seconds = image_seconds
        self._silence = silence
        self._thread_seconds = thread_seconds
        self._process_seconds = process_seconds
        # Of an image alone in its batch, everything counts that the worker does.
        self._before = process_seconds() if len(self.unanswered) == 1 else None
        self._in_work: dict[int, LooksInWork] = {}
        self._heard = False
        self._halfway: float | None = None
        self._last_news = time.perf_counter()
        self._until = self._last_news + (len(self.unanswered) + 1) * silence

    def take(self, news: WorkerNews) -> tuple[WorkerReply, ...]:
        """Take note of the news, and return the replies in it.

        Raises ValueError where it is about images that nobody asked for, or that are answered already.
        """
        ids = news.ids if isinstance(news, LooksBegun) else tuple(reply.id for reply in news.replies)
        if len(set(ids)) < len(ids) or not self.unanswered.issuperset(ids):
            raise ValueError("it is about images that it was not asked for")
        self._last_news = time.perf_counter()
        self._halfway = None
        self._heard = True
        if isinstance(news, LooksBegun):
            self._in_work[news.thread] = LooksInWork(ids, news.thread, news.core_seconds, self._last_news)
            return ()
        self.unanswered.difference_update(ids)
        self._in_work = {
            thread: share
            for thread, share in self._in_work.items()
            if not self.unanswered.isdisjoint(share.ids)
        }
        return news.replies

    def overran(self) -> frozenset[int]:
        """Return the images that one thread has spent more on than they may take, where there are any."""
        for share in self._in_work.values():
            allowed = self._image_seconds * len(share.ids)
            # A thread uses no more processor time than time goes by.
            if time.perf_counter() - share.since > allowed and self._spent(share) > allowed:
                return frozenset(share.ids)
        return frozenset()

    def is_silent(self) -> bool:
        """Tell whether there was no news for too long, or no end of them. Ask often.

        A worker that makes some use of the processor, and no more than its images may, only has to wait for
        it: that is no hang yet on a busy machine.
        """
        now = time.perf_counter()
        quiet = now - self._last_news
        if self._halfway is None and quiet > self._silence / 2:
            self._halfway = self._process_seconds()
        if self._halfway is None or quiet <= self._silence:
            return now > self._until
        used = self._process_seconds() - self._halfway
        works = ASLEEP * self._silence < used < self._image_seconds * max(len(self.in_work()), 1)
        return not works or now > self._until

    def in_work(self) -> dict[int, float]:
        """Return the images that the worker is at, and for how many seconds it has been at each.

        There is none before it has said anything. Where it has, but claims to be at none, it may be at every
        one that is not answered.
        """
        if not self._heard:
            return {}
        now = time.perf_counter()
        found = {
            id_: (now - share.since) / len(share.ids) for share in self._in_work.values() for id_ in share.ids
        }
        return found or dict.fromkeys(self.unanswered, 0.0)

    def _spent(self, share: LooksInWork) -> float:
        if self._before is not None:
            return self._process_seconds() - self._before
        return self._thread_seconds(share.thread) - share.core_seconds
