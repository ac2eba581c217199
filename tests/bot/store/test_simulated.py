"""A bot with a store settles in the simulated Discord, and time that passes there passes for the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from simcord.env import Env

from bot.store import GuildSettings, Store
from tests.bot.store.conftest import Place


class Keeper(discord.Client):
    """Accepts every message, and answers those that say so."""

    store: Store

    def __init__(self, place: Place) -> None:
        super().__init__(intents=discord.Intents.all())
        self.place = place

    async def setup_hook(self) -> None:
        self.store = await Store.open(self.place.store, self.place.data, guild_defaults=GuildSettings())

    async def on_message(self, message: discord.Message) -> None:
        if message.guild is None or message.author == self.user:
            return
        where: dict[str, Any] = {"channel_id": message.channel.id, "guild_id": message.guild.id}
        where["user_id"] = message.author.id
        self.store.seen.saw(message.guild.id, message.channel.id, message.id)
        await self.store.work.accept_message(message_id=message.id, **where)
        await self.store.work.accept_interaction(
            interaction_id=message.id,
            application_id=1,
            token="t",  # noqa: S106 - none
            images=[],
            options={},
            **where,
        )
        if "answer" in message.content:
            reply = await message.reply("yes")
            await self.store.work.answered(message.id, answer_id=reply.id, **where)

    async def close(self) -> None:
        await super().close()
        await self.store.close()


@pytest.fixture
def simcord_bot(sqlite_place: Place) -> Keeper:
    return Keeper(sqlite_place)


@pytest.fixture
async def env(simcord_env: Env) -> AsyncIterator[Env]:
    yield simcord_env
    await simcord_env.bot.close()


async def test_a_bot_with_a_store_settles_and_keeps_what_it_was_told(env: Env, sqlite_place: Place) -> None:
    guild = env.create_guild("g")
    channel = guild.create_text_channel("c")
    alice = guild.add_member(env.create_user("alice"))
    await env.settle()
    answered = await alice.send(channel, "please answer")
    ignored = await alice.send(channel, "nothing")
    assert await sqlite_place.rows("SELECT source_id FROM answer") == [(answered.id,)]
    assert await sqlite_place.rows("SELECT message_id FROM open_message") == [(ignored.id,)]
    await env.advance_time(40)
    assert await sqlite_place.rows("SELECT message_id FROM cursor") == [(ignored.id,)]
    assert len(await sqlite_place.rows("SELECT * FROM open_interaction")) == 2
    await env.advance_time(15 * 60)
    assert await sqlite_place.rows("SELECT * FROM open_interaction") == []
    await env.advance_time(24 * 60 * 60 * 2)
    assert await sqlite_place.rows("SELECT * FROM cursor") == []
