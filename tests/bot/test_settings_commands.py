"""`/settings` in plain words: all that the panel can do, for screen readers and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import i18n
from bot.store import GuildSettings, StoreUnavailable
from tests.bot.moderation import moderator, opened, refusal, said, settings
from tests.world import World

ALLOWED = {"allowed": ["mobilenet_v1_025", "efficientnet_lite0"]}
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'


@pytest.fixture
def japanese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody adds a file, in which one sentence is translated."""
    (tmp_path / "ja.po").write_text(
        f'{HEADER}\nmsgid "Guesses shown"\nmsgstr "候補の数"\n',
        "utf-8",
    )
    languages = i18n.Languages(tmp_path)
    for module in ("bot.i18n", "bot.policy.effective_settings"):
        monkeypatch.setattr(f"{module}.languages", languages)


async def test_show_lists_everything(world: World) -> None:
    words = said(await moderator(world).slash(world.channel, "settings show"))
    assert words.splitlines() == [
        "### Channels",
        "**Replies automatically in**: All channels",
        "**Ignored roles**: None",
        "**Pictures can be found again in**: None",
        "**Reposts are pointed out in**: None",
        "",
        "### Replies",
        "**When someone posts a picture**: A reply",
        "**Daily counts**: Kept for a month",
        "",
        "### Answers",
        "**Guesses shown**: 3",
        "**Unsure below**: 30%",
        "**Model**: Default (MobileNetV2)",
        "**Language**: The server's",
        "**Layout**: With bars",
        (
            "**Buttons below an answer**: More, Send to my DMs, Was this right?, Alt text, Delete, "
            "and No, what is it?"
        ),
        "",
        "### Limits",
        "**Pictures per minute, each member**: Default (10)",
        "**Pictures per minute, the whole server**: No limit",
        "**Roles without a limit**: None",
        "**Roles that may teach me words**: Only those who may manage the server",
    ]


@pytest.mark.whatsit(answers={"top": 5}, watch={"channels": []})
async def test_a_server_that_chose_nothing_has_the_owners_settings(world: World) -> None:
    words = said(await moderator(world).slash(world.channel, "settings show"))
    assert "**Guesses shown**: 5" in words
    assert "Only the channels listed" in words


async def test_where(world: World) -> None:
    mod, other, bots = (
        moderator(world),
        world.guild.create_text_channel("other"),
        world.guild.create_role("bots"),
    )
    words = said(await mod.slash(world.channel, "settings where", watch="except", add=other, ignore=bots))
    assert "All channels except the ones listed" in words
    assert f"**Channels**: <#{other.id}>" in words
    assert f"**Ignored roles**: <@&{bots.id}>" in words
    thread = world.thread(world.channel)
    await mod.slash(world.channel, "settings where", add=thread, remove=other, unignore=bots)
    assert await settings(world) == GuildSettings(where="except", channels=(world.channel.id,))
    await mod.slash(world.channel, "settings where", remove=other)  # which is not on the list
    assert (await settings(world)).channels == (world.channel.id,)


async def test_more_channels_than_a_menu_holds_are_added_one_by_one(world: World) -> None:
    mod = moderator(world)
    channels = [world.guild.create_text_channel(f"c{number}") for number in range(30)]
    await world.bot.store.guilds.update(world.guild.id, {"channels": [c.id for c in channels[:29]]})
    await mod.slash(world.channel, "settings where", watch="only", add=channels[29])
    await mod.slash(world.channel, "settings where", remove=channels[0])
    assert set((await settings(world)).channels) == {channel.id for channel in channels[1:]}


async def test_how(world: World) -> None:
    mod = moderator(world)
    words = said(await mod.slash(world.channel, "settings how", answer="react", emoji=" 👀 "))
    assert words.splitlines()[:3] == [
        "### Replies",
        "**When someone posts a picture**: A reaction",
        "**Reaction**: 👀",
    ]
    assert await settings(world) == GuildSettings(how="react", emoji="👀")
    answer = await mod.slash(world.channel, "settings how", answer="reply", emoji="**eyes**")
    assert (
        refusal(world, answer)
        == "“\\*\\*eyes\\*\\*” isn't an emoji. Choose one, such as 🔍 or one from this server."
    )
    assert (await settings(world)).how == "react"


