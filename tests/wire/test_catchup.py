"""What was posted, or deleted, while the bot was away: looked for after a start and after a lost session."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.client import Whatsit
from bot.cogs import catch_up
from bot.cogs.catch_up import CatchUpCog
from bot.store import StoreUnavailable
from tests.wire.bots import SlowModel, online, settings_for
from tests.wire.modes import each_server
from tests.wire.wire import Wire
from tests.wire.world import PATIENCE, THREAD, Payload, snowflake

PICTURE = ("cat.png", b"\x89PNG and so on")
MESSAGES = r"/channels/\d+/messages"


async def settled(wire: Wire, bot: Whatsit) -> None:
    """Wait until the bot has caught up with everything.

    A discord.py that is closed before it says that it is ready says so later, to nobody.
    """
    cog = bot.get_cog("CatchUpCog")
    assert isinstance(cog, CatchUpCog)
    await wire.world.until(lambda: not cog.is_behind)


def answered(wire: Wire, channel: str | None = None) -> Counter[str]:
    """How often each message was answered."""
    return wire.world.answered(channel)


def read(wire: Wire) -> list[str]:
    """The channels whose history was asked for."""
    return [request.path.split("/")[2] for request in wire.world.sent("GET", MESSAGES)]


async def been_online(wire: Wire, data: Path) -> None:
    """The bot was there before, and has read what there is."""
    async with online(wire, data=data) as bot:
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    wire.world.requests.clear()


@each_server
async def test_what_was_posted_while_it_was_away_is_answered_once(wire: Wire, tmp_path: Path) -> None:
    thread = wire.world.add_channel("aside", kind=THREAD)
    wire.world.channels[thread] |= _thread_of(wire.world.general)
    await been_online(wire, tmp_path)
    sent = await wire.post(PICTURE)
    aside = await wire.post(PICTURE, channel=thread)
    await wire.post(content="no picture")
    for _ in range(2):
        async with online(wire, data=tmp_path) as bot:
            await settled(wire, bot)
        wire.gateway.sessions.clear()
    assert answered(wire) == Counter([sent["id"]])
    assert answered(wire, thread) == Counter([aside["id"]])


@each_server
@pytest.mark.parametrize("pictures", [0, 1])
async def test_a_picture_added_by_an_edit_while_it_was_away_is_answered_once(
    wire: Wire, tmp_path: Path, pictures: int
) -> None:
    async with online(wire, data=tmp_path) as bot:
        message = await wire.post(*[PICTURE] * pictures, content="wait for it")
        await wire.world.until(lambda: answered(wire).total() == pictures)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    attachments = [*message["attachments"], wire.attachment(wire.world.general, *PICTURE)]
    await wire.edit(message, attachments=attachments, edited_timestamp=discord.utils.utcnow().isoformat())
    for _ in range(2):
        async with online(wire, data=tmp_path) as bot:
            await settled(wire, bot)
        wire.gateway.sessions.clear()
    assert answered(wire) == Counter([message["id"]])
    assert len(wire.world.answers()[0]["embeds"]) == pictures + 1


async def test_words_edited_while_it_was_away_are_no_new_picture(wire: Wire, tmp_path: Path) -> None:
    async with online(wire, data=tmp_path) as bot:
        message = await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    wire.world.requests.clear()
    await wire.edit(message, content="my cat", edited_timestamp=discord.utils.utcnow().isoformat())
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire) == Counter([message["id"]])
    assert wire.world.sent("PATCH", MESSAGES + r"/\d+") == []


async def test_only_channels_where_something_was_posted_of_late_are_looked_through(
    wire: Wire, tmp_path: Path
) -> None:
    quiet, old = wire.world.add_channel("quiet"), wire.world.add_channel("old")
    await wire.post(content="long ago", channel=old, ago=700)
    async with online(wire, data=tmp_path) as bot:
        await wire.post(content="hello", channel=quiet)
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    wire.world.requests.clear()
    lively = wire.world.add_channel("lively")
    await wire.post(content="hello", channel=lively)
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    # What was read already may have been edited or deleted meanwhile; of that READY tells nothing.
    assert sorted(read(wire)) == sorted([lively, quiet, wire.world.general])
    assert all(int(r.query["limit"]) <= 100 for r in wire.world.sent("GET", MESSAGES))


async def test_it_looks_back_ten_minutes_and_a_hundred_messages(wire: Wire, tmp_path: Path) -> None:
    other = wire.world.add_channel("other")
    await been_online(wire, tmp_path)
    await wire.post(PICTURE, ago=610)
    within = await wire.post(PICTURE, ago=500)
    await wire.post(PICTURE, channel=other)
    last = [await wire.post(PICTURE, channel=other, author=_member(n)) for n in range(100)]
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire) == Counter([within["id"]])
    assert answered(wire, other) == Counter(message["id"] for message in last)
    assert wire.world.reactions == []


async def test_with_a_look_back_of_nothing_it_looks_for_nothing(wire: Wire, tmp_path: Path) -> None:
    await been_online(wire, tmp_path)
    await wire.post(PICTURE)
    async with online(wire, data=tmp_path, settings=settings_for(wire, watch={"catch_up": 0})) as bot:
        await settled(wire, bot)
    assert read(wire) == []
    assert wire.world.answers() == []


@each_server
async def test_a_picture_deleted_while_it_was_away_takes_its_answer_with_it(
    wire: Wire, tmp_path: Path
) -> None:
    async with online(wire, data=tmp_path) as bot:
        gone, stays = await wire.post(PICTURE), await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 2)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    await wire.delete(gone)
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire) == Counter([stays["id"]])


@each_server
async def test_of_merged_answers_only_that_of_the_deleted_picture_goes(wire: Wire, tmp_path: Path) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model, data=tmp_path) as bot:
        sent = [await wire.post(PICTURE) for _ in range(12)]
        await wire.cdn.until_asked(12)
        model.open()
        await wire.world.until(lambda: wire.world.answered().total() == 12)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    assert len(wire.world.answers()) < 12
    await wire.delete(sent[-1])
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert wire.world.answered() == Counter(message["id"] for message in sent[:-1])


@each_server
async def test_a_picture_answered_by_an_earlier_run_takes_its_answer_with_it(
    wire: Wire, tmp_path: Path
) -> None:
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        one, two, three = [await wire.post(PICTURE) for _ in range(3)]
        await wire.world.until(lambda: len(wire.world.answers()) == 3)
    wire.gateway.sessions.clear()
    async with online(wire, data=tmp_path):
        await wire.delete(one)
        await wire.purge(two)
        await wire.world.until(lambda: len(wire.world.answers()) == 1)
    assert answered(wire) == Counter([three["id"]])


@each_server
async def test_a_session_that_cannot_be_resumed_is_caught_up_with(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with online(wire, data=tmp_path) as bot:
        monkeypatch.setattr(bot, "before_identify_hook", _at_once)  # discord.py waits 5 s
        before = await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await settled(wire, bot)
        await wire.gateway.invalidate()
        missed = await wire.post(PICTURE)  # no session hears of it
        await wire.world.until(lambda: wire.gateway.ready)
        after = await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 3)
        await settled(wire, bot)
    assert answered(wire) == Counter([before["id"], missed["id"], after["id"]])


async def test_work_in_hand_is_not_begun_again_when_the_session_is_lost(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model, data=tmp_path) as bot:
        monkeypatch.setattr(bot, "before_identify_hook", _at_once)
        message = await wire.post(PICTURE)
        interaction = await wire.slash("classify", PICTURE)
        await wire.cdn.until_asked(2)
        await wire.gateway.invalidate()
        await wire.world.until(lambda: wire.gateway.ready)
        await settled(wire, bot)
        model.open()
        await wire.world.until(lambda: wire.world.sent("PATCH", r"/webhooks/.*"))
        await wire.world.until(lambda: len(wire.world.sent("POST", MESSAGES)) == 1)
    assert model.begun == 2
    assert len(interaction.message_ids) == 1
    assert len([a for a in wire.world.answers() if "message_reference" in a]) == 1
    assert wire.world.sent("POST", MESSAGES)[0].body["message_reference"]["message_id"] == int(message["id"])


async def test_what_a_resumed_session_replays_is_answered_though_it_is_older_than_a_minute(
    wire: Wire, tmp_path: Path
) -> None:
    settings = settings_for(wire, watch={"late_after": 5})
    async with online(wire, data=tmp_path, settings=settings) as bot:
        await settled(wire, bot)
        await wire.gateway.drop()
        message = await wire.post(PICTURE, ago=30)
        await wire.world.until(wire.world.answers)
        await settled(wire, bot)
    assert wire.gateway.sessions[0].resumes == 1
    assert answered(wire) == Counter([message["id"]])


async def test_an_answer_that_discord_would_not_take_is_tried_again_after_the_next_start(
    wire: Wire, tmp_path: Path
) -> None:
    wire.world.fail("POST", MESSAGES, 503, times=100)
    async with online(wire, data=tmp_path) as bot:
        message = await wire.post(PICTURE)
        await wire.world.until(lambda: wire.world.sent("POST", MESSAGES))
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    wire.world.faults.clear()
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire) == Counter([message["id"]])


@each_server
async def test_a_server_that_becomes_available_late_loses_no_picture(wire: Wire, tmp_path: Path) -> None:
    await been_online(wire, tmp_path)
    before = await wire.post(PICTURE)
    wire.gateway.guild_is_late = True
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        assert answered(wire) == Counter()
        await wire.gateway.emit("GUILD_CREATE", wire.world.guild())
        after = await wire.post(PICTURE)  # which alone would move the cursor past the one before
        await wire.world.until(lambda: len(answered(wire)) == 2)
    assert answered(wire) == Counter([before["id"], after["id"]])


@each_server
async def test_a_picture_deleted_before_its_server_becomes_available_takes_its_answer_with_it(
    wire: Wire, tmp_path: Path
) -> None:
    async with online(wire, data=tmp_path) as bot:
        gone, stays = await wire.post(PICTURE), await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 2)
        await settled(wire, bot)
    wire.gateway.sessions.clear()
    wire.gateway.guild_is_late = True
    await wire.delete(gone)
    async with online(wire, data=tmp_path) as bot:
        (new,) = await _late(wire, bot, pictures=1)
        assert answered(wire) == Counter([gone["id"], stays["id"]])
        await wire.gateway.recover()
        await wire.world.until(lambda: answered(wire) == Counter([stays["id"], new["id"]]))
        await wire.gateway.recover()
        await settled(wire, bot)
    assert answered(wire) == Counter([stays["id"], new["id"]])


@pytest.mark.parametrize("read", ["work.messages_since", "seen.of", "answers.since"])
async def test_a_late_server_whose_rows_the_store_cannot_read_is_looked_at_again(
    wire: Wire,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    read: str,
) -> None:
    monkeypatch.setattr(catch_up, "STORE_AGAIN", 0.05)
    await been_online(wire, tmp_path)
    wire.gateway.guild_is_late = True
    async with online(wire, data=tmp_path) as bot:
        missed = await _late(wire, bot)
        part, _, name = read.partition(".")
        rows, fails = getattr(bot.store, part), iter([True])
        really = getattr(rows, name)

        async def fails_once(*args: Any) -> Any:
            if next(fails, False):
                raise StoreUnavailable("The disk is full.")
            return await really(*args)

        monkeypatch.setattr(rows, name, fails_once)
        await wire.gateway.recover()
        await wire.world.until(lambda: answered(wire).total() >= 3)
        await settled(wire, bot)
    assert answered(wire) == Counter(message["id"] for message in missed)
    assert [r.getMessage() for r in caplog.records if r.name == "bot.cogs.catch_up"] == [
        "What was missed could not be looked up in the store; tried again in 0.05 s. The disk is full."
    ]


async def test_what_was_posted_during_an_outage_of_a_server_is_answered_once(
    wire: Wire, tmp_path: Path
) -> None:
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        for number in (1, 2):
            await wire.gateway.emit("GUILD_DELETE", {"id": wire.world.guild_id, "unavailable": True})
            wire.world.add_message(
                wire.world.general,
                wire.world.person,
                attachments=[wire.attachment(wire.world.general, *PICTURE)],
            )
            await wire.gateway.emit("GUILD_CREATE", wire.world.guild())
            await wire.world.until(partial(_are_answered, wire, number))
    assert set(answered(wire).values()) == {1}


async def test_a_server_that_removed_it_while_it_was_away_is_erased(wire: Wire, tmp_path: Path) -> None:
    here, hidden, left = int(wire.world.guild_id), int(snowflake()), int(snowflake())
    wire.world.hidden_guilds.append(str(hidden))
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        for guild_id in (here, hidden, left):  # now, or the first start would erase one already
            await bot.store.guilds.update(guild_id, {"top": 5})
    wire.gateway.sessions.clear()
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        async with asyncio.timeout(PATIENCE):
            while await bot.store.guild_ids() != {here, hidden}:  # noqa: ASYNC110 - nothing tells us when
                await asyncio.sleep(0.05)
        assert (await bot.store.guilds.get(left)).top == 3
        assert (await bot.store.guilds.get(hidden)).top == 5


async def test_told_to_stop_it_leaves_what_it_cannot_finish_to_the_next_start(
    wire: Wire, tmp_path: Path
) -> None:
    async with online(wire, SlowModel(60), data=tmp_path) as bot:
        await settled(wire, bot)
        in_hand = await wire.post(PICTURE)
        await wire.cdn.until_asked()
        stopping = asyncio.create_task(bot.work_in_hand.finish(0.3))
        await asyncio.sleep(0.05)
        refused = await wire.post(PICTURE)
        assert await stopping == 1
    wire.gateway.sessions.clear()
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire) == Counter([in_hand["id"], refused["id"]])


async def test_a_history_that_cannot_be_read_costs_the_other_channels_nothing(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = wire.world.add_channel("other")
    await been_online(wire, tmp_path)
    await wire.post(PICTURE)
    elsewhere = await wire.post(PICTURE, channel=other)
    wire.world.fail("GET", rf"/channels/{wire.world.general}/messages", 404, times=9)
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert answered(wire, other) == Counter([elsewhere["id"]])
    assert [r.levelname for r in caplog.records if r.name == "bot.cogs.catch_up"] == ["WARNING"]


async def test_a_rate_limit_on_reading_is_waited_for(wire: Wire, tmp_path: Path) -> None:
    await been_online(wire, tmp_path)
    message = await wire.post(PICTURE)
    wire.world.limit("GET", MESSAGES, 0.2)
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
    assert [r.status for r in wire.world.sent("GET", MESSAGES)] == [429, 200]
    assert answered(wire) == Counter([message["id"]])


async def test_a_store_that_fails_silences_nobody(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("The disk is full.")

    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        for part, name in (
            (bot.store.work, "accept_message"),
            (bot.store.work, "accept_interaction"),
            (bot.store.work, "know_response"),
            (bot.store.work, "strike_message"),
            (bot.store.work, "strike_interaction"),
            (bot.store.work, "answered"),
            (bot.store.answers, "to"),
        ):
            monkeypatch.setattr(part, name, fails)
        message = await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        interaction = await wire.slash("classify", PICTURE)
        await wire.world.until(lambda: wire.world.sent("PATCH", r"/webhooks/.*"))
        await wire.delete(message)
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.sent("POST", MESSAGES)) == 2)
    assert len(interaction.message_ids) == 1
    assert [r.getMessage() for r in caplog.records if r.name.startswith("bot.")] == [
        "Until the store works again, a crash may forget pictures. The disk is full."
    ]


async def _late(wire: Wire, bot: Whatsit, *, pictures: int = 3) -> list[Payload]:
    """Post pictures that nobody hears of, since the server is not available; return their messages."""
    await settled(wire, bot)
    return [
        wire.world.add_message(
            wire.world.general, wire.world.person, attachments=[wire.attachment(wire.world.general, *PICTURE)]
        )
        for _ in range(pictures)
    ]


async def test_a_server_that_becomes_available_twice_is_answered_once(wire: Wire, tmp_path: Path) -> None:
    await been_online(wire, tmp_path)
    wire.gateway.guild_is_late = True
    async with online(wire, data=tmp_path) as bot:
        missed = await _late(wire, bot)
        await wire.gateway.recover()
        await wire.gateway.recover()
        await wire.world.until(lambda: answered(wire).total() >= 3)
        await settled(wire, bot)
    assert answered(wire) == Counter(message["id"] for message in missed)


async def test_of_a_server_that_never_becomes_available_nothing_counts_as_read(
    wire: Wire, tmp_path: Path
) -> None:
    await been_online(wire, tmp_path)
    wire.gateway.guild_is_late = True
    async with online(wire, data=tmp_path) as bot:
        missed = await _late(wire, bot)
        heard = await wire.post(PICTURE)
        await wire.world.until(lambda: answered(wire).total() == 1)
    wire.gateway.sessions.clear()
    wire.gateway.guild_is_late = False
    async with online(wire, data=tmp_path) as bot:
        await wire.world.until(lambda: answered(wire).total() >= 4)
        await settled(wire, bot)
    assert answered(wire) == Counter(message["id"] for message in [*missed, heard])


async def test_a_history_that_could_not_be_read_is_read_after_the_next_start(
    wire: Wire, tmp_path: Path
) -> None:
    await been_online(wire, tmp_path)
    missed = await wire.post(PICTURE)
    fault = wire.world.fail("GET", MESSAGES, 404, times=9)
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        heard = await wire.post(PICTURE)
        await wire.world.until(lambda: answered(wire).total() == 1)
    wire.gateway.sessions.clear()
    fault.times = 0
    async with online(wire, data=tmp_path) as bot:
        await settled(wire, bot)
        await wire.world.until(lambda: answered(wire).total() >= 2)
    assert answered(wire) == Counter([missed["id"], heard["id"]])


def _are_answered(wire: Wire, number: int) -> bool:
    return len(answered(wire)) == number


async def _at_once(shard_id: int | None, *, initial: bool = False) -> None:
    pass


def _member(number: int) -> Payload:
    """One of many, so that nobody is over the limit."""
    return {"id": str(10**17 + number), "username": f"m{number}", "discriminator": "0", "avatar": None}


def _thread_of(channel: str) -> Payload:
    metadata = {
        "archived": False,
        "auto_archive_duration": 60,
        "archive_timestamp": "2024-01-01T00:00:00+00:00",
        "locked": False,
    }
    return {
        "parent_id": channel,
        "owner_id": "1",
        "thread_metadata": metadata,
        "message_count": 0,
        "member_count": 1,
    }
