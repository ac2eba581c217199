"""Commands are sent when they changed, and a record that cannot be kept costs nothing but that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.connection.command_sync import sync
from bot.store import StoreUnavailable
from bot.store.bot_notes import Notes
from config.settings import Settings
from tests.stores import opened_store


@pytest.fixture
async def notes(tmp_path: Path) -> AsyncIterator[Notes]:
    async with opened_store(Settings(), tmp_path) as store:
        yield store.notes


class BrokenNotes:
    """As those of a store that was lost while the bot runs."""

    async def get(self, key: str) -> str | None:
        raise StoreUnavailable("the disk is full")

    async def set(self, key: str, value: str) -> None:
        raise StoreUnavailable("the disk is full")


class Translator(app_commands.Translator):
    """Knows one word."""

    def __init__(self, word: str) -> None:
        self.word = word

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: Any
    ) -> str | None:
        return self.word if locale is discord.Locale.japanese else None


class Tree(app_commands.CommandTree[discord.Client]):
    """A tree that counts how often it is sent, and may be refused."""

    def __init__(self, description: str = "Say what is in a picture", application: int = 1) -> None:
        client = discord.Client(intents=discord.Intents.none(), application_id=application)
        super().__init__(client)
        self.sent = 0
        self.refusal: Exception | None = None

        async def classify(interaction: discord.Interaction) -> None:
            pass

        self.add_command(
            app_commands.Command(
                name="classify", description=app_commands.locale_str(description), callback=classify
            )
        )

    async def sync(self, *, guild: discord.abc.Snowflake | None = None) -> list[app_commands.AppCommand]:
        self.sent += 1
        if self.refusal is not None:
            raise self.refusal
        return []


async def test_the_same_commands_are_sent_once(notes: Notes) -> None:
    first, second = Tree(), Tree()
    assert await sync(first, notes)
    assert not await sync(second, notes)
    assert (first.sent, second.sent) == (1, 0)


async def test_they_are_known_after_a_restart(tmp_path: Path) -> None:
    for sent in (True, False):
        async with opened_store(Settings(), tmp_path) as store:
            assert await sync(Tree(), store.notes) is sent


async def test_a_changed_description_is_sent(notes: Notes) -> None:
    await sync(Tree(), notes)
    assert await sync(Tree("Say what this is"), notes)


async def test_a_changed_translation_is_sent(notes: Notes) -> None:
    for word, sent in (("画像", True), ("画像", False), ("写真", True)):
        tree = Tree()
        await tree.set_translator(Translator(word))
        assert await sync(tree, notes) is sent


async def test_two_applications_on_one_machine_do_not_disturb_each_other(notes: Notes) -> None:
    for application, sent in ((1, True), (2, True), (1, False), (2, False)):
        assert await sync(Tree(application=application), notes) is sent


@pytest.mark.parametrize("refusal", [discord.DiscordException("no"), TimeoutError()])
async def test_what_was_refused_is_sent_again(
    notes: Notes, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tree = Tree()
    tree.refusal = refusal
    assert not await sync(tree, notes)
    assert "sent again at the next start" in caplog.text
    tree.refusal = None
    assert await sync(tree, notes)


async def test_a_store_that_fails_costs_no_more_than_sending_them_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = cast("Notes", BrokenNotes())
    assert await sync(Tree(), broken)
    assert await sync(Tree(), broken)
    assert "the disk is full" in caplog.text
