"""How many images one person may ask for, and when that person may ask again."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import discord
from discord.ext import commands

from bot.i18n import Language
from config.settings import Limits

__all__ = ["Grant", "Quota"]


@dataclass(frozen=True, slots=True)
class Grant:
    """How many of the images asked for may be looked at now.

    Where these are not all, `until` says when the next ones may come, and `first` that this person has not
    been told so yet.
    """

    images: int
    refused: int = 0
    until: datetime.datetime | None = None
    first: bool = False

    def line(self, language: Language) -> str:
        """What to tell the person; empty if all is granted."""
        if self.until is None:
            return ""
        # Discord shows the time in each reader's own words: "in 40 seconds".
        when = discord.utils.format_dt(self.until, "R")
        if not self.images:
            return language.gettext(
                "That's as many images as I can take from you for now. More {when}, with pleasure."
            ).format(when=when)
        return language.ngettext(
            "{refused} more image was over your limit. I can take it {when}.",
            "{refused} more images were over your limit. I can take them {when}.",
            self.refused,
        ).format(refused=self.refused, when=when)


class Quota:
    """`user_burst` images at once, and as many again after the time they take at `user_images_per_minute`."""

    def __init__(self, limits: Limits) -> None:
        window = 60.0 * limits.user_burst / limits.user_images_per_minute
        self._people: commands.CooldownMapping[int] = commands.CooldownMapping.from_cooldown(
            limits.user_burst, window, lambda user_id: user_id
        )
        self._told: dict[int, float] = {}

    def take(self, user_id: int, images: int) -> Grant:
        """Take `images` (or as many as are left) from what this person has."""
        now = discord.utils.utcnow().timestamp()
        bucket = self._people.get_bucket(user_id, now)
        if bucket is None:
            raise RuntimeError("a cooldown mapping made from a cooldown always has a bucket")
        granted = min(images, bucket.get_tokens(now))
        if granted:
            bucket.update_rate_limit(now, tokens=granted)
        if granted == images:
            return Grant(images)
        until = now + max(1.0, bucket.get_retry_after(now))
        when = datetime.datetime.fromtimestamp(until, datetime.UTC)
        return Grant(granted, images - granted, when, first=self._first(user_id, now, until))

    def _first(self, user_id: int, now: float, until: float) -> bool:
        self._told = {person: end for person, end in self._told.items() if now < end}
        first = user_id not in self._told
        self._told.setdefault(user_id, until)
        return first
