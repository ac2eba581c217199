"""What the client asks Discord for: intents, no mentions, and no messages to keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import discord
import pytest

from bot.client import Whatsit
from bot.composition import compose
from bot.connection import intents
from bot.download.downloader import Fetcher
from config.settings import Settings
from inference.serving.client import Classifier
from tests.stores import opened_store


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Whatsit]:
    """A bot that is never connected."""
    settings = Settings()
    async with opened_store(settings, tmp_path) as store:
        yield compose(settings, cast("Classifier", None), cast("Fetcher", None), store)


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
