"""What a bot of so many servers asks of each thing that has a limit, and what to do when it is too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bot.capacity.figures import CapacityFigures
from bot.capacity.simulation import WINDOW
from bot.capacity.traffic import MOST_IMAGES, PowerLaw, ServerRanks
from config.settings import Limits

DAY = 86_400.0
BUSIEST = 3.1
"""Standard deviations above the mean that one window in a thousand exceeds."""
BOT_LOAD = 0.7
"""Of the cores of a machine with bot processes, how many they may keep busy."""
MOST_SERVERS = 10**9

IDENTIFY, REST, WRITES, CONNECTIONS, NETWORK, PROCESS, LARGEST = (
    "IDENTIFYs a day",
    "REST calls a second",
    "PostgreSQL writes a second",
    "PostgreSQL connections",
    "Mbit/s of a bot machine",
    "cores of the busiest process",
    "largest server's core-s a minute",
)

REMEDIES = {
    IDENTIFY: "Restart one shard at a time and let it resume; use fewer, larger shards (up to 2,500 "
    "servers each). From 150,000 servers on, Discord allows more.",
    REST: "Ask Discord's support for a higher global limit. Until then let servers be answered when "
    "somebody asks, and not unasked (/settings how).",
    WRITES: "Give PostgreSQL a fast disk that survives a power cut; set synchronous_commit = off (a "
    "power cut may then cost the last moments' open work); then take one database for each range of "
    "shards.",
    CONNECTIONS: "Raise max_connections, or put PgBouncer in front of it in session mode: the lock of "
    "a shard lives as long as its session.",
    NETWORK: "Let Discord make large pictures smaller before they are fetched (download.resized = "
    "true), or use more machines with fewer bot processes on each.",
    PROCESS: "Use more shards, each of which then has fewer servers. A server that is too much for a "
    "process alone is to be answered only when it asks.",
    LARGEST: "Nothing breaks for the others: its members are told to come back later. Raise "
    "limits.guild_core_seconds_per_minute, or agree with its moderators on fewer channels.",
}
"""What an owner can do about each."""


@dataclass(frozen=True)
class Demand:
    """What is asked of one thing that has a limit. `breaks_at`: servers from which on it is too much."""

    name: str
    use: float
    limit: float
    breaks_at: int | None

    @property
    def share(self) -> float:
        """How much of the limit is used: above 1 it breaks."""
        return self.use / self.limit

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REMEDIES[self.name]


@dataclass(frozen=True, kw_only=True)
class ExpectedLoad:
    """The load of a bot whose servers post `images_a_day` each on average, on machines of `cores` cores.

    `unevenness` is the variance of the images in ten seconds over their mean, which a simulation tells. A
    part of the traffic that is taken by chance from all of it has nearly the same, so it is good for any
    number of servers."""

    figures: CapacityFigures
    limits: Limits
    images_a_day: float
    cores: int
    unevenness: float = 1.0

    def images_a_second(self, servers: int) -> float:
        """Return how many images come in the busiest hour."""
        return servers * self.images_a_day / DAY * self.figures.peak_factor

    def busiest_images_a_second(self, servers: int) -> float:
        """Return how many come in the busiest ten seconds of that hour (one in a thousand has more)."""
        mean = self.images_a_second(servers)
        return mean + BUSIEST * math.sqrt(mean * self.unevenness / WINDOW)

    def shards(self, servers: int) -> int:
        """Return how many shards there are: one while Discord allows it, then what it recommends."""
        figures = self.figures
        if servers <= figures.most_servers_a_shard:
            return 1
        shards = math.ceil(servers / figures.servers_a_shard)
        if servers < figures.large_bot_servers:
            return shards
        step = int(figures.large_bot_max_concurrency)
        return math.ceil(shards / step) * step

    def bot_cores(self, servers: int) -> float:
        """Return how many cores all bot processes together keep busy in the busiest hour."""
        figures = self.figures
        ms = figures.bot_image_core_ms + figures.transport_core_ms
        ms += figures.events_an_image * figures.event_core_ms
        return self.images_a_second(servers) * ms / 1000

    def bot_memory_share(self, servers: int) -> float:
        """Return how many machines' memory all bot processes together take."""
        memory = self.shards(servers) * self.figures.bot_megabytes
        return memory / (self.cores * self.figures.memory_a_core_megabytes)

    def bot_machines(self, servers: int) -> int:
        """Return how many machines the bot processes need, for their memory and for their work."""
        cores = self.bot_cores(servers) / (self.cores * BOT_LOAD)
        return math.ceil(max(cores, self.bot_memory_share(servers)))

    def largest_share(self, servers: int) -> float:
        """Return the share of all images that the largest server posts."""
        return ServerRanks(self.figures.zipf_exponent, servers).largest_share

    def start_minutes(self, servers: int) -> float:
        """Return how long it takes until every shard has identified."""
        figures = self.figures
        at_once = figures.large_bot_max_concurrency if servers >= figures.large_bot_servers else 1
        return math.ceil(self.shards(servers) / at_once - 1) * figures.identify_seconds / 60

    def demands(self, servers: int) -> list[Demand]:
        """Return what is asked of everything that has a limit, and of what most is asked first."""
        found = []
        for name, ask in self._asks().items():
            use, limit = ask(servers)
            found.append(Demand(name, use, limit, _breaks_at(ask)))
        return sorted(found, key=lambda demand: -demand.share)

    def _asks(self) -> dict[str, Callable[[int], tuple[float, float]]]:
        """Return for each thing a function from servers to its use and its limit."""
        figures = self.figures
        images_a_message = PowerLaw(figures.images_a_message_exponent, MOST_IMAGES).mean

        def messages(servers: int) -> float:
            return self.busiest_images_a_second(servers) / images_a_message

        def process(servers: int) -> float:
            images = self.images_a_second(servers)
            largest = images * self.largest_share(servers)
            own = largest + (images - largest) / self.shards(servers)
            ms = figures.bot_image_core_ms + figures.transport_core_ms
            return own * (ms + figures.events_an_image * figures.event_core_ms) / 1000

        def largest(servers: int) -> float:
            images = self.images_a_second(servers) * self.largest_share(servers)
            return images * (1 - figures.repost_share) * figures.core_seconds_an_image * 60

        def identifies(servers: int) -> tuple[float, float]:
            times = figures.restarts_a_day + figures.lost_sessions_a_shard_day
            limit = figures.identifies_a_day
            if servers >= figures.large_bot_servers:
                more = servers / 1000 * figures.large_bot_identifies_per_1000_servers
                limit = max(figures.large_bot_identifies_a_day, more)
            return self.shards(servers) * times, limit

        def network(servers: int) -> float:
            """Each image comes in from Discord and goes out to a machine that looks at it."""
            rate = self.busiest_images_a_second(servers) / self.bot_machines(servers)
            return 2 * rate * figures.kilobytes_an_image * 8 / 1000

        return {
            IDENTIFY: identifies,
            REST: lambda n: (messages(n) * figures.rest_calls_a_message, figures.rest_calls_a_second),
            WRITES: lambda n: (messages(n) * figures.writes_a_message, figures.writes_a_second),
            CONNECTIONS: lambda n: (self.shards(n) * figures.connections_a_process, figures.connections),
            NETWORK: lambda n: (network(n), figures.network_megabits),
            PROCESS: lambda n: (process(n), 1.0),
            LARGEST: lambda n: (largest(n), self.limits.guild_core_seconds_per_minute),
        }


def _breaks_at(ask: Callable[[int], tuple[float, float]]) -> int | None:
    """Return the fewest servers that ask for too much, to three digits; None where no number does."""

    def is_too_much(servers: int) -> bool:
        use, limit = ask(servers)
        return use > limit

    most = 1
    while not is_too_much(most):
        most = math.ceil(most * 1.25)
        if most > MOST_SERVERS:
            return None
    least = max(int(most / 1.25) - 1, 0)
    while most - least > max(most // 1000, 1):
        middle = (least + most) // 2
        if is_too_much(middle):
            most = middle
        else:
            least = middle
    unit: int = 10 ** max(len(str(most)) - 3, 0)
    return math.ceil(most / unit) * unit
