"""The images that wait for the worker: the costly ones in a lane of their own.

An honest picture takes a few hundredths of a second, and the costliest that is allowed some seconds. If they
shared one line, a few of these would keep every core busy, and everybody else waiting. So costly pictures
leave one core to the others, however many there are. Many that are nearly costly would do the same, so what
comes from a group that has used much of late has a lane of its own too, and takes no room from the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable
from enum import Enum, auto

from inference.serving.fair_queue import FairQueue
from inference.serving.image_job import ImageJob
from inference.serving.recent_use import RecentUse

CHEAP_SECONDS_A_CORE = 0.3
"""Core-seconds, for each core, of cheap images that the worker has at the same time."""

CHEAP_PIXELS = 20_000_000
"""Pixels in memory of cheap images that the worker has at the same time, which take up to 15 bytes each."""

HEAVY_SECONDS = 3.0
"""Core-seconds in the last minute or so from which on a group is heavy: some hundred ordinary pictures."""

HEAVY_SHARE = 0.5
"""Of `CHEAP_PIXELS`, what images from heavy groups may hold beside those of the others."""


class Lane(Enum):
    """What waits apart from the rest, in the order in which they are served."""

    COSTLY = auto()
    CHEAP = auto()
    HEAVY = auto()


class ImageLanes:
    """Says which images the worker may have next, beside those that it has already.

    `crops` is how many crops of cheap images it may have, `pixels` how many pixels in memory of costly ones,
    and `cores` how many cores there are. An image that would be alone in its lane may always go.
    """

    def __init__(self, *, crops: int, pixels: int, cores: int) -> None:
        self._crops = crops
        self._pixels = pixels
        self._most_costly = max(cores - 1, 1)
        self._cheap_seconds = cores * CHEAP_SECONDS_A_CORE
        self._lanes: dict[Lane, FairQueue[ImageJob]] = {
            Lane.COSTLY: FairQueue(),
            Lane.CHEAP: FairQueue(),
            Lane.HEAVY: FairQueue(),
        }
        self._second_looks: deque[ImageJob] = deque()
        self._recent = RecentUse()

    def __bool__(self) -> bool:
        return bool(self._second_looks) or any(self._lanes.values())

    def put(self, job: ImageJob) -> None:
        """Add an image as the last of its group."""
        job.counted = job.expected.core_seconds
        self._recent.add(job.group, job.counted)
        job.is_heavy = job.group is not None and self._recent.of(job.group) > HEAVY_SECONDS
        self._queue(job).put(job, job.group)

    def put_back(self, job: ImageJob) -> None:
        """Add an image that was taken as the first of its group, as if it had not been."""
        if job.second:
            self._second_looks.appendleft(job)
            return
        self._queue(job).put_back(job, job.group, estimate=job.estimate)
        job.estimate = 0.0

    def put_second_look(self, job: ImageJob) -> None:
        """Add an image that the worker has the crops of, for a second look: these go first."""
        self._second_looks.append(job)

    def lose_second_looks(self) -> None:
        """Have all begin with their first looks again: another worker does not have their crops."""
        while self._second_looks:
            job = self._second_looks.pop()
            job.begin()
            self.put_back(job)

    def remove(self, job: ImageJob) -> None:
        """Take an image out, if it is there."""
        if job in self._second_looks:
            self._second_looks.remove(job)
        self._queue(job).remove(job, job.group)
        self._recent.add(job.group, -job.counted)
        job.counted = 0.0

    def take(self, present: Collection[ImageJob], *, one_each: bool = False) -> ImageJob | None:
        """Take the next image that may go beside those that are `present`, None where none may.

        `one_each`: no group may have two there at the same time.
        """
        if self._second_looks:
            return self._second_looks.popleft() if self.fits(self._second_looks[0], present) else None
        served = {job.group for job in present if job.group is not None} if one_each else ()
        for queue in self._lanes.values():
            first = queue.first(without=served)
            if first and self.fits(first, present):
                job, estimate = queue.pop(without=served)
                job.estimate = estimate
                return job
        return None

    def fits(self, job: ImageJob, present: Collection[ImageJob]) -> bool:
        """Tell whether an image may go beside those that are `present`, of which each lane's are counted
        apart."""
        lane = _lane(job)
        alike = [each for each in present if _lane(each) is lane]
        if not alike:
            return True
        first_looks = [each for each in alike if not each.second]
        pixels = job.expected.pixels + sum(each.expected.pixels for each in first_looks)
        if lane is Lane.COSTLY:
            if job.expected.is_large and any(each.expected.is_large for each in alike):
                return False
            return len(alike) < self._most_costly and pixels <= self._pixels
        if job.crops + sum(each.crops for each in alike) > self._crops:
            return False
        seconds = job.expected.core_seconds + sum(each.expected.core_seconds for each in first_looks)
        most_pixels = CHEAP_PIXELS * (HEAVY_SHARE if lane is Lane.HEAVY else 1)
        return job.second or not first_looks or (seconds <= self._cheap_seconds and pixels <= most_pixels)

    def charge(self, job: ImageJob, core_seconds: float) -> None:
        """Charge a group with what its image took, in place of what was charged when it was taken."""
        self._queue(job).charge(job.group, core_seconds, estimate=job.estimate)
        self._recent.add(job.group, core_seconds - job.counted)
        job.estimate = job.counted = 0.0

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images here."""
        for lane in self._lanes.values():
            lane.forget(group)
        self._recent.forget(group)

    def clear(self) -> None:
        """Take all images out. What the groups have used stays known."""
        self._second_looks.clear()
        for lane in self._lanes.values():
            lane.clear()

    def _queue(self, job: ImageJob) -> FairQueue[ImageJob]:
        return self._lanes[Lane.COSTLY if job.is_costly else _lane(job)]


def _lane(job: ImageJob) -> Lane:
    """Return the lane of the next look at an image; a second one has nothing to decode."""
    if job.is_costly and not job.second:
        return Lane.COSTLY
    return Lane.HEAVY if job.is_heavy else Lane.CHEAP
