"""`/privacy`: what is kept of somebody in plain words, a copy of it for them alone, and to be forgotten."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from simcord.components import walk_components

from bot.settings_ui import privacy_export
from bot.settings_ui.privacy_export import NOT_HERE, exported
from bot.store import MemberPreferences, StoreUnavailable
from bot.store.personal_data import tables_with
from tests.bot.moderation import refusal, said, shown, text
from tests.world import World, picture

KEPT_WISH = "I remember one thing, because you asked for it: I leave your pictures alone."


async def lives(world: World) -> None:
    """Alice has preferences, an answer, and an opinion; Bob has an answer too."""
    store, alice = world.bot.store, world.alice.id
    await store.members.update(alice, {"delivery": "private", "language": "en"})
    where: Any = {"channel_id": world.channel.id, "guild_id": world.guild.id}
    await store.answers.add(source_ids=[2**61, 2**61 + 1], answer_id=2**61 + 2, user_id=alice, **where)
    await store.answers.add(source_ids=[2**61 + 3], answer_id=2**61 + 4, user_id=alice + 1, **where)
    await store.feedback.give(
        answer_id=2**61 + 2,
        image=0,
        user_id=alice,
        guild_id=world.guild.id,
        model="m",
        label="tabby",
        certainty="sure",
        right=False,
        said="an axolotl",
    )


async def counts(world: World) -> dict[str, int]:
    found = await world.bot.store.personal.counts(world.alice.id)
    return {table: count for table, count in found.items() if count}


async def panel(world: World, command: str = "show") -> discord.Message:
    return shown(await world.alice.slash(world.channel, f"privacy {command}")).message


async def test_it_says_what_is_kept_in_plain_words_and_not_what_it_is(world: World) -> None:
    await lives(world)
    words = text(world, await panel(world))
    assert "2 preferences that you set" in words
    assert "2 answers you got from me" in words
    assert "90 days" in words
    assert "1 time you told me whether I was right, and what you said it was. 365 days." in words
    assert "I never keep pictures, your messages, or your name." in words
    assert "axolotl" not in words
    assert "command I'm answering" not in words
    assert "left alone" not in words


async def test_of_whom_nothing_is_kept_that_is_said(world: World) -> None:
    assert "In my database: nothing." in text(world, await panel(world))


async def test_the_wish_to_be_left_alone_is_said_to_be_kept(world: World) -> None:
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    assert "That you want your pictures left alone, until you change it." in text(world, await panel(world))


# A copy.


def read(world: World, file: discord.Attachment) -> dict[str, Any]:
    """The content of a file that the bot has sent."""
    data = world.env.backend.cdn.get(file.url)
    assert data is not None
    content: dict[str, Any] = json.loads(data)
    return content


async def exports(world: World) -> dict[str, Any]:
    """The copy that Alice gets by direct message."""
    answer = await world.alice.slash(world.channel, "privacy export")
    message = world.only_answer(world.alice.user.dm_channel)
    assert said(answer) == f"Sent to your DMs: {message.jump_url}"
    assert shown(answer).message.attachments == []
    assert message.content == "This is everything I keep about you. Only you have this file."
    (file,) = message.attachments
    assert file.filename == f"whatsit-{world.alice.id}.json"
    return read(world, file)


async def test_a_copy_comes_by_direct_message_and_has_every_row_of_theirs(world: World) -> None:
    await lives(world)
    content = await exports(world)
    assert content["user_id"] == str(world.alice.id)
    assert set(content["kept"]) == {table.name for table in tables_with("user_id")}
    assert {row["field"]: row["value"] for row in content["kept"]["member_preference"]} == {
        "delivery": "private",
        "language": "en",
    }
    assert [row["source_id"] for row in content["kept"]["answer"]] == [str(2**61), str(2**61 + 1)]
    (opinion,) = content["kept"]["feedback"]
    assert opinion["said"] == "an axolotl"
    assert opinion["user_id"] == str(world.alice.id)
    assert content["kept"]["open_interaction"] == content["kept"]["open_message"] == []
    assert str(world.alice.id + 1) not in json.dumps(content)


async def test_the_panel_sends_the_same_copy(world: World) -> None:
    await lives(world)
    answer = await world.alice.click(await panel(world), label="Send me a copy")
    assert said(answer).startswith("Sent to your DMs:")


@pytest.mark.parametrize("code", [50007, 50278])
async def test_where_direct_messages_are_closed_the_copy_is_for_their_eyes_only(
    world: World, code: int
) -> None:
    await lives(world)
    path = f"/channels/{world.alice.user.dm_channel.id}/messages"
    world.env.inject_error("POST", path, status=403, code=code, message="Cannot send", times=None)
    answer = await world.alice.slash(world.channel, "privacy export")
    assert "here it is; only you see it." in said(answer).replace("Here", "here")
    (file,) = shown(answer).message.attachments
    assert len(read(world, file)["kept"]["answer"]) == 2
    assert world.answers(world.alice.user.dm_channel) == []


async def test_while_a_command_is_open_the_copy_has_it_without_its_token(world: World) -> None:
    await world.bot.store.work.accept_interaction(
        interaction_id=5,
        application_id=6,
        token="a secret",  # noqa: S106 - none
        channel_id=7,
        guild_id=None,
        user_id=world.alice.id,
        images=[{"url": "https://cdn.discordapp.com/attachments/1/2/x.png"}],
        options={},
    )
    content = await exports(world)
    (command,) = content["kept"]["open_interaction"]
    assert command["interaction_id"] == "5"
    assert command["images"] == [{"url": "https://cdn.discordapp.com/attachments/1/2/x.png"}]
    assert "a secret" not in json.dumps(content)
    assert content["not_in_this_file"] == list(NOT_HERE)


def test_numbers_and_moments_are_such_that_every_program_reads_them() -> None:
    row = {"answer_id": 7, "images": 2**62, "image": 3, "right": True, "said": None}
    row["accepted_at"] = datetime(2026, 3, 1, tzinfo=UTC)  # type: ignore[assignment]
    name, data = exported(1, {"answer": [row]}, datetime(2026, 3, 2, tzinfo=UTC))
    (found,) = json.loads(data)["kept"]["answer"]
    assert found == {
        "answer_id": "7",
        "images": str(2**62),
        "image": 3,
        "right": True,
        "said": None,
        "accepted_at": "2026-03-01T00:00:00+00:00",
    }
    assert name == "whatsit-1.json"


def test_a_copy_that_discord_would_refuse_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy_export, "FILE_BYTES", 1000)
    name, data = exported(1, {"answer": [{"answer_id": 7}] * 1000}, datetime(2026, 3, 2, tzinfo=UTC))
    assert name == "whatsit-1.json.gz"
    assert len(data) < 1000
    assert len(json.loads(gzip.decompress(data))["kept"]["answer"]) == 1000


# To be forgotten.


@pytest.mark.parametrize("left_alone", [False, True])
async def test_to_be_forgotten_is_everything_but_the_wish_to_be_left_alone(
    world: World, left_alone: bool
) -> None:
    await lives(world)
    await world.bot.store.members.update(world.alice.id, {"leave_alone": left_alone})
    before = await counts(world)
    asked = await panel(world, "delete")
    assert await counts(world) == before
    assert (KEPT_WISH in text(world, asked)) == left_alone
    assert ("Forget that too" in text(world, asked)) == left_alone
    await world.alice.click(asked, label="Cancel")
    assert "## What I keep about you" in text(world, asked)
    assert await counts(world) == before

    await world.alice.click(asked, label="Forget me…")
    await world.alice.click(asked, label="Forget me")
    assert "I've forgotten everything I knew about you." in text(world, asked)
    assert (KEPT_WISH in text(world, asked)) == left_alone
    stored = world.env.backend.get_message(asked.channel.id, asked.id)
    assert not [part for part in walk_components(stored.components) if "custom_id" in part]
    assert await counts(world) == ({"member_preference": 1} if left_alone else {})
    assert await world.bot.store.members.get(world.alice.id) == MemberPreferences(leave_alone=left_alone)
    await world.restart()
    assert await world.bot.store.members.get(world.alice.id) == MemberPreferences(leave_alone=left_alone)
    assert len(await world.bot.store.answers.since(0)) == 1, "Bob's"


async def test_the_wish_is_forgotten_too_if_that_is_wanted(world: World) -> None:
    await lives(world)
    await world.bot.store.members.update(world.alice.id, {"leave_alone": True})
    asked = await panel(world, "delete")
    await world.alice.click(asked, label="Forget that too")
    assert text(world, asked) == "I've forgotten everything I knew about you."
    assert await counts(world) == {}


async def test_nothing_is_left_in_the_files_of_the_database(world: World, tmp_path: Path) -> None:
    await lives(world)
    await world.alice.send(world.channel, attachments=[picture()])

    def traces() -> int:
        held = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("whatsit.sqlite3*"))
        return held.count(world.alice.id.to_bytes(8, "big")) + held.count(b"an axolotl")

    assert traces()
    await world.alice.click(await panel(world, "delete"), label="Forget me")
    assert traces() == 0
    await world.env.advance_time(60)
    assert traces() == 0


async def test_a_press_that_comes_again_is_no_fault(world: World) -> None:
    asked = await panel(world, "delete")
    stored = world.env.backend.get_message(asked.channel.id, asked.id)
    components = list(stored.components)
    for _ in range(2):
        stored.components = components
        await world.alice.click(asked, label="Forget me")
        assert "I've forgotten everything I knew about you." in text(world, asked)


async def test_it_outlives_a_restart(world: World) -> None:
    await lives(world)
    asked = await panel(world, "delete")
    await world.restart()
    await world.alice.click(asked, label="Forget me")
    assert await counts(world) == {}


async def test_it_works_in_direct_messages_and_with_the_app_alone(world: World) -> None:
    group = world.bot.tree.get_command("privacy")
    assert isinstance(group, app_commands.Group)
    assert group.allowed_contexts is not None
    assert group.allowed_installs is not None
    contexts, installs = group.allowed_contexts, group.allowed_installs
    assert (contexts.guild, contexts.dm_channel, contexts.private_channel) == (True, True, True)
    assert (installs.guild, installs.user) == (True, True)


async def test_when_the_store_fails_a_member_hears_that_it_is_to_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = await panel(world, "delete")

    async def fails(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full. Make room.")

    monkeypatch.setattr(world.bot.store, "erase_user", fails)
    answer = await world.alice.click(asked, label="Forget me")
    (followup,) = answer.followups
    assert followup.ephemeral
    assert followup.content.startswith("I can't reach my database right now. Try again in a minute;")
    assert "Forget me" in text(world, asked), "it can be pressed again"
    assert "the disk is full. Make room." in caplog.text
    for method in ("counts", "rows"):
        monkeypatch.setattr(world.bot.store.personal, method, fails)
    for command in ("show", "delete", "export"):
        answer = await world.alice.slash(world.channel, f"privacy {command}")
        assert refusal(world, answer).startswith("I can't reach my database right now. Try")


async def test_of_another_version_it_says_so(world: World) -> None:
    shown_panel = await panel(world)
    stored = world.env.backend.get_message(shown_panel.channel.id, shown_panel.id)
    for part in walk_components(stored.components):
        if part.get("label") == "Send me a copy":
            part["custom_id"] = "whatsit:privacy:dance:now"
    answer = await world.alice.click(shown_panel, label="Send me a copy")
    assert said(answer) == "This panel is out of date. Open a new one."
