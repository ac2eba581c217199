"""`/preferences`: how a member wants to be treated, in a small panel or by options; and to be forgotten."""

from __future__ import annotations

from pathlib import Path

import discord
import pytest
from simcord.components import walk_components

from bot import i18n
from bot.store import MemberPreferences, StoreUnavailable
from tests.bot.moderation import refusal, said, shown, text
from tests.world import World

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Your preferences"
msgstr "So behandle ich dich"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds a file, in which one sentence is translated."""
    (tmp_path / "de.po").write_text(PO, "utf-8")
    languages = i18n.Languages(tmp_path)
    for module in ("bot.i18n", "bot.policy.effective_settings"):
        monkeypatch.setattr(f"{module}.languages", languages)


async def opened(world: World) -> discord.Message:
    return shown(await world.alice.slash(world.channel, "preferences")).message


async def preferences(world: World) -> MemberPreferences:
    return await world.bot.store.members.get(world.alice.id)


async def test_it_shows_how_things_stand_and_changes_nothing(world: World) -> None:
    words = text(world, await opened(world))
    for part in ("[x] Same as my Discord", "[x] Server default", "Leave my pictures alone", "Forget me…"):
        assert part in words
    assert await preferences(world) == MemberPreferences()


@pytest.mark.parametrize(
    ("delivery", "shows"),
    [("private", "[x] Always just for me"), ("direct", "[x] Always by direct message")],
)
async def test_answers_can_come_privately_or_directly(world: World, delivery: str, shows: str) -> None:
    panel = await opened(world)
    await world.alice.select(panel, [delivery], custom_id="whatsit:preferences:set:delivery")
    assert shows in text(world, panel)
    assert (await preferences(world)).delivery == delivery
    await world.alice.select(panel, ["default"], custom_id="whatsit:preferences:set:delivery")
    assert await preferences(world) == MemberPreferences()


async def test_a_language_is_chosen_and_spoken_at_once(world: World, german: None) -> None:
    panel = await opened(world)
    assert "## Your preferences" in text(world, panel)
    await world.alice.select(panel, ["de"], custom_id="whatsit:preferences:set:language")
    assert "## So behandle ich dich" in text(world, panel)
    assert "[x] Deutsch" in text(world, panel)
    await world.alice.select(panel, ["default"], custom_id="whatsit:preferences:set:language")
    assert "## Your preferences" in text(world, panel)
    assert await preferences(world) == MemberPreferences()


async def test_images_are_left_alone_until_that_is_taken_back(world: World) -> None:
    panel = await opened(world)
    await world.alice.click(panel, label="Leave my pictures alone")
    assert "I don't look at any that you post, no matter who asks." in text(world, panel)
    assert (await preferences(world)).leave_alone
    await world.alice.click(panel, label="Look at my pictures again")
    assert not (await preferences(world)).leave_alone


async def test_options_do_the_same_in_one_go(world: World, german: None) -> None:
    answer = await world.alice.slash(
        world.channel, "preferences", language="de", answers="direct", leave_alone=True
    )
    assert "So behandle ich dich" in text(world, shown(answer).message)
    assert await preferences(world) == MemberPreferences(language="de", delivery="direct", leave_alone=True)
    await world.alice.slash(world.channel, "preferences", language="default", leave_alone=False)
    assert await preferences(world) == MemberPreferences(delivery="direct")


async def test_languages_are_completed_and_others_refused(world: World, german: None) -> None:
    found = await world.alice.autocomplete(world.channel, "preferences", "language", "deu")
    assert found == [{"name": "Deutsch", "value": "de"}]
    answer = await world.alice.slash(world.channel, "preferences", language="tlh", leave_alone=True)
    assert refusal(world, answer) == "I don't speak “tlh”. Choose one of these: English or Deutsch."
    assert await preferences(world) == MemberPreferences()


async def test_it_works_in_direct_messages_and_with_the_app_alone() -> None:
    from bot.cogs.member_preferences import MemberPreferencesCog  # noqa: PLC0415

    command = MemberPreferencesCog.preferences
    assert command.allowed_contexts is not None
    assert command.allowed_installs is not None
    contexts, installs = command.allowed_contexts, command.allowed_installs
    assert (contexts.guild, contexts.dm_channel, contexts.private_channel) == (True, True, True)
    assert (installs.guild, installs.user) == (True, True)


async def test_it_works_in_the_bots_direct_messages(world: World) -> None:
    answer = await world.alice.user.slash("preferences", answers="private")
    panel = answer.response.message
    await world.alice.user.click(panel, label="Leave my pictures alone")
    assert await preferences(world) == MemberPreferences(delivery="private", leave_alone=True)


async def test_the_panel_outlives_a_restart(world: World) -> None:
    panel = await opened(world)
    await world.restart()
    await world.alice.click(panel, label="Leave my pictures alone")
    await world.restart()
    assert (await preferences(world)).leave_alone


async def test_each_has_their_own(world: World) -> None:
    bob = world.guild.add_member(world.env.create_user("bob"))
    await world.alice.slash(world.channel, "preferences", answers="direct")
    await bob.slash(world.channel, "preferences", leave_alone=True)
    assert await preferences(world) == MemberPreferences(delivery="direct")
    assert await world.bot.store.members.get(bob.id) == MemberPreferences(leave_alone=True)


async def test_to_be_forgotten_is_the_same_question_as_that_of_privacy_delete(world: World) -> None:
    panel = await opened(world)
    await world.alice.click(panel, label="Forget me…")
    asked = shown(await world.alice.slash(world.channel, "privacy delete")).message
    assert text(world, panel) == text(world, asked)


async def test_when_the_store_fails_a_member_hears_that_nothing_changed(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    panel = await opened(world)

    async def fails(*_: object) -> None:
        raise StoreUnavailable("the disk is full. Make room.")

    for name in ("get", "update"):
        monkeypatch.setattr(world.bot.store.members, name, fails)
    answer = await world.alice.click(panel, label="Leave my pictures alone")
    assert said(answer).startswith("I can't reach my database right now, so nothing was changed.")
    assert "the disk is full. Make room." in caplog.text
    by_command = await world.alice.slash(world.channel, "preferences", leave_alone=True)
    assert refusal(world, by_command).startswith("I can't reach my database")


async def test_about_to_leave_it_takes_no_press(world: World) -> None:
    panel = await opened(world)
    world.bot.work_in_hand.stopping = True
    answer = await world.alice.click(panel, label="Leave my pictures alone")
    assert said(answer) == "I'm about to restart. Ask me again in a minute."


async def test_of_another_version_it_says_so(world: World) -> None:
    panel = await opened(world)
    stored = world.env.backend.get_message(panel.channel.id, panel.id)
    for part in walk_components(stored.components):
        if part.get("label") == "Leave my pictures alone":
            part["custom_id"] = "whatsit:preferences:dance:now"
    answer = await world.alice.click(panel, label="Leave my pictures alone")
    assert said(answer) == "This panel is out of date. Open a new one."
