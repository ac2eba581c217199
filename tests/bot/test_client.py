"""What the client promises its cogs: work in hand is finished before the bot leaves."""

from __future__ import annotations

import asyncio
from typing import cast

import discord
import pytest

from bot import intents
from bot.client import Whatsit
from bot.download import Fetcher
from bot.store import Store
from config.settings import Settings
from inference.serving.client import Classifier


@pytest.fixture
def bot() -> Whatsit:
    """A bot that is never connected."""
    return Whatsit(Settings(), cast("Classifier", None), cast("Fetcher", None), cast("Store", None))


async def test_work_in_hand_is_waited_for(bot: Whatsit) -> None:
    done = asyncio.Event()

    async def work() -> None:
        with bot.in_hand(), bot.in_hand():
            await asyncio.sleep(0.01)
            done.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await bot.finish(within=10) == 0
    assert done.is_set()
    await task


async def test_what_takes_longer_is_cancelled_and_counted(bot: Whatsit) -> None:
    async def work() -> None:
        with bot.in_hand():
            await asyncio.sleep(600)

    tasks = [asyncio.create_task(work()) for _ in range(3)]
    await asyncio.sleep(0)
    assert await bot.finish(within=0.01) == 3
    assert all(task.cancelled() for task in tasks)


async def test_work_that_fails_is_finished_too(bot: Whatsit) -> None:
    async def work() -> None:
        with bot.in_hand():
            await asyncio.sleep(0.01)
            raise ZeroDivisionError

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    assert await bot.finish(within=10) == 0
    with pytest.raises(ZeroDivisionError):
        await task


async def test_while_it_finishes_cogs_know(bot: Whatsit) -> None:
    known: list[bool] = []

    async def work() -> None:
        with bot.in_hand():
            known.append(bot.stopping)
            await asyncio.sleep(0.01)
            known.append(bot.stopping)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await bot.finish(within=10)
    await task
    assert known == [False, True]


async def test_idle_it_need_not_wait(bot: Whatsit) -> None:
    assert await bot.finish(within=600) == 0


def test_in_hand_is_for_tasks(bot: Whatsit) -> None:
    with pytest.raises(RuntimeError), bot.in_hand():
        pytest.fail("there is no task to wait for")


def test_only_what_is_needed_is_asked_for(bot: Whatsit) -> None:
    assert {name for name, on in bot.intents if on} == {
        "guilds",
        "guild_messages",
        "guild_reactions",
        "dm_messages",
        "message_content",
    }
    assert not intents.wanted(message_content=False).message_content


@pytest.mark.parametrize(
    ("flags", "allowed"),
    [
        (discord.ApplicationFlags(), False),
        (discord.ApplicationFlags(gateway_presence=True, gateway_guild_members=True), False),
        (discord.ApplicationFlags(gateway_message_content=True), True),
        (discord.ApplicationFlags(gateway_message_content_limited=True), True),
    ],
)
def test_either_flag_allows_message_content(flags: discord.ApplicationFlags, allowed: bool) -> None:
    assert intents.message_content_allowed(flags) is allowed


def test_nothing_is_mentioned_and_no_message_kept(bot: Whatsit) -> None:
    assert bot.allowed_mentions is not None
    assert dict(bot.allowed_mentions.to_dict()) == {"parse": []}
    assert list(bot.cached_messages) == []
