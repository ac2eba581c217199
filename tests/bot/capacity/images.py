"""Images for the simulation that a test makes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from bot.capacity.machine import SpeedCurve
from bot.capacity.traffic import PostedImage, PostedMessage


def image(at: float, *, server: int = 1, content: int = 0, core_seconds: float = 0.05) -> PostedImage:
    """A message with one image."""
    return PostedImage(PostedMessage(at, server, 1), content, 0, second_look=False, core_seconds=core_seconds)


def poisson(
    rate: float, seconds: float, *, mean: float, exponential: bool, seed: int
) -> Iterator[PostedImage]:
    """Images that come independently of each other, each from a server of its own."""
    dice = Random(seed)  # noqa: S311 - chance, not secrets
    at, number = dice.expovariate(rate), 0
    while at < seconds:
        work = dice.expovariate(1 / mean) if exponential else mean
        yield image(at, server=number, content=number, core_seconds=work)
        at, number = at + dice.expovariate(rate), number + 1


def cores(number: int, *, of: int | None = None) -> SpeedCurve:
    """Ideal cores, each of which works on one image, and a worker with places for `of` cores."""
    of = of or number
    points = [(n, min(n, number) / number) for n in range(1, of + 1)]
    return SpeedCurve(points, highest=number, measured_cores=of, cores=of)