async def test_a_channel_on_a_list_that_is_not_in_use_is_said_to_change_nothing(world: World) -> None:
    mod = moderator(world)
    words = said(await mod.slash(world.channel, "settings where", add=world.channel))
    assert words.startswith("**Channels** is saved, but changes nothing as long as **Replies automatically")
    assert (await settings(world)).channels == (world.channel.id,)
    words = said(await mod.slash(world.channel, "settings where", watch="only"))
    assert "changes nothing" not in words


@pytest.mark.whatsit(model=ALLOWED)
async def test_what(world: World) -> None:
    mod = moderator(world)
    given: dict[str, Any] = {"top": 7, "min_confidence": 33, "model": "efficientnet_lite0", "language": "en"}
    words = said(
        await mod.slash(world.channel, "settings what", **given, feedback=False, alt_text=False, delete=False)
    )
    assert "**Unsure below**: 33%" in words
    assert "**Language**: English" in words
    expected = GuildSettings(
        top=7,
        min_confidence=0.33,
        model="efficientnet_lite0",
        language="en",
        buttons=("more", "dm_button", "teach"),
    )
    assert await settings(world) == expected
    await mod.slash(
        world.channel, "settings what", model="default", language="default", more=False, feedback=True
    )
    changed = {"model": None, "language": None, "buttons": ("dm_button", "feedback", "teach")}
    assert await settings(world) == expected.model_copy(update=changed)


@pytest.mark.whatsit(model=ALLOWED)
@pytest.mark.parametrize(
    ("option", "typed", "why"),
    [
        ("model", "resnet", "Choose one of these: mobilenet_v1_025 or efficientnet_lite0."),
        ("language", "Klingon", "I don't speak “Klingon”. Choose one of these: English, Deutsch, or 日本語."),
    ],
)
async def test_what_there_is_not_is_refused_with_what_there_is(
    world: World, option: str, typed: str, why: str
) -> None:
    answer = await moderator(world).slash(world.channel, "settings what", top=9, **{option: typed})
    assert why in refusal(world, answer)
    assert await settings(world) == GuildSettings()


async def test_where_the_owner_allows_no_model_that_is_said(world: World) -> None:
    answer = await moderator(world).slash(world.channel, "settings what", model="mobilenet_v1_025")
    assert refusal(world, answer) == "The bot's owner allows no model but the default."


@pytest.mark.whatsit(model=ALLOWED)
async def test_models_and_languages_are_completed(world: World, japanese: None) -> None:
    mod = moderator(world)

    async def completed(option: str, typed: str) -> dict[str, str]:
        found = await mod.autocomplete(world.channel, "settings what", option, typed)
        return {choice["value"]: choice["name"] for choice in found}

    assert list(await completed("model", "")) == ["default", "mobilenet_v1_025", "efficientnet_lite0"]
    assert list(await completed("model", "LITE")) == ["efficientnet_lite0"]
    assert await completed("language", "") == {"default": "The server's", "en": "English", "ja": "日本語"}
    assert list(await completed("language", "日")) == ["ja"]
    assert list(await completed("language", "ja")) == ["ja"]
    assert await completed("language", "fr") == {}


async def test_quotas(world: World) -> None:
    mod, friends = moderator(world), world.guild.create_role("friends")
    words = said(
        await mod.slash(
            world.channel, "settings quotas", member=20, server=200, exempt=friends, teacher=friends
        )
    )
    assert words.splitlines()[1:] == [
        "**Pictures per minute, each member**: 20",
        "**Pictures per minute, the whole server**: 200",
        f"**Roles without a limit**: <@&{friends.id}>",
        f"**Roles that may teach me words**: <@&{friends.id}>",
    ]
    await mod.slash(world.channel, "settings quotas", member=0, server=0, limit=friends, unteacher=friends)
    assert await settings(world) == GuildSettings()


