"""The images that wait for the worker: the costly ones in a lane of their own.

An honest picture takes a few hundredths of a second, and the costliest that is allowed some seconds. If they
shared one line, a few of these would keep every core busy, and everybody else waiting. So costly pictures
leave one core to the others, however many there are.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable

from inference.serving.fair_queue import FairQueue
from inference.serving.image_job import ImageJob

CHEAP_SECONDS_A_CORE = 0.3
"""Core-seconds, for each core, of cheap images that the worker has at the same time."""

CHEAP_PIXELS = 20_000_000
"""Pixels in memory of cheap images that the worker has at the same time, which take up to 15 bytes each."""


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
        self._lanes: dict[bool, FairQueue[ImageJob]] = {True: FairQueue(), False: FairQueue()}

    def __bool__(self) -> bool:
        return any(self._lanes.values())

    def put(self, job: ImageJob) -> None:
        """Add an image as the last of its group."""
        self._lanes[job.is_costly].put(job, job.group)

    def put_back(self, job: ImageJob) -> None:
        """Add an image that was taken as the first of its group, as if it had not been."""
        self._lanes[job.is_costly].put_back(job, job.group, estimate=job.estimate)
        job.estimate = 0.0

    def remove(self, job: ImageJob) -> None:
        """Take an image out, if it is there."""
        self._lanes[job.is_costly].remove(job, job.group)

    def take(self, present: Collection[ImageJob]) -> ImageJob | None:
        """Take the next image that may go beside those that are `present`, None where none may."""
        for is_costly in (True, False):
            lane = self._lanes[is_costly]
            if lane and self.fits(lane.first(), present):
                job, estimate = lane.pop()
                job.estimate = estimate
                return job
        return None

    def fits(self, job: ImageJob, present: Collection[ImageJob]) -> bool:
        """Tell whether an image may go beside those that are `present`, of which the costly ones and the
        others are counted apart."""
        alike = [each for each in present if _takes_long(each) == _takes_long(job)]
        if not alike:
            return True
        first_looks = [each for each in alike if not each.second]
        pixels = job.expected.pixels + sum(each.expected.pixels for each in first_looks)
        if _takes_long(job):
            if job.expected.is_large and any(each.expected.is_large for each in alike):
                return False
            return len(alike) < self._most_costly and pixels <= self._pixels
        if job.crops + sum(each.crops for each in alike) > self._crops:
            return False
        seconds = job.expected.core_seconds + sum(each.expected.core_seconds for each in first_looks)
        return job.second or not first_looks or (seconds <= self._cheap_seconds and pixels <= CHEAP_PIXELS)

    def charge(self, job: ImageJob, core_seconds: float) -> None:
        """Charge a group with what its image took, in place of what was charged when it was taken."""
        self._lanes[job.is_costly].charge(job.group, core_seconds, estimate=job.estimate)
        job.estimate = 0.0

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images here."""
        for lane in self._lanes.values():
            lane.forget(group)

    def clear(self) -> None:
        """Take all images out. What the groups have used stays known."""
        for lane in self._lanes.values():
            lane.clear()


def _takes_long(job: ImageJob) -> bool:
    """Return whether the next look at an image takes long; a second one has nothing to decode."""
    return job.is_costly and not job.second
