"""The watch over a worker: which images it is at, since when, and whether that was too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from inference.serving.protocol import LooksBegun, WorkerNews, WorkerReply

ASLEEP = 0.02
"""Of the time without news, the part on a processor below which a worker is taken for hung."""
STALLED = 2
"""So many times the seconds without news may a thread be asleep while others work. On a busy machine it is
not its fault."""


@dataclass(slots=True)
class LooksInWork:
    """What one thread of the worker is at.

    `core_seconds` is what the thread had used before, and `elsewhere` what the codecs' own threads had; None
    where no codec works on threads of its own.
    """

    ids: tuple[int, ...]
    thread: int
    core_seconds: float
    since: float
    elsewhere: float | None = None


class BatchWatch:
    """Follows the worker's news of the images that it was handed (`add`).

    An image may take `image_seconds` of processor time, and `silence` is how many seconds may go by without
    news. `thread_seconds` and `process_seconds` tell how much processor time a thread of the worker, and the
    whole worker, have used, and `elsewhere_seconds` what its codecs' own threads have; they are asked only
    when an image begins or is overdue.
    """

    def __init__(
        self,
        *,
        image_seconds: float,
        silence: float,
        thread_seconds: Callable[[int], float],
        process_seconds: Callable[[], float],
        elsewhere_seconds: Callable[[], float],
    ) -> None:
        self._image_seconds = image_seconds
        self._silence = silence
        self._thread_seconds = thread_seconds
        self._process_seconds = process_seconds
        self._elsewhere_seconds = elsewhere_seconds
        self._added: dict[int, float] = {}
        self._before: float | None = None
        self._in_work: dict[int, LooksInWork] = {}
        self._heard = False
        self._halfway: float | None = None
        self._last_news = time.perf_counter()

    @property
    def unanswered(self) -> frozenset[int]:
        """The images that it has to answer yet."""
        return frozenset(self._added)

    def add(self, ids: Iterable[int]) -> None:
        """Expect answers to these images too."""
        now = time.perf_counter()
        if not self._added:
            self._last_news, self._halfway = now, None
        self._added.update(dict.fromkeys(ids, now))
        # Of an image that is alone, everything counts that the worker does.
        self._before = self._process_seconds() if len(self._added) == 1 else None

    def take(self, news: WorkerNews) -> tuple[WorkerReply, ...]:
        """Take note of the news, and return the replies in it.

        Raises ValueError where it is about images that nobody asked for, or that are answered already.
        """
        ids = news.ids if isinstance(news, LooksBegun) else tuple(reply.id for reply in news.replies)
        if len(set(ids)) < len(ids) or not self._added.keys() >= set(ids):
            raise ValueError("it is about images that it was not asked for")
        self._last_news = time.perf_counter()
        self._halfway = None
        self._heard = True
        if isinstance(news, LooksBegun):
            elsewhere = self._elsewhere_seconds() if news.elsewhere else None
            self._in_work[news.thread] = LooksInWork(
                ids, news.thread, news.core_seconds, self._last_news, elsewhere
            )
            return ()
        for id_ in ids:
            del self._added[id_]
        self._in_work = {
            thread: share
            for thread, share in self._in_work.items()
            if not self._added.keys().isdisjoint(share.ids)
        }
        return news.replies

    def overran(self) -> frozenset[int]:
        """Return the images that the worker has spent more on than they may take, where there are any.

        Where several are at codecs with threads of their own, nobody can tell whose these are: it is all.
        """
        for share in self._beyond(self._image_seconds):
            alike = [each for each in self._in_work.values() if each.elsewhere is not None]
            guilty = [share] if share.elsewhere is None else alike
            return frozenset(id_ for each in guilty for id_ in each.ids)
        return frozenset()

    def slow(self, core_seconds: float) -> frozenset[int]:
        """Return the images that have taken more than so much processor time."""
        return frozenset(id_ for share in self._beyond(core_seconds) for id_ in share.ids)

    def _beyond(self, image_seconds: float) -> Iterator[LooksInWork]:
        now = time.perf_counter()
        for share in self._in_work.values():
            allowed = image_seconds * len(share.ids)
            # A thread uses no more processor time than time goes by.
            if now - share.since > allowed and self._spent(share) > allowed:
                yield share

    def stalled(self) -> frozenset[int]:
        """Return the images whose thread has done next to nothing for long, while others went on.

        Where nobody has news, one thread may have all the others wait for it: `is_silent` and `overran` tell.
        """
        now = time.perf_counter()
        if now - self._last_news > self._silence / 2:
            return frozenset()
        for share in self._in_work.values():
            waited = now - share.since
            if waited > STALLED * self._silence and self._spent(share) < ASLEEP * waited:
                return frozenset(share.ids)
        return frozenset()

    def is_silent(self) -> bool:
        """Tell whether there was no news for too long, or no end of them. Ask often.

        A worker that makes some use of the processor, and no more than its images may, only has to wait for
        it: that is no hang yet on a busy machine.
        """
        now = time.perf_counter()
        quiet = now - self._last_news
        is_endless = now > self._oldest() + (len(self._added) + 1) * self._silence
        if self._halfway is None and quiet > self._silence / 2:
            self._halfway = self._process_seconds()
        if self._halfway is None or quiet <= self._silence:
            return is_endless
        used = self._process_seconds() - self._halfway
        works = ASLEEP * self._silence < used < self._image_seconds * max(len(self.in_work()), 1)
        return not works or is_endless

    def _oldest(self) -> float:
        """Return since when the image has been there that has been there the longest."""
        return min(self._added.values(), default=time.perf_counter())

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
        return found or dict.fromkeys(self._added, 0.0)

    def _spent(self, share: LooksInWork) -> float:
        if self._before is not None:
            return self._process_seconds() - self._before
        spent = self._thread_seconds(share.thread) - share.core_seconds
        return spent if share.elsewhere is None else spent + self._elsewhere_seconds() - share.elsewhere
