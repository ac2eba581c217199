"""The part of `whatsit doctor` that looks into the store: can it be used, and what did the bot note there?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import discord

from bot.cli.check_results import CheckResult, Level
from bot.connection.request_brake import NO_COURTESIES
from bot.store import GuildSettings, Store, StoreError
from bot.store.bot_notes import Refusals
from bot.store.location import locate
from bot.store.shard_holders import ShardHolders, shard_holders
from config.settings import Settings

OF_LATE = timedelta(days=1)
"""So long ago Discord may have refused something that an owner still wants to hear of."""


async def check_store(settings: Settings) -> AsyncIterator[CheckResult]:
    """Say what is wrong with the store, or what was noted; nothing where no bot has run yet."""
    file = locate(settings.store, settings.data).file
    if file is not None and not await asyncio.to_thread(file.exists):
        return
    try:
        store = await Store.open(settings.store, settings.data, guild_defaults=GuildSettings())
        try:
            refusals = await store.notes.refusals()
        finally:
            await store.close()
    except StoreError as error:
        yield CheckResult(Level.FAIL, "The store cannot be used.", str(error))
        return
    yield CheckResult(Level.OK, "The store can be used.")
    if refusals is not None and discord.utils.utcnow() - refusals.until < OF_LATE:
        yield _refused(refusals)
    if file is None:
        for finding in _shards(await shard_holders(locate(settings.store, settings.data))):
            yield finding


def _shards(holders: ShardHolders) -> Iterator[CheckResult]:
    """Say who has which shard; nothing where none is held: the bot is one process, or does not run."""
    if not holders.total:
        return
    held = ", ".join(f"{number} by {process}" for number, process in sorted(holders.held.items()))
    free = [str(number) for number in range(holders.total) if number not in holders.held]
    what = f"Of {holders.total} shards are held: {held}. Spares: {holders.spares}."
    if free:
        yield CheckResult(
            Level.NOTE,
            f"{what} Nobody has {', '.join(free)}.",
            "Start more processes with --shards: one for each shard, and a spare.",
        )
    else:
        yield CheckResult(Level.OK, what)


def _refused(refusals: Refusals) -> CheckResult:
    total = sum(refusals.counts.values())
    statuses = ", ".join(f"{times} times {status}" for status, times in refusals.counts.items())
    what = (
        f"Discord refused {total:,} of the bot's requests ({statuses}) in the ten minutes until "
        f"{refusals.until:%Y-%m-%d %H:%M} UTC."
    )
    if total < NO_COURTESIES:
        return CheckResult(Level.OK, what)
    return CheckResult(
        Level.NOTE,
        what,
        "At 10,000 it bans this address, so the bot holds back what it can. 403 means that it lacks "
        "permissions somewhere (the log names the channels), 429 that it asks too often, 401 that the token "
        "is refused.",
    )
