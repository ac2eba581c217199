"""The part of `whatsit doctor` that asks Discord: token, clock, intents, permissions and commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import discord
from yarl import URL

from bot.cli.check_results import CheckResult, Level
from bot.cli.invite import PERMISSIONS, application_id
from bot.connection import server
from bot.connection.discord_clock import TOLERATED, DiscordClock
from bot.connection.http_watch import HttpWatch
from bot.connection.intents import MESSAGE_CONTENT_OFF, message_content_allowed
from bot.connection.login import token, where_tokens_are
from config.settings import ConfigError, Settings

PATIENCE = 20.0
"""Seconds for all that is asked of Discord."""
SERVERS = 20
"""Whose channels are looked through: two requests each."""
WRITTEN = frozenset({discord.ChannelType.text.value, discord.ChannelType.news.value})


async def check_discord(settings: Settings) -> AsyncIterator[CheckResult]:
    """Yield what Discord says of this token; without a network only the token's shape is checked."""
    try:
        given = token(settings)
        place, rest_proxy = server.Server.of(settings.discord), server.rest_proxy_of(settings.discord)
        if place is None:
            application_id(given)
    except ConfigError as error:
        yield CheckResult(Level.FAIL, "The bot cannot log in.", str(error))
        return
    yield CheckResult(Level.OK, "There is a token.")
    name = "Discord" if place is None else str(place.api.host)
    try:
        watch = HttpWatch()
        async with asyncio.timeout(PATIENCE), _logged_in(given, place, watch, rest_proxy) as client:
            yield CheckResult(Level.OK, f"{name} knows it: this is {client.user}.")
            guilds = await _guilds(client)
            found = [*_clock(watch.clock), *_permissions(guilds)]
            if place is None:  # a Discord-compatible server has neither flags of applications nor commands
                found += [_intents(client, settings), *await _commands(client)]
            if all(guild.get("permissions") for guild in guilds):
                found += await _channels(client, guilds)
            for finding in found:
                yield finding
    except discord.LoginFailure:
        yield CheckResult(
            Level.FAIL,
            f"{name} refuses the token.",
            f"Make a new one at {where_tokens_are(settings.discord)}.",
        )
    except (aiohttp.ClientError, OSError, TimeoutError, discord.HTTPException) as error:
        yield CheckResult(
            Level.NOTE,
            f"{name} did not answer, so the rest was not checked: {error or type(error).__name__}.",
            "Check this machine's network, and try again.",
        )


def _clock(clock: DiscordClock) -> Iterator[CheckResult]:
    """Compare this machine's clock with Discord's; yield nothing if no answer was dated."""
    ahead = clock.ahead
    if ahead is None:
        return
    if abs(ahead) <= TOLERATED:
        yield CheckResult(Level.OK, "This machine's clock agrees with Discord's.")
        return
    yield CheckResult(
        Level.NOTE,
        f"This machine's clock is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} Discord's.",
        "The bot allows for it when it tells which answers come too late, and how far back to look for what "
        "it missed. Have it set by the network all the same (`timedatectl set-ntp true`).",
    )


@asynccontextmanager
async def _logged_in(
    given: str, place: server.Server | None, watch: HttpWatch, rest_proxy: URL | None
) -> AsyncIterator[discord.Client]:
    client = discord.Client(intents=discord.Intents.none(), http_trace=watch.trace())
    try:
        await server.log_in(client, place, partial(client.login, given), rest_proxy)
        yield client
    finally:
        await client.close()
        server.use(None)


def _intents(client: discord.Client, settings: Settings) -> CheckResult:
    if message_content_allowed(client.application_flags):
        return CheckResult(Level.OK, "Message Content Intent is switched on.")
    if settings.watch.channels == ():
        return CheckResult(
            Level.OK, "Message Content Intent is switched off, and not needed: no channel is watched."
        )
    return CheckResult(Level.NOTE, "Message Content Intent is switched off.", MESSAGE_CONTENT_OFF)


def _permissions(guilds: Sequence[Mapping[str, Any]]) -> list[CheckResult]:
    """Return each server where the bot's roles lack something; the log tells what single channels forbid."""
    if not guilds:
        return [
            CheckResult(
                Level.NOTE, "The bot is on no server yet.", "Open the link that `whatsit invite` prints."
            )
        ]
    if any(guild.get("permissions") is None for guild in guilds):
        return [
            CheckResult(
                Level.NOTE,
                "The server does not tell what the bot may do, so its permissions were not checked.",
                "Where one is missing, the log of `whatsit run` says so.",
            )
        ]
    lacking = [
        CheckResult(
            Level.NOTE,
            f"On {guild['name']} the bot may not: {', '.join(missing)}.",
            "Give its role these permissions, or invite it again with the link of `whatsit invite`.",
        )
        for guild in guilds
        if (missing := list(_missing(discord.Permissions(int(guild["permissions"])))))
    ]
    return lacking or [CheckResult(Level.OK, f"It has every permission it needs on {len(guilds)} server(s).")]


async def _channels(client: discord.Client, guilds: Sequence[Mapping[str, Any]]) -> list[CheckResult]:
    """Return those of the first `SERVERS` servers where the bot may write in no channel."""
    me = client.user.id if client.user else 0
    found = []
    for guild in guilds[:SERVERS]:
        granted = discord.Permissions(int(guild["permissions"]))
        if granted.administrator:
            continue
        member = await client.http.get_member(int(guild["id"]), me)
        roles = [str(role) for role in member["roles"]]
        channels: list[Any] = list(await client.http.get_all_guild_channels(int(guild["id"])))
        written = [channel for channel in channels if channel["type"] in WRITTEN]
        order = ([guild["id"]], roles, [str(me)])
        if written and not any(_may_write(granted, channel, order) for channel in written):
            found.append(
                CheckResult(
                    Level.NOTE,
                    f"On {guild['name']} the bot may write in no channel.",
                    "Give its role View Channel and Send Messages in at least one.",
                )
            )
    return found


def _may_write(granted: discord.Permissions, channel: Mapping[str, Any], order: Sequence[list[str]]) -> bool:
    """Tell whether the bot may write in a channel; `order` are the ids that overwrite each other in turn."""
    here = discord.Permissions(granted.value)
    overwrites = {each["id"]: each for each in channel["permission_overwrites"]}
    for ids in order:
        allow = deny = 0
        for each in (overwrites[name] for name in ids if name in overwrites):
            allow, deny = allow | int(each["allow"]), deny | int(each["deny"])
        here.handle_overwrite(allow, deny)
    return here.view_channel and here.send_messages


async def _guilds(client: discord.Client) -> list[dict[str, Any]]:
    """Return all of the bot's servers, with the `permissions` that discord.py drops."""
    page_size, found = 200, list[dict[str, Any]]()
    while True:
        after = int(found[-1]["id"]) if found else None
        page = await client.http.get_guilds(page_size, after=after, with_counts=False)
        found += page  # type: ignore[arg-type] # discord.py's TypedDict
        if len(page) < page_size:
            return found


def _missing(has: discord.Permissions) -> Iterator[str]:
    if not has.administrator:
        yield from (
            name.replace("_", " ") for name, needed in PERMISSIONS if needed and not getattr(has, name)
        )


async def _commands(client: discord.Client) -> list[CheckResult]:
    commands = await client.http.get_global_commands(client.application_id or 0)
    if not commands:
        return [
            CheckResult(Level.NOTE, "Discord has no commands of the bot yet.", "`whatsit run` sends them.")
        ]
    return [
        CheckResult(
            Level.OK, f"Discord has its commands: {', '.join(command['name'] for command in commands)}."
        )
    ]
