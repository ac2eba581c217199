"""With a server, a channel or a thread goes what is kept of it, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle

from bot.cogs.erasing import ErasingCog
from bot.store import GuildSettings, StoreUnavailable
from tests.bot.moderation import moderator, settings
from tests.world import World, picture

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_server_that_is_left_is_forgotten(world: World) -> None:
    mod = moderator(world)
    await mod.slash(world.channel, "settings what", top=9)
    await world.bot.store.answers.add(
        source_ids=[1], answer_id=2, channel_id=3, guild_id=world.guild.id, user_id=4
    )
    world.env.backend.remove_guild(world.guild.id)
    await world.env.settle()
    assert await settings(world) == GuildSettings()
    assert list(await world.bot.store.answers.to([1])) == []


async def test_a_server_that_is_only_out_of_reach_is_not(world: World) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    world.env.backend.emit("GUILD_DELETE", {"id": str(world.guild.id), "unavailable": True})
    await world.env.settle()
    assert (await settings(world)).top == 9


async def remember(world: World, channel: ChannelHandle) -> None:
    """An answer, open work of both kinds, and how far the channel was read."""
    where: Any = {"channel_id": channel.id, "guild_id": world.guild.id, "user_id": world.alice.id}
    store = world.bot.store
    await store.answers.add(source_ids=[channel.id], answer_id=2**62 + channel.id, **where)
    await store.work.accept_message(message_id=channel.id, **where)
    await store.work.accept_interaction(
        interaction_id=channel.id,
        application_id=1,
        token="t",  # noqa: S106 - none
        images=[],
        options={},
        **where,
    )
    store.seen.saw(world.guild.id, channel.id, channel.id)
    await store.seen.flush()


async def remembered(world: World) -> dict[str, set[int | None]]:
    """The channels that each part of the store knows."""
    store = world.bot.store
    return {
        "answers": {answer.channel_id for answer in await store.answers.since(2**62)},
        "messages": {row.channel_id for row in await store.work.messages_since(LONG_AGO)},
        "interactions": {row.channel_id for row in await store.work.interactions()},
        "seen": {*await store.seen.of(world.guild.id)},
    }


def everywhere(*channels: ChannelHandle) -> dict[str, set[int]]:
    return {
        part: {channel.id for channel in channels} for part in ("answers", "messages", "interactions", "seen")
    }


async def test_a_deleted_channel_and_its_threads_are_forgotten_and_no_other(world: World) -> None:
    gone = world.guild.create_text_channel("gone")
    thread = world.thread(gone)
    await world.env.settle()
    chosen = {"where": "only", "channels": [gone.id, world.channel.id], "top": 9}
    await world.bot.store.guilds.update(world.guild.id, chosen)
    for channel in (gone, thread, world.channel):
        await remember(world, channel)
    assert await remembered(world) == everywhere(gone, thread, world.channel)
    world.env.backend.delete_channel(gone.id)
    await world.env.settle()
    assert await remembered(world) == everywhere(world.channel)
    assert await settings(world) == GuildSettings(where="only", channels=(world.channel.id,), top=9)


async def test_a_deleted_thread_is_forgotten_and_its_channel_is_not(world: World) -> None:
    thread = world.thread(world.channel)
    await world.bot.store.guilds.update(world.guild.id, {"channels": [world.channel.id]})
    await remember(world, thread)
    await remember(world, world.channel)
    world.env.backend.delete_channel(thread.id)
    await world.env.settle()
    assert await remembered(world) == everywhere(world.channel)
    assert (await settings(world)).channels == (world.channel.id,)


async def post_in_vain(world: World, channel: ChannelHandle) -> None:
    """Alice posts a picture in a channel that is gone before it is answered."""
    files = world.stored(picture(), channel=channel)
    world.env.backend.create_message(channel.id, world.alice.id, attachments=files)
    await world.env.settle()


async def test_a_picture_in_work_does_not_bring_a_deleted_channel_back(world: World) -> None:
    gone = world.guild.create_text_channel("gone")

    async def delete(_: bytes) -> None:
        world.env.backend.delete_channel(gone.id)
        await asyncio.sleep(0.1)

    world.classifier.meanwhile = delete
    await post_in_vain(world, gone)
    assert world.classifier.asked
    assert await world.bot.store.seen.of(world.guild.id) == {}
    assert list(await world.bot.store.work.messages_since(LONG_AGO)) == []


async def test_a_picture_in_work_does_not_bring_a_left_server_back(world: World) -> None:
    async def remove(_: bytes) -> None:
        world.env.backend.remove_guild(world.guild.id)
        await asyncio.sleep(0.1)

    world.classifier.meanwhile = remove
    await post_in_vain(world, world.channel)
    assert world.classifier.asked
    assert await world.bot.store.guild_ids() == set()


async def test_servers_of_other_shards_are_none_of_this_ones_business(world: World) -> None:
    servers = {number << 22 for number in range(1, 7)}
    for server in servers:
        await world.bot.store.guilds.update(server, {"top": 5})
    world.bot.shard_id, world.bot.shard_count = 1, 3
    erasing = world.bot.get_cog("ErasingCog")
    assert isinstance(erasing, ErasingCog)
    await erasing.on_ready()
    kept = await world.bot.store.guild_ids() - {world.guild.id}
    assert kept == {number << 22 for number in (2, 3, 5, 6)}


# A server's data may be kept for a while after the bot has left.

KEEPS = pytest.mark.whatsit(privacy={"keep_days": 3})


async def chosen(world: World) -> int:
    """How many guesses the server wants to see, which somebody has changed."""
    return (await world.bot.store.guilds.get(world.guild.id)).top


async def leave(world: World) -> None:
    world.env.backend.remove_guild(world.guild.id)
    await world.env.settle()


def later(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    """From now on the erasing cog's clock is ahead."""
    now = discord.utils.utcnow() + timedelta(**by)
    monkeypatch.setattr("bot.cogs.erasing.discord.utils.utcnow", lambda: now)


