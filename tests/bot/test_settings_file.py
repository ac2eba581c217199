"""Settings as a file: out, and in again once somebody has seen what it changes; all or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.download.downloader import TooSlow
from bot.store import GuildSettings, to_json
from tests.bot.moderation import demote, moderator, refusal, said, settings, shown
from tests.world import World

Change = dict[str, Any]


async def taken(world: World, mod: MemberActor, content: str | bytes) -> InteractionResult:
    data = content.encode() if isinstance(content, str) else content
    return await mod.slash(world.channel, "settings import", file=("whatsit-settings.json", data))


async def exported(world: World, mod: MemberActor) -> str:
    (file,) = shown(await mod.slash(world.channel, "settings export")).attachments
    assert file.filename == "whatsit-settings.json"
    return (world.env.backend.cdn.get(file.url) or b"").decode()


async def test_what_was_exported_is_imported_on_another_day(world: World) -> None:
    mod, role = moderator(world), world.guild.create_role("r")
    chosen: Change = {
        "where": "only",
        "channels": [world.channel.id],
        "ignored_roles": [role.id],
        "how": "react",
        "emoji": "👀",
        "top": 7,
        "min_confidence": 0.35,
        "language": "en",
        "buttons": ["feedback"],
        "member_per_minute": 5,
        "guild_per_minute": 50,
        "unlimited_roles": [role.id],
    }
    before = await world.bot.store.guilds.update(world.guild.id, chosen)
    file = await exported(world, mod)
    await mod.slash(world.channel, "settings reset", settings="all")

    offer = await taken(world, mod, file)
    assert said(offer).splitlines() == [
        "This is what the file would change:",
        "- **Replies automatically in**: All channels → Only the channels listed",
        f"- **Channels**: + <#{world.channel.id}>",
        f"- **Ignored roles**: + <@&{role.id}>",
        "- **When someone posts a picture**: A reply → A reaction",
        "- **Reaction**: 🔍 → 👀",
        "- **Guesses shown**: 3 → 7",
        "- **Unsure below**: 30% → 35%",
        "- **Language**: The server's → English",
        (
            "- **Buttons below an answer**: \N{MINUS SIGN} More, Send to my DMs, Alt text, "
            "Delete, and No, what is it?"
        ),
        "- **Pictures per minute, each member**: Default (10) → 5",
        "- **Pictures per minute, the whole server**: No limit → 50",
        f"- **Roles without a limit**: + <@&{role.id}>",
    ]
    assert await settings(world) == GuildSettings()  # so far it is only shown

    applied = await mod.click(shown(offer).message, label="Apply")
    assert said(applied).startswith("Imported. This is what changed:\n- **Replies automatically in**")
    assert shown(applied).components == []
    assert await settings(world) == before


async def test_an_export_is_readable_and_whole(world: World) -> None:
    content = json.loads(await exported(world, moderator(world)))
    assert content.pop("whatsit_settings") == 1
    assert set(content) == set(GuildSettings.model_fields)


async def test_an_export_leaves_out_what_is_gone_so_that_it_can_be_imported(world: World) -> None:
    mod, gone = moderator(world), world.guild.create_text_channel("gone")
    await world.bot.store.guilds.update(world.guild.id, {"channels": [gone.id, world.channel.id]})
    world.env.backend.delete_channel(gone.id)
    await world.env.settle()
    file = await exported(world, mod)
    await mod.slash(world.channel, "settings reset", settings="all")
    await mod.click(shown(await taken(world, mod, file)).message, label="Apply")
    assert (await settings(world)).channels == (world.channel.id,)


async def test_what_changes_nothing_offers_nothing(world: World) -> None:
    mod = moderator(world)
    answer = await taken(world, mod, await exported(world, mod))
    assert said(answer) == "The file matches the current settings, so there's nothing to change."
    assert shown(answer).components == []


async def test_it_can_be_cancelled(world: World) -> None:
    mod = moderator(world)
    offer = await taken(world, mod, to_json(GuildSettings(top=9)))
    cancelled = await mod.click(shown(offer).message, label="Cancel")
    assert said(cancelled) == "Cancelled. Nothing was changed."
    assert shown(cancelled).components == []
    assert shown(cancelled).attachments == []
    assert await settings(world) == GuildSettings()


async def test_an_offer_outlives_a_restart(world: World) -> None:
    mod = moderator(world)
    offer = shown(await taken(world, mod, to_json(GuildSettings(top=9)))).message
    await world.restart()
    assert said(await mod.click(offer, label="Apply")).startswith("Imported.")
    assert (await settings(world)).top == 9


async def test_an_offer_that_was_overtaken_is_made_anew(world: World) -> None:
    one, two = moderator(world, "one"), moderator(world, "two")
    offer = shown(await taken(world, one, to_json(GuildSettings(top=9, how="silent")))).message
    await two.slash(world.channel, "settings what", top=5)
    again = await one.click(offer, label="Apply")
    assert said(again).splitlines() == [
        "Someone changed the settings in the meantime. This is what the file would change now:",
        "- **When someone posts a picture**: A reply → A silent reply",
        "- **Guesses shown**: 5 → 9",
    ]
    assert await settings(world) == GuildSettings(top=5)
    await one.click(shown(again).message, label="Apply")
    assert await settings(world) == GuildSettings(top=9, how="silent")


async def test_an_offer_is_no_good_to_who_was_demoted(world: World) -> None:
    mod = moderator(world)
    offer = shown(await taken(world, mod, to_json(GuildSettings(top=9)))).message
    demote(world, mod)
    answer = await mod.click(offer, label="Apply")
    assert said(answer) == "You need Manage Server to see or change these."
    assert await settings(world) == GuildSettings()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe{", "That file isn't valid JSON (1:1)."),
        ("[]", "There are no settings of mine in that file. Use one from `/settings export`."),
        (
            '{"whatsit_settings": 2}',
            "That file is from another version of me, so I can't read it (format 2).",
        ),
        (
            '{"whatsit_settings": 1, "top": 11}',
            "**Guesses shown**: 11 isn't valid. It must be a whole number from 1 to 10.",
        ),
        (
            '{"whatsit_settings": 1, "where": "some"}',
            (
                '**Replies automatically in**: "some" isn\'t valid. '
                "It must be one of these: `all`, `only`, or `except`."
            ),
        ),
        ('{"whatsit_settings": 1, "mood": "good"}', "There is no setting “mood”."),
        (
            '{"whatsit_settings": 1, "model": "resnet"}',
            "**Model**: The bot's owner allows no model but the default.",
        ),
        (
            '{"whatsit_settings": 1, "language": "tlh"}',
            "**Language**: I don't speak “tlh”. Choose one of these: English, Deutsch, or 日本語.",
        ),
        (
            '{"whatsit_settings": 1, "channels": ["123456789012345678"]}',
            "**Channels**: Not on this server: 123456789012345678",
        ),
        (
            '{"whatsit_settings": 1, "ignored_roles": ["123456789012345678"]}',
            "**Ignored roles**: Not on this server: 123456789012345678",
        ),
    ],
)
async def test_a_file_with_a_fault_changes_nothing_and_is_told_of_each(
    world: World, content: str | bytes, why: str
) -> None:
    mod = moderator(world)
    words = refusal(world, await taken(world, mod, content))
    assert words == f"Nothing was changed. Here's why:\n- {why}"
    assert await settings(world) == GuildSettings()


async def test_every_fault_is_told_as_far_as_there_is_room(world: World) -> None:
    faults = {f"setting_{number}": number for number in range(200)}
    words = refusal(
        world, await taken(world, moderator(world), json.dumps({"whatsit_settings": 1, **faults}))
    )
    assert len(words) <= 2000
    assert words.count("There is no setting") + int(words.split()[-2]) == 200


async def test_a_file_that_is_too_large_is_not_fetched(world: World) -> None:
    answer = await taken(world, moderator(world), " " * 70_000)
    assert refusal(world, answer).startswith("That file is too large.")
    assert world.fetcher.fetched == []


async def test_a_file_that_cannot_be_fetched_is_said_so(world: World) -> None:
    world.fetcher.fails["whatsit-settings.json"] = TooSlow("15 s")
    answer = await taken(world, moderator(world), to_json(GuildSettings(top=9)))
    assert refusal(world, answer) == "I couldn't fetch that file. Try again in a minute."
    world.fetcher.fails.clear()


async def test_an_offer_that_fails_can_be_applied_again(world: World) -> None:
    mod = moderator(world)
    offer = shown(await taken(world, mod, to_json(GuildSettings(top=9)))).message
    world.fetcher.fails["whatsit-settings.json"] = TooSlow("15 s")
    failed = await mod.click(offer, label="Apply")
    assert [each.content for each in failed.followups] == [
        "I couldn't fetch that file. Try again in a minute."
    ]
    assert [each.ephemeral for each in failed.followups] == [True]
    world.fetcher.fails.clear()
    await mod.click(offer, label="Apply")
    assert (await settings(world)).top == 9
