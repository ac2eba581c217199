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


def test_each_reads_their_own_language_and_everybody_the_servers(two_languages: i18n.Languages) -> None:
    german, japanese, english = two_languages.named("de"), two_languages.named("ja"), i18n.ENGLISH
    nobody_chose = in_force(
        GuildSettings(),
        MemberPreferences(),
        user_locale=discord.Locale.japanese,
        guild_locale=discord.Locale.german,
    )
    assert (nobody_chose.own_language, nobody_chose.shared_language) == (japanese, german)

    both_chose = in_force(
        GuildSettings(language="en"),
        MemberPreferences(language="de"),
        user_locale=discord.Locale.japanese,
        guild_locale=discord.Locale.japanese,
    )
    assert (both_chose.own_language, both_chose.shared_language) == (german, english)

    # Who writes a message tells no locale: then the server's is the better guess.
    writer = in_force(GuildSettings(language="ja"), MemberPreferences())
    assert writer.own_language == writer.shared_language == japanese


def test_in_a_direct_message_the_members_language_is_everybodys(two_languages: i18n.Languages) -> None:
    alone = in_force(GuildSettings(), MemberPreferences(language="ja"), shared=False)
    assert alone.own_language == alone.shared_language == two_languages.named("ja")


def test_a_language_that_is_gone_is_english(two_languages: i18n.Languages) -> None:
    assert in_force(GuildSettings(language="fr"), MemberPreferences()).shared_language is i18n.ENGLISH


async def test_the_owners_settings_are_the_defaults_also_in_direct_messages(tmp_path: Path) -> None:
    async with opened_store(Settings(answers=Answers(top=7)), tmp_path) as store:
        await store.guilds.update(1, {"min_confidence": 0.5})
        here = await in_force_for(store, 5, 1)
        assert (here.guild.top, here.guild.min_confidence) == (7, 0.5)
        alone = await in_force_for(store, 5)
        assert (alone.guild.top, alone.guild.min_confidence) == (7, 0.3)
