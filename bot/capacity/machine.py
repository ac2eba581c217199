"""A machine that looks at images, as a simulated worker.

The worker has several images at once and shares its cores among them. How fast all of it goes with n images
in hand was measured, so the machine is a flow-equivalent server: a queue whose speed depends on how many
are in it (Chandy, Herzog and Woo, "Parametric Analysis of Queuing Networks", IBM Journal of Research and
Development 19, 1975). The others wait in a fair line until one of the places is free."""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect
from collections.abc import Callable, Sequence

from simpy import Environment
from simpy.events import Event

from bot.capacity.fair_line import FairLine
from bot.capacity.traffic import PostedImage

PLACES = 8
"""Images that a worker has at once (worker.batch); where there are many cores, an owner sets more."""
PLACES_A_CORE = 4


class SpeedCurve:
    """Core-seconds of work that `cores` cores do in a second, by how many images they have at once.

    `points` are pairs of images at once and the speed as a share of the highest one, measured on
    `measured_cores`; a straight line is between two of them. `highest` is the speed of those cores. Other
    numbers of cores go in proportion, and so do the images that keep them busy.
    """

    def __init__(
        self, points: Sequence[tuple[float, float]], *, highest: float, measured_cores: int, cores: int
    ) -> None:
        scale = cores / measured_cores
        self.highest = highest * scale
        self.places = max(PLACES, PLACES_A_CORE * cores)
        ends = [(0.0, 0.0), *points]
        most = math.ceil(points[-1][0] * scale)
        self._speeds = [self.highest * _between(ends, images / scale) for images in range(most + 1)]

    def __call__(self, images: int) -> float:
        return self._speeds[min(images, len(self._speeds) - 1)]


class Machine:
    """Does the work of images, and tells `on_done` of each when it is done. `curve` says how fast."""

    def __init__(
        self, environment: Environment, curve: SpeedCurve, on_done: Callable[[PostedImage], None]
    ) -> None:
        self._environment = environment
        self._curve = curve
        self._on_done = on_done
        self._line = FairLine()
        self._present: list[tuple[float, int, PostedImage]] = []
        self._numbers = itertools.count()
        self._progress = 0.0
        """Core-seconds of work that each image would have got if it had been there from the beginning."""
        self._since = self._speed = 0.0
        self._plan = 0
        self.core_seconds = 0.0

    @property
    def images(self) -> int:
        """How many images it has, those that wait included."""
        return len(self._present) + len(self._line)

    def take(self, image: PostedImage) -> None:
        """Take an image in."""
        self._go_on()
        self._line.put(image)
        self._fill()

    def _go_on(self) -> None:
        """Bring the progress of all up to now."""
        now = self._environment.now
        if self._present:
            work = (now - self._since) * self._speed
            self._progress += work / len(self._present)
            self.core_seconds += work
        self._since = now

    def _fill(self) -> None:
        """Give free places to those that wait, and note when the next image will be done."""
        while self._line and len(self._present) < self._curve.places:
            image = self._line.pop()
            heapq.heappush(self._present, (self._progress + image.core_seconds, next(self._numbers), image))
        self._plan += 1
        if not self._present:
            return
        left = max(self._present[0][0] - self._progress, 0.0)
        self._speed = self._curve(self.images)
        seconds = left * len(self._present) / self._speed
        due = self._environment.timeout(seconds, self._plan)
        due.callbacks.append(self._due)

    def _due(self, event: Event) -> None:
        if event.value != self._plan:
            return  # another image came or went meanwhile, and the time was set anew
        self._go_on()
        end, _, image = heapq.heappop(self._present)
        self._progress = max(self._progress, end)  # what floating point may have lost
        self._fill()
        self._on_done(image)


def _between(points: Sequence[tuple[float, float]], x: float) -> float:
    """Return the height at `x` of the line through the points, and beyond the last one its height."""
    right = bisect(points, x, key=lambda point: point[0])
    if right == len(points):
        return points[-1][1]
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
