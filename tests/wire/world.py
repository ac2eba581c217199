"""What exists on the stub, and every request it was sent."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire.shards import ShardOf, id_of_shard

__all__ = [
    "TOKEN",
    "Fault",
    "Interaction",
    "Payload",
    "Request",
    "World",
    "json_response",
    "new_user",
    "snowflake",
]

Payload = dict[str, Any]

TOKEN = "wire.test.token"  # noqa: S105 - of no account anywhere
EVERYTHING = "1125899906842623"
DISCORD_EPOCH_MS = 1_420_070_400_000
DM, GROUP, THREAD = 1, 3, 11
"""Types of channels: https://discord.com/developers/docs/resources/channel#channel-object-channel-types"""
MESSAGE_CONTENT_FLAG = 1 << 19
"""GATEWAY_MESSAGE_CONTENT_LIMITED"""
ANY = "*"
"""Requests of every method."""
PATIENCE = 60.0
"""Seconds a test waits for something that is bound to happen, before it fails."""

_counter = itertools.count()


def snowflake(ago: float = 0.0) -> str:
    """A new id, of `ago` seconds before now."""
    return str((int((time.time() - ago) * 1000) - DISCORD_EPOCH_MS) << 22 | next(_counter) % (1 << 22))


def json_response(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON without a charset, as Discord sends it: discord.py takes anything else for text."""
    headers = {"Content-Type": "application/json"} | dict(headers or {})
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


@dataclass(frozen=True)
class Request:
    """One request the stub was sent. `path` is without the API's prefix; `body` is JSON, or None."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: list[tuple[str, bytes]]
    authorization: str | None
    at: float
    status: int


@dataclass
class Fault:
    """The next `times` requests that match are answered with `status` instead.

    `applied`: the request takes effect all the same, and only its answer is lost.
    """

    method: str
    path: re.Pattern[str]
    status: int
    times: int = 1
    body: Payload | None = None
    headers: dict[str, str] = field(default_factory=dict)
    applied: bool = False

    def response(self) -> web.Response:
        """The answer of a server in trouble."""
        if self.body is None:
            return web.Response(status=self.status, headers=self.headers, text="<html>trouble</html>")
        return json_response(self.body, status=self.status, headers=self.headers)


@dataclass
class Pace:
    """Discord's rate limit: of the requests that match, `count` in `seconds`; what comes beyond is a 429.

    `is_global`: the limit of all requests of a bot together, whichever process makes them.
    """

    method: str
    path: re.Pattern[str]
    count: int
    seconds: float
    is_global: bool = False
    refused: int = 0
    _taken: list[float] = field(default_factory=list)

    def refusal(self) -> Fault | None:
        """Count one request; what it is refused with, if it is one too many."""
        now = time.monotonic()
        self._taken = [at for at in self._taken if now - at < self.seconds]
        if len(self._taken) < self.count:
            self._taken.append(now)
            return None
        self.refused += 1
        return limited(self.method, self.path, self._taken[0] + self.seconds - now, is_global=self.is_global)


def limited(
    method: str, path: re.Pattern[str], seconds: float, *, times: int = 1, is_global: bool = False
) -> Fault:
    """A 429, as Discord sends it."""
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": is_global}
    headers = {"Retry-After": str(seconds), "Via": "1.1 google"}
    if is_global:
        headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
    return Fault(method, path, 429, times, body, headers)


@dataclass
class Interaction:
    """A slash command, menu or button, and what was answered to it."""

    id: str
    token: str
    channel_id: str
    payload: Payload
    callback: Payload | None = None
    message_ids: list[str] = field(default_factory=list)
    """The original response first, then the follow-ups."""
    expired: bool = False
    """Discord takes a token for 15 minutes; a test need not wait for them."""


class World:
    """One server with one text channel, one person, and the bot; and all that is added to it."""

    def __init__(self) -> None:
        self.bot = new_user("Whatsit", bot=True)
        self.person = new_user("Ada")
        self.token = TOKEN
        self.flags = MESSAGE_CONTENT_FLAG
        self.guild_id = snowflake()
        self.hidden_guilds: list[str] = []
        """Ids of other servers that the bot is on, which an outage hides."""
        self.added_guilds: list[str] = []
        """Ids of other servers that the bot is on."""
        self.role: Payload = {
            "id": self.guild_id,
            "name": "@everyone",
            "color": 0,
            "hoist": False,
            "position": 0,
            "permissions": EVERYTHING,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }
        self.channels: dict[str, Payload] = {}
        self.messages: dict[str, dict[str, Payload]] = {}
        self.reactions: list[tuple[str, str]] = []
        """(message id, emoji) of each reaction of the bot that stands."""
        self.interactions: dict[str, Interaction] = {}
        self.commands: list[Payload] = []
        self.requests: list[Request] = []
        self.unknown: list[str] = []
        """Requests for which the stub has no route: a test that meets one has found a gap in the stub."""
        self.faults: list[Fault] = []
        self.paces: list[Pace] = []
        self.nonces: dict[tuple[str, str], str] = {}
        self.general = self.add_channel("general")
        self._changed = asyncio.Event()

    @property
    def application_id(self) -> str:
        """As on Discord today, the application's id is its bot's."""
        return str(self.bot["id"])

    def add_channel(self, name: str, *, kind: int = 0) -> str:
        """A new channel of the server; `kind` is Discord's channel type. Returns its id."""
        channel: Payload = {
            "id": snowflake(),
            "type": kind,
            "guild_id": self.guild_id,
            "name": name,
            "position": len(self.channels),
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
        }
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return str(channel["id"])

    def add_guild(self, shard: tuple[int, int] = (0, 1)) -> str:
        """Another server that the bot is on, of this shard; return the id of its only channel."""
        guild_id = id_of_shard(snowflake(), ShardOf(*shard))
        self.added_guilds.append(guild_id)
        channel = {**self.channels[self.general], "id": snowflake(), "guild_id": guild_id}
        self.channels[channel["id"]] = channel | {"last_message_id": None}
        self.messages[channel["id"]] = {}
        return str(channel["id"])

    def dm(self, user: Payload) -> str:
        """The direct-message channel between the bot and `user`; opened if there is none."""
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user["id"]:
                return str(channel["id"])
        channel = {"id": snowflake(), "type": DM, "recipients": [user], "last_message_id": None}
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return str(channel["id"])

    def group(self) -> str:
        """A group of people the bot is no member of; opened if there is none."""
        for channel in self.channels.values():
            if channel["type"] == GROUP:
                return str(channel["id"])
        others = [self.person, new_user("Grace")]
        channel = {
            "id": snowflake(),
            "type": GROUP,
            "recipients": others,
            "last_message_id": None,
            "name": "Us",
        }
        channel |= {"owner_id": self.person["id"], "icon": None}
        self.channels[channel["id"]] = channel
        self.messages[channel["id"]] = {}
        return str(channel["id"])

    def guilds(self) -> Iterator[Payload]:
        """The body of GUILD_CREATE of each server that the bot is on and no outage hides."""
        yield self.guild()
        channels: dict[str, list[Payload]] = defaultdict(list)
        for channel in self.channels.values():
            channels[channel.get("guild_id", "")].append(channel)
        common = self.guild()
        for guild_id in self.added_guilds:
            role = {**self.role, "id": guild_id}
            yield {**common, "id": guild_id, "roles": [role], "channels": channels[guild_id], "threads": []}

    def guild(self) -> Payload:
        """The body of GUILD_CREATE of the first server."""
        return {
            "id": self.guild_id,
            "name": "Wire",
            "icon": None,
            "splash": None,
            "owner_id": self.person["id"],
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "roles": [self.role],
            "emojis": [],
            "stickers": [],
            "features": [],
            "mfa_level": 0,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "preferred_locale": "en-US",
            "premium_tier": 0,
            "nsfw_level": 0,
            "premium_progress_bar_enabled": False,
            "joined_at": "2024-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "member_count": 2,
            "voice_states": [],
            "members": [self.member(self.bot)],
            "channels": [
                channel
                for channel in self.channels.values()
                if channel["type"] not in (DM, GROUP, THREAD) and channel["guild_id"] == self.guild_id
            ],
            "threads": [channel for channel in self.channels.values() if channel["type"] == THREAD],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def other_guild(self) -> Payload:
        """The body of GUILD_CREATE for another server that the bot is on, with a channel of its own."""
        guild_id = self.hidden_guilds[0] if self.hidden_guilds else snowflake()
        channel = {**self.channels[self.general], "id": snowflake(), "guild_id": guild_id}
        role = {**self.role, "id": guild_id}
        return {**self.guild(), "id": guild_id, "roles": [role], "channels": [channel], "threads": []}

    def member(self, user: Payload) -> Payload:
        """`user` as a member of the server."""
        return {
            "user": user,
            "nick": None,
            "roles": [],
            "joined_at": "2024-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def add_message(self, channel_id: str, author: Payload, *, ago: float = 0.0, **parts: Any) -> Payload:
        """A new message; `parts` are further fields of it. Returns the message as REST shows it."""
        message: Payload = {
            "id": snowflake(ago),
            "channel_id": channel_id,
            "type": 0,
            "content": "",
            "author": author,
            "attachments": [],
            "embeds": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "timestamp": "2024-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "flags": 0,
            "components": [],
        } | parts
        self.messages[channel_id][message["id"]] = message
        self.channels[channel_id]["last_message_id"] = message["id"]
        return message

    def answered(self, channel_id: str | None = None) -> Counter[str]:
        """How often each message was answered in a channel: by a reply, or by its part of a merged answer."""
        return Counter(
            message_id for answer in self.answers(channel_id) for message_id in self.sources(answer)
        )

    @staticmethod
    def sources(answer: Payload) -> list[str]:
        """The ids of the messages that an answer is to."""
        if reference := answer.get("message_reference"):
            return [str(reference["message_id"])]
        links = {str(embed.get("author", {}).get("url")) for embed in answer["embeds"]} - {"None"}
        return [link.split("/")[-1] for link in links]

    def answers(self, channel_id: str | None = None) -> list[Payload]:
        """The bot's own messages that stand in a channel (default: the first), oldest first."""
        messages = self.messages[channel_id or self.general].values()
        return [message for message in messages if message["author"]["id"] == self.bot["id"]]

    def sent(self, method: str, pattern: str) -> list[Request]:
        """All requests so far whose path matches `pattern` as a whole."""
        return [r for r in self.requests if r.method == method and re.fullmatch(pattern, r.path)]

    def fail(self, method: str, pattern: str, status: int, **parts: Any) -> Fault:
        """Plan a `Fault`; see there for `parts`."""
        fault = Fault(method, re.compile(pattern), status, **parts)
        self.faults.append(fault)
        return fault

    def limit(self, method: str, pattern: str, seconds: float, *, times: int = 1) -> Fault:
        """Plan a 429."""
        fault = limited(method, re.compile(pattern), seconds, times=times)
        self.faults.append(fault)
        return fault

    def pace(self, method: str, pattern: str, count: int, seconds: float) -> Pace:
        """From now on refuse what comes faster."""
        pace = Pace(method, re.compile(pattern), count, seconds)
        self.paces.append(pace)
        return pace

    def pace_globally(self, count: int = 50, seconds: float = 1.0) -> Pace:
        """From now on hold all requests together to a limit, but those with an interaction's token."""
        pace = Pace(ANY, re.compile(r"(?!/interactions/|/webhooks/).*"), count, seconds, is_global=True)
        self.paces.append(pace)
        return pace

    def changed(self) -> None:
        """Something happened that a test may be waiting for."""
        self._changed.set()

    async def until(self, holds: Callable[[], Any], *, patience: float = PATIENCE) -> None:
        """Wait until `holds()`; a test that waits too long fails with what was asked so far."""
        try:
            async with asyncio.timeout(patience):
                while not holds():
                    self._changed.clear()
                    with suppress(TimeoutError):  # what a test waits for may also be a line in the log
                        await asyncio.wait_for(self._changed.wait(), 0.05)
        except TimeoutError:
            asked = "\n".join(f"{r.status} {r.method} {r.path} {r.body}" for r in self.requests)
            raise AssertionError(f"this did not happen; what was asked:\n{asked}") from None


def new_user(name: str, *, bot: bool = False) -> Payload:
    return {
        "id": snowflake(),
        "username": name,
        "global_name": name,
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
        "public_flags": 0,
        "flags": 0,
    }
