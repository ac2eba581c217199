"""Count the requests that Discord refuses, and stop asking before Discord bans this machine for it.

Discord bans an address that makes 10,000 invalid requests in ten minutes: 401, 403 and 429
(https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from enum import IntEnum
from http import HTTPStatus

import aiohttp

log = logging.getLogger(__name__)

WINDOW = 600.0
"""Seconds over which refusals are counted, as Discord does."""
NO_COURTESIES, ONLY_INTERACTIONS = 1_000, 3_000
"""Refusals from which on some requests are no longer made; they leave room for other bots of this address."""
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_COURTESY = re.compile(r"/channels/\d+/(typing|messages/\d+/reactions/.*)$")
_INTERACTION = re.compile(r"/(interactions|webhooks)/\d+/")
"""These requests carry a token of their own: a refusal says nothing of the bot's."""


class RequestHeld(aiohttp.ClientError):
    """A request is not made, since Discord would refuse it, or has refused too many."""


class _Hold(IntEnum):
    NOTHING = 0
    COURTESIES = 1
    ALL_BUT_INTERACTIONS = 2


class RequestBrake:
    """Knows how often Discord refused the bot of late, and which requests may be made now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._clock = clock
        self._refused: deque[tuple[float, int]] = deque()
        self._hold = _Hold.NOTHING
        self.token_refused = asyncio.Event()
        """Set once Discord has refused the bot's token: from then on no request is made."""

    def check(self, path: str) -> None:
        """Let a request to this path of the API pass. Raises `RequestHeld`."""
        if self.token_refused.is_set():
            raise RequestHeld("Discord has refused the bot's token.")
        hold = self._update()
        if _INTERACTION.search(path) or hold is _Hold.NOTHING:
            return
        if hold is _Hold.ALL_BUT_INTERACTIONS or _COURTESY.search(path):
            raise RequestHeld(f"Discord has refused {len(self._refused)} requests in ten minutes.")

    def answered(self, path: str, status: int, *, shared: bool = False) -> bool:
        """Note how a request was answered; return whether it was refused.

        `shared`: it met a limit that others used up, which Discord does not hold against the bot.
        """
        if status not in REFUSALS or shared:
            return False
        self._refused.append((self._clock(), status))
        if status == HTTPStatus.UNAUTHORIZED and not _INTERACTION.search(path):
            self.token_refused.set()
        self._update()
        return True

    def counts(self) -> dict[str, int]:
        """Return how often each status was answered in the last ten minutes."""
        self._update()
        return {str(status): times for status, times in sorted(Counter(s for _, s in self._refused).items())}

    def _update(self) -> _Hold:
        begin = self._clock() - WINDOW
        while self._refused and self._refused[0][0] < begin:
            self._refused.popleft()
        number = len(self._refused)
        hold = _Hold((number >= NO_COURTESIES) + (number >= ONLY_INTERACTIONS))
        if hold is not self._hold:
            before, self._hold = self._hold, hold
            self._tell(number, rising=hold > before)
        return hold

    def _tell(self, number: int, *, rising: bool) -> None:
        effect = {
            _Hold.NOTHING: "all requests are made again",
            _Hold.COURTESIES: "typing indicators and reactions are not sent",
            _Hold.ALL_BUT_INTERACTIONS: "only commands and buttons are answered",
        }[self._hold]
        statuses = Counter(status for _, status in self._refused)
        log.log(
            logging.WARNING if rising else logging.INFO,
            "Discord has refused %d requests in ten minutes (%s): %s. At 10,000 it would ban this address.%s",
            number,
            ", ".join(f"{status}: {times}" for status, times in sorted(statuses.items())) or "none",
            effect,
            " Look for channels where the bot lacks permissions." if rising else "",
        )
