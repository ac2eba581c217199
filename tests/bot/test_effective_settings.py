"""What a server chose and what a member chose meet: who is answered, how, and in which language."""

from __future__ import annotations

from pathlib import Path

import discord
import pytest

from bot import i18n
from bot.policy.effective_settings import in_force, in_force_for
from bot.store import GuildSettings, MemberPreferences
from config.settings import Answers, Settings
from tests.stores import opened_store

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'


@pytest.fixture
def two_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> i18n.Languages:
    for name in ("de", "ja"):
        (tmp_path / f"{name}.po").write_text(HEADER, "utf-8")
    languages = i18n.Languages(tmp_path)
    monkeypatch.setattr("bot.policy.effective_settings.languages", languages)
    return languages


@pytest.mark.parametrize(
    ("how", "delivery", "unasked"),
    [
        ("reply", "default", "reply"),
        ("reply", "private", "nothing"),
        ("reply", "direct", "direct"),
        ("silent", "default", "silent"),
        ("silent", "direct", "direct"),
        ("react", "default", "react"),
        ("react", "direct", "react"),
        ("react", "private", "nothing"),
        ("direct", "default", "nothing"),
        ("direct", "private", "nothing"),
        ("direct", "direct", "direct"),
        ("on_demand", "default", "nothing"),
        ("on_demand", "direct", "nothing"),
    ],
)
def test_nobody_gets_a_direct_message_unasked_nor_an_answer_in_public_against_their_wish(
    how: str, delivery: str, unasked: str
) -> None:
    guild = GuildSettings.model_validate({"how": how})
    member = MemberPreferences.model_validate({"delivery": delivery})
    assert in_force(guild, member).unasked == unasked
    assert in_force(guild, member.model_copy(update={"leave_alone": True})).unasked == "nothing"


def test_preferences_hold_for_what_is_asked_for() -> None:
    guild = GuildSettings()
    assert in_force(guild, MemberPreferences(delivery="private")).private
    assert in_force(guild, MemberPreferences(delivery="direct")).direct
    plain = in_force(guild, MemberPreferences())
    assert [plain.private, plain.direct] == [False, False]


GERMAN, JAPANESE, FRENCH = discord.Locale.german, discord.Locale.japanese, discord.Locale.french


@pytest.mark.parametrize(
    ("chosen", "set_by_server", "user_locale", "guild_locale", "own", "shared"),
    [
        (None, None, None, None, "en", "en"),
        (None, None, None, GERMAN, "de", "de"),  # who writes a message tells no locale
        (None, None, JAPANESE, GERMAN, "ja", "ja"),
        (None, "de", None, None, "de", "de"),
        (None, "de", None, JAPANESE, "de", "de"),
        (None, "de", JAPANESE, None, "ja", "de"),  # what everybody reads is as the server chose
        ("ja", "de", None, None, "ja", "ja"),
        ("ja", "de", GERMAN, GERMAN, "ja", "ja"),
        ("en", "de", GERMAN, GERMAN, "en", "en"),
        (None, None, FRENCH, JAPANESE, "ja", "ja"),  # a language that is not spoken is no wish
        ("fr", None, FRENCH, None, "en", "en"),
    ],
)
def test_a_choice_comes_before_what_discord_tells_and_the_person_before_the_server(  # noqa: PLR0917 - a table
    two_languages: i18n.Languages,
    chosen: str | None,
    set_by_server: str | None,
    user_locale: discord.Locale | None,
    guild_locale: discord.Locale | None,
    own: str,
    shared: str,
) -> None:
    holds = in_force(
        GuildSettings(language=set_by_server),
        MemberPreferences(language=chosen),
        user_locale=user_locale,
        guild_locale=guild_locale,
    )
    assert (holds.own_language.name, holds.shared_language.name) == (own, shared)


def test_in_a_direct_message_the_members_language_is_everybodys(two_languages: i18n.Languages) -> None:
    alone = in_force(GuildSettings(), MemberPreferences(language="ja"))
    assert alone.own_language == alone.shared_language == two_languages.of("ja")


def test_a_language_that_is_gone_is_english(two_languages: i18n.Languages) -> None:
    assert in_force(GuildSettings(language="fr"), MemberPreferences()).shared_language is i18n.ENGLISH


async def test_the_owners_settings_are_the_defaults_also_in_direct_messages(tmp_path: Path) -> None:
    async with opened_store(Settings(answers=Answers(top=7)), tmp_path) as store:
        await store.guilds.update(1, {"min_confidence": 0.5})
        here = await in_force_for(store, 5, 1)
        assert (here.guild.top, here.guild.min_confidence) == (7, 0.5)
        alone = await in_force_for(store, 5)
        assert (alone.guild.top, alone.guild.min_confidence) == (7, 0.3)
