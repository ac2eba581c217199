"""Remember where Discord refused the bot, so that it does not ask there again and again."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Container
from http import HTTPStatus

from bot.connection.request_brake import RequestHeld
from bot.erasable_memory import ErasableMemory

log = logging.getLogger(__name__)

NOT_THE_CHANNELS = frozenset({50003, 50005, 50007, 50278, 90001, 200000, 200001, 240000})
"""Refusals that are about one message or one person: a closed direct message, the message of somebody else, a
reaction to somebody who has blocked the bot, a text that a filter of the server does not let through."""
UNEXPLAINED = 600.0
"""Seconds for which a refusal holds that has no code of Discord's: it may come from what is in between."""
_REQUEST = re.compile(r"/channels/(?P<channel>\d+)(/(?P<kind>[a-z]+)(/\d+)?(/(?P<part>[a-z]+))?)?")


class ChannelClosed(RequestHeld):
    """A request is not made, since the channel has refused such a one before."""


class ClosedChannels(ErasableMemory):
    """Channels that answered 403 to a kind of request, until their permissions change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds."""
        self._clock = clock
        self._closed: dict[int, dict[str, float]] = {}

    def check(self, method: str, path: str) -> None:
        """Let a request to this path of the API pass. Raises `ChannelClosed`."""
        channel_id, kind = _kind(method, path)
        if self._is_closed(channel_id, kind):
            raise ChannelClosed(f"The channel {channel_id} has refused this before ({kind}).")

    def answered(self, method: str, path: str, status: int, code: int | None) -> None:
        """Note how a request was answered; `code` is Discord's own, where it told one."""
        channel_id, kind = _kind(method, path)
        if status != HTTPStatus.FORBIDDEN or not channel_id or code in NOT_THE_CHANNELS:
            return
        until = math.inf if code else self._clock() + UNEXPLAINED
        self._closed.setdefault(channel_id, {})[kind] = until
        log.warning(
            "The channel %d refuses the bot (%s, code %s); this is not tried again there %s.",
            channel_id,
            kind,
            code or "unknown",
            "until its permissions change" if code else "for ten minutes",
        )

    def takes_messages(self, channel_id: int) -> bool:
        """Return whether the channel has not refused to take messages."""
        return not self._is_closed(channel_id, "POST messages")

    def reopen(self, channel_ids: Container[int]) -> None:
        """Note that permissions may have changed in these channels."""
        self._closed = {known: kinds for known, kinds in self._closed.items() if known not in channel_ids}

    def forget_channel(self, channel_id: int) -> None:
        """Forget a channel that is deleted."""
        self._closed.pop(channel_id, None)

    def _is_closed(self, channel_id: int, kind: str) -> bool:
        return self._closed.get(channel_id, {}).get(kind, -math.inf) > self._clock()


def _kind(method: str, path: str) -> tuple[int, str]:
    """Return the channel of a request, 0 for none, and what it asks there ("PUT messages reactions")."""
    match = _REQUEST.search(path)
    if match is None:
        return 0, method
    return int(match["channel"]), " ".join(filter(None, (method, match["kind"], match["part"])))