async def wake(world: World) -> None:
    """The time has come at which the cog looks again."""
    cog = world.bot.get_cog("ErasingCog")
    assert isinstance(cog, ErasingCog)
    await cog._erase_again()


@KEEPS
async def test_a_server_may_be_kept_until_its_days_are_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    await leave(world)
    later(monkeypatch, days=2, hours=23)
    await wake(world)
    assert await chosen(world) == 9
    later(monkeypatch, days=3, hours=1)
    await wake(world)
    assert await chosen(world) == 3
    assert await world.bot.store.guild_ids() == set()


@KEEPS
async def test_a_server_that_takes_the_bot_back_in_time_finds_everything_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    await leave(world)
    world.bot.dispatch("guild_join", discord.Object(world.guild.id))
    await world.env.settle()
    later(monkeypatch, days=30)
    await wake(world)
    assert await chosen(world) == 9
    assert await world.bot.store.departures.all() == {}


@KEEPS
@pytest.mark.parametrize(("days", "top"), [(2.9, 9), (3.1, 3)])
async def test_the_days_go_on_across_restarts(
    world: World, monkeypatch: pytest.MonkeyPatch, days: float, top: int
) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    await leave(world)
    await world.restart(privacy={"keep_days": 3})
    assert await chosen(world) == 9
    later(monkeypatch, days=days)
    await world.restart(privacy={"keep_days": 3})
    assert await chosen(world) == top


@KEEPS
async def test_of_a_server_that_was_left_while_the_bot_was_away_the_days_begin_when_it_sees_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = world.guild.id + 1
    await world.bot.store.guilds.update(gone, {"top": 9})
    await world.restart(privacy={"keep_days": 3})
    assert (await world.bot.store.guilds.get(gone)).top == 9
    later(monkeypatch, days=3.1)
    await wake(world)
    assert (await world.bot.store.guilds.get(gone)).top == 3


@KEEPS
async def test_a_server_that_took_the_bot_back_while_it_was_away_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    await world.bot.store.departures.note(world.guild.id)
    later(monkeypatch, days=30)
    await world.restart(privacy={"keep_days": 3})
    assert await chosen(world) == 9
    assert await world.bot.store.departures.all() == {}


@KEEPS
async def test_an_owner_who_keeps_nothing_any_more_has_what_was_kept_erased(world: World) -> None:
    await moderator(world).slash(world.channel, "settings what", top=9)
    await leave(world)
    await world.restart()
    assert await chosen(world) == 3


@KEEPS
async def test_a_server_that_was_left_is_not_caught_up_with(world: World) -> None:
    store = world.bot.store
    store.seen.saw(world.guild.id, world.channel.id, 5)
    await store.seen.flush()
    await leave(world)
    assert await store.seen.of(world.guild.id) == {}


async def test_what_cannot_be_erased_is_said_to_the_owner(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    gone = world.guild.create_text_channel("gone")
    await world.env.settle()
    monkeypatch.setattr(world.bot.store, "erase_channel", fails)
    world.env.backend.delete_channel(gone.id)
    await world.env.settle()
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert said == [f"What is known of the channel {gone.id} could not be erased. The disk is full."]
