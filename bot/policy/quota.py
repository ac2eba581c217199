"""Count how many images, and how much work, a person and a server may ask for, and when there may be more."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import discord
from cachetools import TLRUCache
from discord import app_commands
from discord.ext import commands

from bot.i18n import Language
from bot.store import GuildSettings
from bot.store.quota_uses import QuotaTime
from config.settings import Limits

MINUTE = 60.0

BURST_MINUTES = 2.0
"""As many minutes' worth of core-seconds may be used at once."""

REMEMBERED_DEBTORS = 10_000
"""People, and servers, whose use of the processor is remembered; an entry takes about 200 bytes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """How many of the images asked for may be looked at now.

    Where these are not all, `until` says when the next ones may come, and `shared` whether it is the server
    that has had its share.
    """

    images: int
    refused: int = 0
    until: datetime.datetime | None = None
    shared: bool = False

    def line(self, language: Language) -> str:
        """Return what to tell the person; empty if all is granted."""
        if self.until is None:
            return ""
        # Discord shows the time in each reader's own words: "in 40 seconds".
        when = discord.utils.format_dt(self.until, "R")
        if not self.images and self.shared:
            return language.gettext(
                "That's as many pictures as I can take from this server for now. Try again {when}."
            ).format(when=when)
        if not self.images:
            return language.gettext(
                "That's as many pictures as I can take from you for now. Try again {when}."
            ).format(when=when)
        return language.ngettext(
            "{refused} more picture was over the limit. Send it again {when}.",
            "{refused} more pictures were over the limit. Send them again {when}.",
            self.refused,
        ).format(refused=self.refused, when=when)


@dataclass(frozen=True, slots=True)
class _Limit:
    """So many images in so many seconds, for the person or server that `key` names."""

    key: Hashable
    images: int
    seconds: float = MINUTE


class _LeakyBuckets:
    """What each key has used of late, in core-seconds or images: a bucket that leaks at `per_minute`.

    What a picture takes is known only when it has been looked at, and what was used elsewhere is heard late,
    so a bucket may run over. Its owner then waits until it has leaked down to `room` again. An empty bucket
    is forgotten.
    """

    def __init__(self, per_minute: float, room: float) -> None:
        self._rate = per_minute / MINUTE
        self._room = room
        self._used: TLRUCache[int, tuple[float, float]] = TLRUCache(
            REMEMBERED_DEBTORS, self._is_empty_at, timer=_now
        )

    def charge(self, key: int, core_seconds: float, now: float) -> None:
        """Add what was used."""
        self._used[key] = self._level(key, now) + core_seconds, now

    def fill(self, key: int, seconds: float, now: float) -> None:
        """Note that a bucket holds what takes so many seconds to leak away, if that is more than is known."""
        if seconds * self._rate > self._level(key, now):
            self._used[key] = seconds * self._rate, now

    def seconds(self, amount: float) -> float:
        """Return the seconds that so much takes to leak away."""
        return amount / self._rate

    def wait(self, key: int, now: float) -> float:
        """Return the seconds until more may be used, 0 where it may be now."""
        return max(self._level(key, now) - self._room, 0.0) / self._rate

    def _is_empty_at(self, _key: int, bucket: tuple[float, float], _now: float) -> float:
        used, then = bucket
        return then + used / self._rate

    def _level(self, key: int, now: float) -> float:
        used, then = self._used.get(key, (0.0, now))
        return max(used - (now - then) * self._rate, 0.0)


class Quota:
    """Limits each person, wherever they ask, by the owner's limit; in servers that set their own, by theirs.

    The owner's: `user_burst` images at once, and as many again after the time they take at
    `user_images_per_minute`. A server's: so many in a minute. Beside the images, the core-seconds count that
    they took: the owner's limits for a person and for a server hold everywhere.

    What a person has used in servers of other shards, which other processes have, is told here by
    `used_elsewhere`; `on_use` hears what is used here. Everything of a server is one shard's.
    """

    def __init__(self, limits: Limits) -> None:
        core, guild_core = limits.user_core_seconds_per_minute, limits.guild_core_seconds_per_minute
        self._of_users = _LeakyBuckets(core, core * BURST_MINUTES)
        self._of_guilds = _LeakyBuckets(guild_core, guild_core * BURST_MINUTES)
        # Here it may be one burst at the end of a minute and one at its beginning, so only more is too much.
        self._on_all_shards = _LeakyBuckets(limits.user_images_per_minute, 2.0 * limits.user_burst)
        self.on_use: Callable[[int, QuotaTime], None] = lambda _user_id, _used: None
        self._burst = limits.user_burst
        self._seconds = MINUTE * limits.user_burst / limits.user_images_per_minute
        self._buckets: dict[tuple[int, float], commands.CooldownMapping[Hashable]] = {}

    def take(
        self,
        user_id: int,
        images: int,
        *,
        guild_id: int | None = None,
        settings: GuildSettings | None = None,
    ) -> Grant:
        """Take `images`, or as many as are left, from what the person and the server have.

        While earlier images have taken too much of the processor, it is none.
        """
        now = _now()
        if in_debt := self._in_debt(user_id, guild_id, images, now):
            return in_debt
        limits = self._limits(user_id, guild_id, settings)
        is_owners = limits[0].key == (None, user_id)
        if is_owners and (wait := self._on_all_shards.wait(user_id, now)):
            return Grant(0, images, _moment(now, wait))
        buckets = [self._bucket(limit, now) for limit in limits]
        left = [bucket.get_tokens(now) for bucket in buckets]
        granted = min(images, *left)
        if granted:
            for bucket in buckets:
                bucket.update_rate_limit(now, tokens=granted)
            if is_owners:
                self.on_use(user_id, QuotaTime(images=self._on_all_shards.seconds(granted)))
        if granted == images:
            return Grant(images)
        least = left.index(min(left))
        until = _moment(now, buckets[least].get_retry_after(now))
        return Grant(granted, images - granted, until, shared=limits[least].key == guild_id)

    def charge(self, user_id: int, guild_id: int | None, core_seconds: float) -> None:
        """Count the processor time of an image that was looked at, whether or not it could be named."""
        now = _now()
        self._of_users.charge(user_id, core_seconds, now)
        self.on_use(user_id, QuotaTime(core=self._of_users.seconds(core_seconds)))
        if guild_id is not None:
            self._of_guilds.charge(guild_id, core_seconds, now)

    def used_elsewhere(self, user_id: int, used: QuotaTime) -> None:
        """Note what a person has used of the owner's limits on all shards, this one's among them."""
        now = _now()
        self._on_all_shards.fill(user_id, used.images, now)
        self._of_users.fill(user_id, used.core, now)

    def take_unlimited(self, user_id: int, images: int, *, guild_id: int) -> Grant:
        """Take `images` for somebody whose images a server does not count; the processor's time counts."""
        now = _now()
        return self._in_debt(user_id, guild_id, images, now) or Grant(images)

    def _in_debt(self, user_id: int, guild_id: int | None, images: int, now: float) -> Grant | None:
        """Return the refusal of somebody whose earlier images have taken too much, None for all others."""
        own = self._of_users.wait(user_id, now)
        shared = self._of_guilds.wait(guild_id, now) if guild_id is not None else 0.0
        if not (own or shared):
            return None
        return Grant(0, images, _moment(now, max(own, shared)), shared=shared > own)

    def _limits(self, user_id: int, guild_id: int | None, settings: GuildSettings | None) -> list[_Limit]:
        found = [_Limit((None, user_id), self._burst, self._seconds)]
        if guild_id is not None and settings is not None:
            if settings.member_per_minute is not None:
                found = [_Limit((guild_id, user_id), settings.member_per_minute)]
            if settings.guild_per_minute is not None:
                found.append(_Limit(guild_id, settings.guild_per_minute))
        return found

    def _bucket(self, limit: _Limit, now: float) -> app_commands.Cooldown:
        kind = limit.images, limit.seconds
        if kind not in self._buckets:
            self._buckets[kind] = commands.CooldownMapping.from_cooldown(*kind, lambda key: key)
        bucket = self._buckets[kind].get_bucket(limit.key, now)
        if bucket is None:
            raise RuntimeError("a cooldown mapping made from a cooldown always has a bucket")
        return bucket


def _now() -> float:
    return discord.utils.utcnow().timestamp()


def _moment(now: float, seconds: float) -> datetime.datetime:
    """Return the moment so many seconds, and at least one, after `now`, which is a POSIX timestamp."""
    return datetime.datetime.fromtimestamp(now + max(1.0, seconds), datetime.UTC)
