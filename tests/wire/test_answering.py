"""An image is answered once, over real sockets, whatever the network does."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import discord
import pytest

from bot.delivery import standing_answers
from bot.i18n import languages
from tests.wire import cdn
from tests.wire.bots import LABEL, SlowModel, online, settings_for
from tests.wire.modes import each_server
from tests.wire.rest import EPHEMERAL
from tests.wire.wire import Where, Wire
from tests.wire.world import Payload

PICTURE = ("cat.png", b"\x89PNG and so on")
MESSAGES = r"/channels/\d+/messages"


@each_server
async def test_a_picture_gets_one_answer(wire: Wire) -> None:
    async with online(wire):
        message = await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    (answer,) = wire.world.answers()
    assert LABEL in str(answer)
    assert answer["message_reference"]["message_id"] == message["id"]
    assert len(wire.cdn.asked) == 1


@each_server
async def test_a_direct_message_gets_one_answer(wire: Wire) -> None:
    async with online(wire):
        message = await wire.post_dm(PICTURE)
        await wire.world.until(lambda: wire.world.answers(message["channel_id"]))
    assert LABEL in str(wire.world.answers(message["channel_id"]))


@pytest.mark.parametrize("where", ["guild", "dm", "group"])
async def test_a_command_is_deferred_and_answered(wire: Wire, where: Where) -> None:
    async with online(wire):
        interaction = await wire.slash("classify", PICTURE, where=where)
        await wire.world.until(lambda: LABEL in str(wire.world.answers(interaction.channel_id)))
    assert interaction.callback is not None
    assert interaction.callback["type"] == 5
    assert len(wire.world.answers(interaction.channel_id)) == 1


@pytest.mark.parametrize(
    ("locale", "guild_locale", "spoken"),
    [("ja", "de", "ja"), ("en-GB", "de", "en"), ("fr", "de", "de"), ("fr", "it", "en"), ("de", None, "de")],
)
async def test_a_command_is_answered_in_the_askers_language_or_else_the_servers(
    wire: Wire, locale: str, guild_locale: str | None, spoken: str
) -> None:
    async with online(wire):
        interaction = wire.interaction("classify", PICTURE)
        interaction.payload |= {"locale": locale, "guild_locale": guild_locale}
        await wire.gateway.emit("INTERACTION_CREATE", interaction.payload)
        word = languages.of(spoken).labels.form(LABEL)
        await wire.world.until(lambda: word in str(wire.world.answers(interaction.channel_id)))


async def test_a_command_whose_token_has_expired_ends_quietly(wire: Wire) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model):
        interaction = await wire.slash("classify", PICTURE)
        await wire.cdn.until_asked()
        interaction.expired = True
        model.open()
        await wire.world.until(lambda: [r for r in wire.world.requests if r.status == 401])
        await wire.post(PICTURE)
        await wire.world.until(lambda: LABEL in str(wire.world.answers()))
    assert len([r for r in wire.world.requests if r.status == 401]) == 1


async def test_a_menu_answers_its_asker(wire: Wire) -> None:
    async with online(wire, settings=settings_for(wire, watch={"channels": ()})):
        message = await wire.post(PICTURE)
        await wire.menu("What's in this picture?", message)
        await wire.world.until(lambda: LABEL in str(wire.world.answers()))
    (answer,) = wire.world.answers()
    assert answer["flags"] == EPHEMERAL


@each_server
async def test_an_answer_follows_the_edits_of_its_message(wire: Wire) -> None:
    async with online(wire):
        message = await wire.post(PICTURE)
        await wire.world.until(lambda: wire.world.answered()[message["id"]])
        (answer,) = wire.world.answers()
        more = wire.attachment(message["channel_id"], "dog.png", b"another picture")
        await wire.edit(message, attachments=[*message["attachments"], more])
        await wire.world.until(lambda: len(answer["embeds"]) == 2)
        await wire.edit(message, attachments=[], content="no picture any more")
        await wire.world.until(lambda: not wire.world.answers())


@each_server
async def test_answers_go_with_messages_that_are_purged(wire: Wire) -> None:
    async with online(wire):
        messages = [await wire.post(PICTURE) for _ in range(3)]
        await wire.world.until(lambda: len(wire.world.answers()) == 3)
        await wire.purge(*messages[:2])
        await wire.world.until(lambda: len(wire.world.answers()) == 1)
    (left,) = wire.world.answers()
    assert left["message_reference"]["message_id"] == messages[2]["id"]


async def test_a_rate_limit_delays_the_answer_and_does_not_double_it(wire: Wire) -> None:
    wire.world.limit("POST", MESSAGES, 0.2)
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert [request.status for request in wire.world.sent("POST", MESSAGES)] == [429, 200]
    assert len(wire.world.answers()) == 1


@each_server
async def test_an_answer_that_was_taken_but_not_confirmed_is_not_doubled(wire: Wire) -> None:
    wire.world.fail("POST", MESSAGES, 502, applied=True)
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.sent("POST", MESSAGES)) == 2)
    assert [request.status for request in wire.world.sent("POST", MESSAGES)] == [502, 200]
    assert len(wire.world.answers()) == 1


async def test_a_failing_typing_indicator_costs_nothing(wire: Wire) -> None:
    wire.world.fail("POST", r"/channels/\d+/typing", 500, times=100)
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    assert LABEL in str(wire.world.answers())


async def test_a_picture_that_cannot_be_fetched_is_answered_too(wire: Wire) -> None:
    wire.cdn.answer = cdn.status(404)
    bot = wire.world.bot
    async with online(wire):
        await wire.post(PICTURE, content=f"<@{bot['id']}>", mentions=[bot])
        await wire.world.until(wire.world.answers)
    assert "no longer there" in str(wire.world.answers())


@each_server
async def test_a_picture_deleted_while_it_is_looked_at_is_not_answered(wire: Wire) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model):
        gone = await wire.post(PICTURE)
        await wire.cdn.until_asked()
        await wire.delete(gone)
        await wire.post(PICTURE)
        model.open()
        await wire.world.until(wire.world.answers)
    (answer,) = wire.world.answers()
    assert answer["message_reference"]["message_id"] != gone["id"]


async def test_an_answer_that_would_be_late_is_a_reaction(wire: Wire) -> None:
    async with online(wire, settings=settings_for(wire, watch={"late_after": 5})):
        message = await wire.post(PICTURE, ago=6)
        await wire.world.until(lambda: wire.world.reactions)
    assert [source for source, _ in wire.world.reactions] == [message["id"]]
    assert wire.world.answers() == []


@pytest.mark.parametrize("seconds", [30, 3600])
async def test_an_answer_that_discord_holds_up_for_too_long_is_a_reaction(wire: Wire, seconds: float) -> None:
    wire.world.limit("POST", MESSAGES, seconds)
    async with online(wire, settings=settings_for(wire, watch={"late_after": 1})):
        message = await wire.post(PICTURE)
        await wire.world.until(lambda: wire.world.reactions)
    assert [source for source, _ in wire.world.reactions] == [message["id"]]
    assert [request.status for request in wire.world.sent("POST", MESSAGES)] == [429]


async def test_nothing_that_is_sent_can_mention_anybody(wire: Wire) -> None:
    async with online(wire):
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
    for request in wire.world.sent("POST", MESSAGES):
        assert request.body["allowed_mentions"]["parse"] == []


@each_server
async def test_a_burst_is_answered_in_a_few_messages_before_any_answer_is_late(wire: Wire) -> None:
    pace = wire.world.pace("POST", MESSAGES, 5, 2.0)
    unlimited = {"user_images_per_minute": 1000, "user_burst": 1000}
    async with online(wire, settings=settings_for(wire, watch={"late_after": 20}, limits=unlimited)):
        sent = [await wire.post(PICTURE) for _ in range(40)]
        await wire.world.until(lambda: wire.world.answered().total() >= len(sent))
    assert wire.world.answered() == Counter(message["id"] for message in sent)
    assert wire.world.reactions == []
    assert pace.refused  # Discord did hold them up
    assert len(wire.world.answers()) <= 12


@pytest.mark.parametrize("failures", [2, 1000])
async def test_merged_answers_stay_while_discord_cannot_take_one_out(
    wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    monkeypatch.setattr(standing_answers, "SHRINK_PAUSES", (0.01, 0.01))
    edits = r"/channels/\d+/messages/\d+"
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model, data=tmp_path) as bot:
        sent = [await wire.post(PICTURE) for _ in range(12)]
        await wire.cdn.until_asked(12)
        model.open()
        await wire.world.until(lambda: wire.world.answered().total() == 12)
        merged = next(answer for answer in wire.world.answers() if "message_reference" not in answer)
        # Which pictures are merged depends on which were classified first.
        gone = next(message for message in sent if message["id"] in str(merged["embeds"]))
        fault = wire.world.fail("PATCH", edits, 503, times=failures)
        await wire.delete(gone)
        await wire.world.until(lambda: len(wire.world.sent("PATCH", edits)) == min(failures + 1, 3))
        if failures == 2:
            await wire.world.until(lambda: wire.world.answered().total() == 11)
        await bot.wait_until_ready()  # closed before, it would say so later, to nobody
    wire.gateway.sessions.clear()
    fault.times = 0
    async with online(wire, data=tmp_path):
        await wire.world.until(lambda: wire.world.answered().total() <= 11)
    assert wire.world.answered() == Counter(message["id"] for message in sent if message is not gone)


async def test_the_picture_that_names_a_merged_answer_to_discord_is_answered_anew_when_it_is_edited(
    wire: Wire,
) -> None:
    model = SlowModel(gate=asyncio.Event())
    async with online(wire, model):
        sent = [await wire.post(PICTURE) for _ in range(12)]
        await wire.cdn.until_asked(12)
        model.open()
        await wire.world.until(lambda: wire.world.answered().total() == 12)
        nonces = [
            request.body["nonce"]
            for request in wire.world.sent("POST", MESSAGES)
            if "message_reference" not in request.body
        ]
        edited = next(message for message in sent if message["id"] in nonces)
        attachments = [*edited["attachments"], wire.attachment(edited["channel_id"], "dog.png", PICTURE[1])]
        now = discord.utils.utcnow().isoformat()
        await wire.edit(edited, attachments=attachments, edited_timestamp=now)
        await wire.world.until(lambda: wire.world.answered()[edited["id"]] == 1 and _names_both(wire, edited))


def _names_both(wire: Wire, message: Payload) -> bool:
    return any(
        answer.get("message_reference", {}).get("message_id") == message["id"] and len(answer["embeds"]) == 2
        for answer in wire.world.answers()
    )


@pytest.mark.parametrize(
    "what",
    ["more:AAABAgMAAAAAAAAAABXbaNgKgBPHFdto2AqAE8cAAVo", "delete:15db68d80a8013c7.15db68d80a8013c7.0.0"],
)
async def test_a_button_that_nobody_signed_does_nothing_and_says_so(wire: Wire, what: str) -> None:
    custom_id = f"whatsit:pic:{what}"
    button = {"type": 2, "style": 2, "custom_id": custom_id, "label": "Press me"}
    row = {"type": 1, "components": [button]}
    async with online(wire):
        message = wire.world.add_message(wire.world.general, wire.world.bot, components=[row])
        interaction = await wire.press(custom_id, message)
        await wire.world.until(lambda: interaction.callback)
    assert "I no longer use the model that named this picture" in str(interaction.callback)
    assert message["id"] in wire.world.messages[wire.world.general]