@pytest.mark.parametrize(
    ("group", "left"),
    [
        ("where", {"how": "silent", "top": 9, "member_per_minute": 5}),
        ("how", {"where": "only", "top": 9, "member_per_minute": 5}),
        ("what", {"where": "only", "how": "silent", "member_per_minute": 5}),
        ("quotas", {"where": "only", "how": "silent", "top": 9}),
        ("all", {}),
    ],
)
async def test_reset(world: World, group: str, left: dict[str, Any]) -> None:
    change = {"where": "only", "how": "silent", "top": 9, "member_per_minute": 5}
    await world.bot.store.guilds.update(world.guild.id, change)
    words = said(await moderator(world).slash(world.channel, "settings reset", settings=group))
    assert await settings(world) == GuildSettings.model_validate(left)
    assert words.count("###") == (4 if group == "all" else 1)


async def test_without_an_option_nothing_changes_and_it_is_shown(world: World) -> None:
    mod = moderator(world)
    for command in ("where", "how", "what", "quotas"):
        assert said(await mod.slash(world.channel, f"settings {command}")).startswith("### ")
    assert await settings(world) == GuildSettings()


async def test_every_channel_and_role_there_can_be_fits_in_one_message(world: World) -> None:
    ids = tuple(range(10**17, 10**17 + 500))
    for _ in ids[:60]:
        world.guild.create_role("r")
    roles = tuple(role.id for role in world.guild.roles.values())
    lists = {
        "where": "only",
        "channels": ids,
        "ignored_roles": roles,
        "unlimited_roles": roles,
        "teachers": roles,
    }
    await world.bot.store.guilds.update(world.guild.id, lists)
    mod = moderator(world)
    assert len(said(await mod.slash(world.channel, "settings show"))) <= 2000
    for page in ("overview", "where", "quotas"):
        await opened(world, mod, page)


async def test_a_moderator_reads_their_own_language(world: World, japanese: None) -> None:
    mod = moderator(world)
    await world.bot.store.members.update(mod.id, {"language": "ja"})
    assert "**候補の数**: 3" in said(await mod.slash(world.channel, "settings show"))
    assert "**Guesses shown**: 3" in said(await moderator(world, "two").slash(world.channel, "settings show"))


async def test_when_the_store_fails_a_moderator_hears_that_nothing_changed(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")

    async def fails(*_: object) -> None:
        raise StoreUnavailable("the disk is full. Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(world.bot.store.guilds, "update", fails)
        answers = [
            await mod.slash(world.channel, "settings what", top=9),
            await mod.select(panel, ["9"], custom_id="whatsit:settings:set:top"),
        ]
    for answer in answers:
        assert refusal(world, answer).startswith(
            "I can't reach my database right now, so nothing was changed."
        )
    assert caplog.text.count("the disk is full. Make room.") == 2
    assert (await settings(world)).top == 3


@pytest.mark.logs_errors
async def test_what_nobody_foresaw_is_logged_whole_and_said(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")

    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.bot.store.guilds, "update", breaks)
    for answer in (
        await mod.slash(world.channel, "settings what", top=9),
        await mod.select(panel, ["9"], custom_id="whatsit:settings:set:top"),
    ):
        assert (
            refusal(world, answer)
            == "Something went wrong. Try again; if it fails again, tell the bot's owner."
        )
    assert caplog.text.count("ZeroDivisionError") >= 2


async def test_about_to_leave_it_takes_no_press(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    world.bot.work_in_hand.stopping = True
    answer = await mod.select(panel, ["9"], custom_id="whatsit:settings:set:top")
    assert said(answer) == "I'm about to restart. Ask me again in a minute."
    assert (await settings(world)).top == 3
