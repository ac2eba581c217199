"""The simulated bot: processes that take images in, machines that look at them, Discord's limit on answers.

An image that is posted is counted as one of: answered, refused (`busy`, because its process has as many
images as it may, or its server as many as it may; `timed_out`; `late`, because Discord took the answer too
late), or still in hand at the end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from cachetools import LRUCache
from simpy import Environment
from simpy.events import Event

from bot.capacity.machine import Machine, SpeedCurve
from bot.capacity.traffic import PostedImage, PostedMessage
from config.settings import Settings

WINDOW = 10.0
"""Seconds of one count of what came, from which it is told how uneven the traffic is."""


@dataclass(frozen=True, kw_only=True)
class SimulatedBot:
    """What is simulated: `processes` bot processes and `machines` with `curve` each.

    `rest_calls_a_second` is Discord's limit, infinite for none; a message takes `calls_a_message`. `download`
    and `send` are the seconds that go by before and after an image is looked at; `known` those of an image
    that was named before.
    """

    processes: int
    machines: int
    curve: SpeedCurve
    rest_calls_a_second: float = math.inf
    calls_a_message: float = 1.0
    download: float = 0.0
    send: float = 0.0
    known: float = 0.0
    settings: Settings = field(default_factory=Settings)


@dataclass
class SimulationResult:
    """What became of the images that were posted after the warm-up. Latencies are seconds.

    `latencies` are from posted to answered, `looks` from downloaded to named. `core_seconds` is the work of
    all machines, `most_in_hand` the most images that one process had.
    """

    seconds: float
    posted: int = 0
    answered: int = 0
    in_hand: int = 0
    known: int = 0
    messages: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    core_seconds: float = 0.0
    most_in_hand: int = 0

    def quantile(self, share: float, of: Iterable[float] | None = None) -> float:
        """Return the latency below which this share of the images stayed; NaN where there are none."""
        ordered = sorted(self.latencies if of is None else of)
        return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1] if ordered else math.nan

    @property
    def refused_share(self) -> float:
        """Of the images that were posted, those that were refused."""
        return self.refused.total() / self.posted if self.posted else 0.0

    @property
    def unevenness(self) -> float:
        """The variance of the images in a window over their mean: 1 where they come independently."""
        if len(self.windows) < 2 or not self.posted:  # noqa: PLR2004 - a variance needs two
            return 1.0
        mean = sum(self.windows) / len(self.windows)
        variance = sum((count - mean) ** 2 for count in self.windows) / (len(self.windows) - 1)
        return max(variance / mean, 1.0) if mean else 1.0


class _BotProcess:
    """What one process of the bot knows: how many images it has, and the latest verdicts."""

    def __init__(self, settings: Settings) -> None:
        self._queue = settings.queue
        self.images = 0
        self._by_server: Counter[int] = Counter()
        self.verdicts: LRUCache[int, bool] = LRUCache(max(settings.queue.verdicts, 1))
        self.in_flight: dict[int, list[PostedImage]] = {}

    def enter(self, server: int) -> bool:
        """Take a place. Returns False where there is none."""
        if self.images >= self._queue.images or self._by_server[server] >= self._queue.images_per_guild:
            return False
        self.images += 1
        self._by_server[server] += 1
        return True

    def leave(self, server: int) -> None:
        """Give the place back."""
        self.images -= 1
        self._by_server[server] -= 1
        if not self._by_server[server]:
            del self._by_server[server]


class Simulation:
    """Runs `bot` on images, which come in order; those of the first `warm_up` seconds are not counted."""

    def __init__(self, bot: SimulatedBot, *, seconds: float, warm_up: float = 0.0, seed: int = 0) -> None:
        self._bot = bot
        self._environment = Environment()
        self._warm_up = warm_up
        self._end = warm_up + seconds
        self._dice = Random(seed)  # noqa: S311 - chance, not secrets
        self._processes = [_BotProcess(bot.settings) for _ in range(bot.processes)]
        self._machines = [Machine(self._environment, bot.curve, self._looked_at) for _ in range(bot.machines)]
        self._result = SimulationResult(seconds)
        self._next_call = 0.0

    def run(self, images: Iterable[PostedImage]) -> SimulationResult:
        """Simulate, and return what became of the images."""
        self._environment.process(self._arrivals(images))
        result = self._result
        result.windows = [0] * math.ceil(result.seconds / WINDOW)
        if self._warm_up:
            self._environment.run(until=self._warm_up)
        before = self._work()
        self._environment.run(until=self._end)
        result.core_seconds = self._work() - before
        result.in_hand = result.posted - result.answered - result.refused.total()
        return result

    def _arrivals(self, images: Iterable[PostedImage]) -> Generator[Event, None, None]:
        environment, download, last = self._environment, self._bot.download, None
        for image in images:
            if (begins := image.at + download) >= self._end:
                return
            if begins > environment.now:
                yield environment.timeout(begins - environment.now)
            if self._counts(image):
                self._result.posted += 1
                self._result.messages += image.message is not last
                window = int((begins - self._warm_up) / WINDOW)
                self._result.windows[min(window, len(self._result.windows) - 1)] += 1
            last = image.message
            self._arrive(image)

    def _arrive(self, image: PostedImage) -> None:
        process = self._process_of(image)
        image.given_to = self._environment.now
        if not process.enter(image.server):
            self._refuse(image, "busy")
            return
        self._result.most_in_hand = max(self._result.most_in_hand, process.images)
        if image.content in process.verdicts:
            _ = process.verdicts[image.content]  # used, so it is kept longer
            self._after(self._bot.known, partial(self._was_known, image))
        elif image.content in process.in_flight:
            process.in_flight[image.content].append(image)
        else:
            process.in_flight[image.content] = [image]
            self._machine().take(image)

    def _process_of(self, image: PostedImage) -> _BotProcess:
        return self._processes[image.server % len(self._processes)]

    def _machine(self) -> Machine:
        """Return the one of two machines, taken by chance, that has fewer images."""
        if len(self._machines) == 1:
            return self._machines[0]
        one, other = self._dice.sample(self._machines, 2)
        return one if one.images <= other.images else other

    def _was_known(self, image: PostedImage, _: Event) -> None:
        self._result.known += self._counts(image)
        self._named(image)

    def _looked_at(self, image: PostedImage) -> None:
        process = self._process_of(image)
        process.verdicts[image.content] = True
        for each in process.in_flight.pop(image.content):
            self._named(each)

    def _named(self, image: PostedImage) -> None:
        """Take an image out of its process, and answer its message if it was the last one of it."""
        now = self._environment.now
        self._process_of(image).leave(image.server)
        if now - image.given_to > self._bot.settings.queue.timeout:
            self._refuse(image, "timed_out")
            return
        if self._counts(image):
            self._result.looks.append(now - image.given_to)
        message = image.message
        message.open -= 1
        message.named += 1
        if not message.open:
            self._answer(image)

    def _refuse(self, image: PostedImage, why: str) -> None:
        if self._counts(image):
            self._result.refused[why] += 1
        image.message.open -= 1
        if not image.message.open and image.message.named:
            self._answer(image)

    def _answer(self, image: PostedImage) -> None:
        """Send a message's answer when Discord's limit allows, which is known at once: calls go in order."""
        now, message = self._environment.now, image.message
        begins = max(now, self._next_call)
        self._next_call = begins + self._bot.calls_a_message / self._bot.rest_calls_a_second
        if begins - now > self._bot.settings.watch.late_after:
            self._next_call = begins  # a late answer is not sent
            if self._counts(image):
                self._result.refused["late"] += message.named
        elif self._counts(image):
            self._after(begins - now + self._bot.send, partial(self._sent, message))

    def _sent(self, message: PostedMessage, _: Event) -> None:
        self._result.answered += message.named
        self._result.latencies += [self._environment.now - message.at] * message.named

    def _after(self, seconds: float, do: Callable[[Event], None]) -> None:
        self._environment.timeout(seconds).callbacks.append(do)

    def _counts(self, image: PostedImage) -> bool:
        return image.at + self._bot.download >= self._warm_up

    def _work(self) -> float:
        return sum(machine.core_seconds for machine in self._machines)
