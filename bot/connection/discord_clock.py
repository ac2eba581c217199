"""Tell by how much this machine's clock is ahead of Discord's, from the dates of Discord's answers."""

from __future__ import annotations

import datetime
import logging
from collections import deque
from email.utils import parsedate_to_datetime

import discord

log = logging.getLogger(__name__)

TOLERATED = 5.0
"""Seconds that the clocks may differ: so long may an answer have been on its way."""
SAMPLES = 5


class DiscordClock:
    """Both clocks. Lateness is counted between them: Discord dates a message, this machine its answer."""

    def __init__(self) -> None:
        self._samples: deque[float] = deque(maxlen=SAMPLES)
        self._is_off = False

    @property
    def ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead, negative if it is behind; None if not known."""
        return min(self._samples, key=abs, default=None)  # the others took longer on their way

    def dated(self, date: str | None) -> None:
        """Take in the `Date` of an answer that has just come."""
        try:
            sent = parsedate_to_datetime(date or "")
        except ValueError:
            return
        # A date is cut to whole seconds.
        self._samples.append((discord.utils.utcnow() - sent).total_seconds() - 0.5)
        ahead = self.ahead or 0.0
        if self._is_off != (abs(ahead) > TOLERATED):
            self._is_off = not self._is_off
            if self._is_off:
                log.warning(
                    "This machine's clock is %.0f s %s Discord's. That is allowed for; have it set by the "
                    "network all the same (`timedatectl set-ntp true`).",
                    abs(ahead),
                    "ahead of" if ahead > 0 else "behind",
                )
            else:
                log.info("This machine's clock agrees with Discord's again.")

    def here(self, moment: datetime.datetime) -> datetime.datetime:
        """Return what this machine's clock showed, or will show, at a moment of Discord's clock."""
        return moment + self._correction()

    def there(self, moment: datetime.datetime) -> datetime.datetime:
        """Return what Discord's clock showed, or will show, at a moment of this machine's clock."""
        return moment - self._correction()

    def _correction(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=(self.ahead or 0.0) if self._is_off else 0.0)
