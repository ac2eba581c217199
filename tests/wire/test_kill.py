"""`kill -9` in the middle of the work, and a new start: no picture is forgotten, none answered twice."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import discord
import pytest

from bot.cogs.catch_up import AT_ONCE
from tests.wire.bots import LABEL, NOISE
from tests.wire.forks import Fork, forked
from tests.wire.modes import each_server
from tests.wire.rest import LOADING
from tests.wire.wire import Wire
from tests.wire.world import Interaction, Payload

RUNS = 2
PICTURE = ("cat.png", b"\x89PNG and so on")
IMAGES = 20
MESSAGES = r"/channels/\d+/messages"
ADMINISTRATOR, READ_MESSAGE_HISTORY = 1 << 3, 1 << 16


@asynccontextmanager
async def running(
    wire: Wire, data: Path, seconds: float = 0.0, *, one_by_one: bool = False
) -> AsyncIterator[Fork]:
    """A bot, once it is connected. Discord has forgotten what it knew of nonces since the last one."""
    wire.world.nonces.clear()
    wire.gateway.sessions.clear()
    async with forked(wire, data, {}, seconds=seconds, one_by_one=one_by_one) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        yield bot


async def kill(bot: Fork) -> None:
    """`kill -9`, and its end."""
    bot.kill()
    await bot.ended()


def answered(wire: Wire, channel: str | None = None) -> Counter[str]:
    """How often each message was answered."""
    return wire.world.answered(channel)


@each_server
@pytest.mark.parametrize("run", range(RUNS))
async def test_twenty_images_are_each_answered_once(wire: Wire, tmp_path: Path, run: int) -> None:
    chance = random.Random(run)  # noqa: S311 - no secret
    other = wire.world.add_channel("other")
    async with running(wire, tmp_path, 0.05, one_by_one=True) as bot:
        sent = [await wire.post(PICTURE, channel=chance.choice([None, other])) for _ in range(IMAGES)]
        await asyncio.sleep(chance.uniform(0.0, 0.05 * IMAGES))
        await kill(bot)
    before = (answered(wire) + answered(wire, other)).total()
    async with running(wire, tmp_path):
        await wire.world.until(lambda: (answered(wire) + answered(wire, other)).total() >= IMAGES)
        await asyncio.sleep(0.3)  # time for one too many
    print(f"run {run}: killed after {before} of {IMAGES} answers")
    assert answered(wire) + answered(wire, other) == Counter(message["id"] for message in sent)


@each_server
async def test_an_answer_that_was_sent_but_not_written_down_is_not_sent_again(
    wire: Wire, tmp_path: Path
) -> None:
    wire.world.fail("POST", MESSAGES, 502, applied=True, times=100)
    async with running(wire, tmp_path) as bot:
        message = await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await kill(bot)
    wire.world.faults.clear()
    async with running(wire, tmp_path):
        await wire.world.until(lambda: rows(tmp_path, "open_message") == 0)
        assert answered(wire) == Counter([message["id"]])
        await wire.delete(message)  # it is known by now whose answer that was
        await wire.world.until(lambda: not answered(wire))


@each_server
async def test_an_open_message_is_found_behind_many_others(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        message = await wire.post(PICTURE)
        await wire.cdn.until_asked()
        await kill(bot)
    for _ in range(60):
        await wire.post(content="hello")
    async with running(wire, tmp_path):
        await wire.world.until(wire.world.answers)
    assert answered(wire) == Counter([message["id"]])


@each_server
async def test_a_direct_message_is_answered_after_all(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        message = await wire.post_dm(PICTURE)
        await wire.cdn.until_asked()
        await kill(bot)
    async with running(wire, tmp_path):
        await wire.world.until(lambda: wire.world.answers(message["channel_id"]))
    assert answered(wire, message["channel_id"]) == Counter([message["id"]])


@each_server
async def test_a_message_deleted_meanwhile_is_struck_out_without_a_word(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        gone, stays = await wire.post(PICTURE), await wire.post(PICTURE)
        await wire.cdn.until_asked(2)
        await kill(bot)
    await wire.delete(gone)
    asked = rf"/channels/\d+/messages/{gone['id']}"
    async with running(wire, tmp_path) as bot:
        await wire.world.until(wire.world.answers)
        await wire.world.until(lambda: wire.world.sent("GET", asked))
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 2)
        await kill(bot)
    async with running(wire, tmp_path) as bot:
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 3)
    assert answered(wire)[stays["id"]] == 1
    assert answered(wire)[gone["id"]] == 0
    assert len(wire.world.sent("GET", asked)) == 1


@each_server
async def test_where_history_is_closed_nothing_is_answered_twice(wire: Wire, tmp_path: Path) -> None:
    granted = int(wire.world.role["permissions"]) & ~ADMINISTRATOR & ~READ_MESSAGE_HISTORY
    wire.world.role["permissions"] = str(granted)
    wire.world.fail("POST", MESSAGES, 502, applied=True, times=100)
    async with running(wire, tmp_path) as bot:
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        await kill(bot)
    wire.world.faults.clear()
    async with running(wire, tmp_path):
        dm = await wire.post_dm(PICTURE)
        await wire.world.until(lambda: wire.world.answers(dm["channel_id"]))
        await wire.world.until(lambda: rows(tmp_path, "open_message") == 0)
    assert len(wire.world.answers()) == 1
    assert "message_reference" not in wire.world.answers()[0]
    assert wire.world.sent("GET", rf"/channels/{wire.world.general}/messages.*") == []


async def test_interactions_are_each_answered_where_they_wait(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        menu_of = await wire.post(PICTURE, author=wire.world.bot)
        asked = [
            await wire.slash("classify", PICTURE, top=1),
            await wire.slash("classify", PICTURE, PICTURE, private=True),
            await wire.slash("classify", PICTURE, where="dm"),
            await wire.slash("classify", PICTURE, where="group"),
            await wire.menu("What's in this picture?", menu_of),
        ]
        by_dm = await wire.slash("classify", PICTURE, dm=True)
        await wire.cdn.until_asked(7)
        await wire.world.until(lambda: all(one.message_ids for one in [*asked, by_dm]))
        await kill(bot)
    before = len(wire.world.requests)
    assert len(asked) > AT_ONCE
    async with running(wire, tmp_path):
        await wire.world.until(lambda: all(LABEL in str(response(wire, one)) for one in asked))
        await wire.world.until(lambda: "Sent to your DMs" in str(response(wire, by_dm)))
    (direct,) = wire.world.answers(wire.world.dm(wire.world.person))[-1:]
    assert LABEL in str(direct)
    for one in [*asked, by_dm]:
        assert len(one.message_ids) == 1
        edits = [r for r in wire.world.requests[before:] if r.method == "PATCH" and one.token in r.path]
        assert len(edits) == 1
    assert [path for path in wire.world.requests[before:] if "/callback" in path.path] == []


@pytest.mark.parametrize("way", ["command", "menu", "press"])
async def test_a_response_that_was_just_deferred_does_not_wait_for_ever(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async with running(wire, tmp_path) as bot:
        answer = await _answered(wire)
        changed = wire.world.changed

        def kill_at_the_defer() -> None:
            changed()
            if wire.world.sent("POST", r"/interactions/.*/callback"):
                bot.kill()

        monkeypatch.setattr(wire.world, "changed", kill_at_the_defer)
        match way:
            case "command":
                interaction = await wire.slash("classify", PICTURE)
            case "menu":
                interaction = await wire.menu("What's in this picture?", answer["referenced_message"])
            case _:
                interaction = await wire.press("whatsit:pic:dm:", answer)
        await wire.world.until(lambda: interaction.message_ids and not wire.gateway.ready)
    monkeypatch.setattr(wire.world, "changed", changed)
    assert response(wire, interaction) is None
    async with running(wire, tmp_path):
        await wire.world.until(lambda: response(wire, interaction))
        await wire.world.until(lambda: rows(tmp_path, "open_interaction") == 0)
    assert ("I was restarted" if way == "press" else LABEL) in str(response(wire, interaction))
    assert wire.world.answers(wire.world.dm(wire.world.person)) == []


async def _answered(wire: Wire) -> Payload:
    await wire.post(PICTURE)
    await wire.world.until(wire.world.answers)
    return wire.world.answers()[0]


@each_server
@pytest.mark.parametrize("was_answered", [True, False])
async def test_a_picture_added_by_an_edit_that_was_interrupted_is_answered(
    wire: Wire, tmp_path: Path, *, was_answered: bool
) -> None:
    async with running(wire, tmp_path, 0.5) as bot:
        message = await wire.post(*([PICTURE] if was_answered else []), content="wait for it")
        if was_answered:
            await wire.world.until(wire.world.answers)
            await wire.world.until(lambda: rows(tmp_path, "open_message") == 0)
        await edit(wire, message)
        await wire.world.until(lambda: rows(tmp_path, "open_message") == 1)
        await kill(bot)
    async with running(wire, tmp_path):
        await wire.world.until(lambda: named(wire) == len(message["attachments"]))
        await wire.world.until(lambda: rows(tmp_path, "open_message") == 0)
        await asyncio.sleep(0.3)  # time for one too many
    assert answered(wire) == Counter([message["id"]])
    assert named(wire) == len(message["attachments"])


async def edit(wire: Wire, message: Payload) -> None:
    """Somebody adds a picture to a message."""
    attachments = [*message["attachments"], wire.attachment(message["channel_id"], "dog.png", PICTURE[1])]
    await wire.edit(message, attachments=attachments, edited_timestamp=discord.utils.utcnow().isoformat())


def named(wire: Wire) -> int:
    """How many pictures the answers name."""
    return sum(len(answer["embeds"]) for answer in wire.world.answers())


async def test_a_response_deleted_meanwhile_is_struck_out(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        gone, expired = [await wire.slash("classify", PICTURE) for _ in range(2)]
        await wire.cdn.until_asked(2)
        await wire.world.until(lambda: gone.message_ids and expired.message_ids)
        await kill(bot)
    del wire.world.messages[gone.channel_id][gone.message_ids[0]]
    expired.expired = True
    asked_before = len(wire.cdn.asked)
    async with running(wire, tmp_path) as bot:
        await wire.world.until(lambda: len(wire.world.sent("GET", r"/webhooks/.*")) == 2)
        await wire.post(PICTURE)
        await wire.world.until(lambda: LABEL in str(wire.world.answers()))
        await kill(bot)
    assert len(wire.cdn.asked) == asked_before + 1
    async with running(wire, tmp_path):
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(answered_messages(wire)) == 2)
        await asyncio.sleep(2.5)  # discord.py takes two seconds to say that it is ready
    assert len(wire.world.sent("GET", r"/webhooks/.*")) == 2


async def test_tokens_and_addresses_are_erased_with_the_answer(wire: Wire, tmp_path: Path) -> None:
    async with running(wire, tmp_path, 60) as bot:
        interaction = await wire.slash("classify", PICTURE)
        await wire.cdn.until_asked()
        await wire.world.until(lambda: interaction.message_ids)
        await asyncio.sleep(0.2)
        await kill(bot)
    assert on_disk(tmp_path, interaction.token)
    async with running(wire, tmp_path) as bot:
        await wire.world.until(lambda: LABEL in str(response(wire, interaction)))
        bot.stop()
        assert await bot.ended() == 0
        assert not any(noise in bot.log for noise in NOISE), bot.log
    assert not on_disk(tmp_path, interaction.token)
    assert not on_disk(tmp_path, "cat.png")


def response(wire: Wire, interaction: Interaction) -> Payload | None:
    """The response of an interaction, once it waits no longer."""
    message = wire.world.messages[interaction.channel_id][interaction.message_ids[0]]
    return None if message["flags"] & LOADING else message


def answered_messages(wire: Wire) -> list[Payload]:
    return [answer for answer in wire.world.answers() if "message_reference" in answer]


def rows(data: Path, table: str) -> int:
    """How many rows a table of the killed bot's store, or of the running one's, has."""
    with closing(sqlite3.connect(data / "whatsit.sqlite3")) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own
    return int(count)


def on_disk(data: Path, text: str) -> bool:
    return any(text.encode() in file.read_bytes() for file in data.rglob("*") if file.is_file())
