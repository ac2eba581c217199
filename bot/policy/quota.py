"""Count how many images a person, and a server, may ask for, and when there may be more."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from dataclasses import dataclass

import discord
from discord import app_commands
from discord.ext import commands

from bot.i18n import Language
from bot.store import GuildSettings
from config.settings import Limits

__all__ = ["Grant", "Quota"]

MINUTE = 60.0


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


class Quota:
    """Limits each person, wherever they ask, by the owner's limit; in servers that set their own, by theirs.

    The owner's: `user_burst` images at once, and as many again after the time they take at
    `user_images_per_minute`. A server's: so many in a minute.
    """

    def __init__(self, limits: Limits) -> None:
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
        """Take `images`, or as many as are left, from what the person and the server have."""
        limits = self._limits(user_id, guild_id, settings)
        now = discord.utils.utcnow().timestamp()
        buckets = [self._bucket(limit, now) for limit in limits]
        left = [bucket.get_tokens(now) for bucket in buckets]
        granted = min(images, *left)
        if granted:
            for bucket in buckets:
                bucket.update_rate_limit(now, tokens=granted)
        if granted == images:
            return Grant(images)
        least = left.index(min(left))
        until = now + max(1.0, buckets[least].get_retry_after(now))
        when = datetime.datetime.fromtimestamp(until, datetime.UTC)
        return Grant(granted, images - granted, when, shared=limits[least].key == guild_id)

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
