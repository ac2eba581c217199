"""What is posted: servers by Zipf's law, evenings, bursts of messages, several images in one, and reposts.

A person begins to post at moments of a Poisson process; each beginning is a burst of one or more messages.
Because bursts come independently of each other, a part of them taken by chance is the traffic of a smaller
bot of the same kind: bursts stay whole, and only their rate changes (thinning, e.g. Kingman, "Poisson
Processes", 1993, section 5.1). `bot.capacity.plan` relies on that."""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bot.capacity.figures import CapacityFigures

MOST_IMAGES = 10
"""Images of one message that are named (limits.images_per_answer)."""
MOST_MESSAGES = 100
"""Messages of a burst."""
REMEMBERED = 4096
"""Images of the last time that a repost is taken from."""
EXACT_RANKS = 1000
"""Servers whose share is added up one by one; of the others the integral is taken, which is as good."""


@dataclass(slots=True)
class PostedMessage:
    """A message with images, which gets one answer; `open` of them have not been looked at
    yet, and `named` have."""

    at: float
    server: int
    open: int = 0
    named: int = 0


@dataclass(slots=True)
class PostedImage:
    """One image: who posted it when (seconds), which one it is, and the core-seconds that it takes.

    `content` is the same for an image and its reposts. `kind` is its place in the list of pictures.
    """

    message: PostedMessage
    content: int
    kind: int
    second_look: bool
    core_seconds: float
    given_to: float = 0.0

    @property
    def at(self) -> float:
        """When it was posted."""
        return self.message.at

    @property
    def server(self) -> int:
        """The rank of its server, from 1 on."""
        return self.message.server


class PowerLaw:
    """Whole numbers from 1 to `most`, k with a chance that goes with 1 / k^exponent."""

    def __init__(self, exponent: float, most: int) -> None:
        weights = [k**-exponent for k in range(1, most + 1)]
        self._sums = list(itertools.accumulate(weights))
        self.mean: float = sum(k * weight for k, weight in enumerate(weights, 1)) / self._sums[-1]

    def draw(self, dice: Random) -> int:
        """Draw one."""
        return bisect(self._sums, dice.random() * self._sums[-1]) + 1


class ServerRanks:
    """Servers by Zipf's law: what that of rank r posts, from 1 to `servers`, goes with 1 / r^exponent.

    `largest_share` is the share of all images that the first one posts, where it is to be another.
    """

    def __init__(self, exponent: float, servers: int, *, largest_share: float | None = None) -> None:
        self._exponent, self._servers = exponent, servers
        exact = min(servers, EXACT_RANKS)
        weights = [rank**-exponent for rank in range(1, exact + 1)]
        self._from = exact + 0.5
        tail = self._integral(servers + 0.5) - self._integral(self._from)
        if largest_share is not None and servers > 1:
            weights[0] = (sum(weights[1:]) + tail) * largest_share / (1 - largest_share)
        self._sums = list(itertools.accumulate(weights))
        self._total = self._sums[-1] + tail

    @property
    def largest_share(self) -> float:
        """The share of all images that the first server posts."""
        return float(self._sums[0] / self._total)

    def draw(self, dice: Random) -> int:
        """Draw the server of one burst."""
        at = dice.random() * self._total
        if at < self._sums[-1]:
            return bisect(self._sums, at) + 1
        rank = round(self._inverse(self._integral(self._from) + at - self._sums[-1]))
        return min(max(rank, len(self._sums) + 1), self._servers)

    def _integral(self, x: float) -> float:
        power = 1 - self._exponent
        return float(x**power / power) if power else math.log(x)

    def _inverse(self, y: float) -> float:
        power = 1 - self._exponent
        return float((y * power) ** (1 / power)) if power else math.exp(y)


def hour_factor(hour: float, figures: CapacityFigures) -> float:
    """Return how busy an hour of the day is over the mean hour: a cosine whose top is the evening."""
    angle = 2 * math.pi * (hour - figures.peak_hour) / 24
    return 1 + (figures.peak_factor - 1) * math.cos(angle)


class Traffic:
    """What `servers` servers post, `images_per_second` on average. The same seed gives the same images.

    `largest_share` is the share of the first server, where it is to be another than by Zipf's law.
    """

    def __init__(
        self,
        figures: CapacityFigures,
        *,
        servers: int,
        images_per_second: float,
        seed: int,
        largest_share: float | None = None,
    ) -> None:
        self._figures = figures
        self._dice = Random(seed)  # noqa: S311 - chance, not secrets
        self._ranks = ServerRanks(figures.zipf_exponent, servers, largest_share=largest_share)
        self._images = PowerLaw(figures.images_a_message_exponent, MOST_IMAGES)
        self._messages = PowerLaw(figures.messages_a_burst_exponent, MOST_MESSAGES)
        self._bursts_per_second = images_per_second / (self._images.mean * self._messages.mean)
        self._kinds = list(itertools.accumulate(picture.share for picture in figures.pictures))
        self._contents = itertools.count()
        self._recent: deque[PostedImage] = deque(maxlen=REMEMBERED)

    def images(self, seconds: float, *, lead: float = 0.0) -> Iterator[PostedImage]:
        """Give the images of so many seconds in the order in which they are posted.

        Bursts that have begun up to `lead` seconds before go on; otherwise traffic begins from nothing.
        """
        # When, the number of the burst, its server, messages left.
        pending: list[tuple[float, int, int, int]] = []
        begins = self._dice.expovariate(self._bursts_per_second) - lead
        for number in itertools.count():
            while pending and pending[0][0] < begins:
                yield from self._message(pending, seconds)
            if begins >= seconds:
                return
            heapq.heappush(
                pending, (begins, number, self._ranks.draw(self._dice), self._messages.draw(self._dice))
            )
            begins += self._dice.expovariate(self._bursts_per_second)

    def _message(self, pending: list[tuple[float, int, int, int]], seconds: float) -> Iterator[PostedImage]:
        at, number, server, left = heapq.heappop(pending)
        if at >= seconds:
            return
        if left > 1:
            later = at + self._dice.expovariate(1 / self._figures.burst_gap_seconds)
            heapq.heappush(pending, (later, number, server, left - 1))
        message = PostedMessage(at, server, self._images.draw(self._dice))
        images = [self._image(message) for _ in range(message.open)]
        if at >= 0:
            yield from images

    def _image(self, message: PostedMessage) -> PostedImage:
        if self._recent and self._dice.random() < self._figures.repost_share:
            # Log-uniform age: what is new is posted again far more often than what is old.
            age = int(len(self._recent) ** self._dice.random())
            was = self._recent[-age]
            return PostedImage(message, was.content, was.kind, was.second_look, was.core_seconds)
        kind = min(bisect(self._kinds, self._dice.random()), len(self._kinds) - 1)
        second_look = self._dice.random() < self._figures.second_look_share
        core_ms = self._figures.pictures[kind].core_ms + second_look * self._figures.second_look_core_ms
        image = PostedImage(message, next(self._contents), kind, second_look, core_ms / 1000)
        self._recent.append(image)
        return image
