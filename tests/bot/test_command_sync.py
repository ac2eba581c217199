"""Commands are sent when they changed, and a record that cannot be kept costs nothing but that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.command_sync import sync


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


async def test_the_same_commands_are_sent_once(tmp_path: Path) -> None:
    first, second = Tree(), Tree()
    assert await sync(first, tmp_path / "data")
    assert not await sync(second, tmp_path / "data")
    assert (first.sent, second.sent) == (1, 0)


async def test_a_changed_description_is_sent(tmp_path: Path) -> None:
    await sync(Tree(), tmp_path)
    assert await sync(Tree("Say what this is"), tmp_path)


async def test_a_changed_translation_is_sent(tmp_path: Path) -> None:
    for word, sent in (("画像", True), ("画像", False), ("写真", True)):
        tree = Tree()
        await tree.set_translator(Translator(word))
        assert await sync(tree, tmp_path) is sent


async def test_two_applications_on_one_machine_do_not_disturb_each_other(tmp_path: Path) -> None:
    for application, sent in ((1, True), (2, True), (1, False), (2, False)):
        assert await sync(Tree(application=application), tmp_path) is sent


async def test_without_a_folder_they_are_always_sent() -> None:
    tree = Tree()
    assert await sync(tree, None)
    assert await sync(tree, None)


@pytest.mark.parametrize("refusal", [discord.DiscordException("no"), TimeoutError()])
async def test_what_was_refused_is_sent_again(
    tmp_path: Path, refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tree = Tree()
    tree.refusal = refusal
    assert not await sync(tree, tmp_path)
    assert "sent again at the next start" in caplog.text
    tree.refusal = None
    assert await sync(tree, tmp_path)


async def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("", encoding="utf-8")
    assert await sync(Tree(), obstacle)
    assert str(obstacle) in caplog.text


async def test_a_damaged_record_is_replaced(tmp_path: Path) -> None:
    await sync(Tree(), tmp_path)
    record = tmp_path / "commands-1.sha256"
    record.write_bytes(b"\xff\x00")
    assert await sync(Tree(), tmp_path)
    assert not await sync(Tree(), tmp_path)
