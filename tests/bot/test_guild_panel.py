"""The panel of `/settings panel`: every setting in it, saved and shown at once, for whoever may."""

from __future__ import annotations

import discord
import pytest
from simcord.backend.errors import SetupError

from bot.i18n import languages
from bot.store import GuildSettings
from tests.bot.moderation import demote, moderator, opened, refusal, said, settings, shown, text
from tests.world import World

ALLOWED = {"allowed": ["mobilenet_v1_025", "efficientnet_lite0"]}


async def test_it_opens_for_a_moderators_eyes_only_and_shows_everything(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod)
    words = text(world, panel)
    for part in (
        "Channels",
        "Replies",
        "Answers",
        "Limits",
        "All channels",
        "A reply",
        "30%",
        "MobileNetV2",
        "No limit",
    ):
        assert part in words
    assert await settings(world) == GuildSettings()


@pytest.mark.whatsit(model=ALLOWED)
@pytest.mark.parametrize("language", list(languages))
async def test_every_page_and_form_is_within_discords_limits_in_every_language(
    world: World, language: str
) -> None:
    """`world` checks every body against Discord's schema."""
    mod = moderator(world)
    await world.bot.store.members.update(mod.id, {"language": language})
    for page in ("overview", "where", "how", "what", "quotas"):
        panel = await opened(world, mod, page)
        assert ("Settings" in text(world, panel)) == (language == "en")
        if page == "quotas":
            form = await mod.click(panel, label=languages.of(language).gettext("Change the limits…"))
            assert form.modal is not None
    await mod.select(await opened(world, mod, "how"), ["react"], custom_id="whatsit:settings:set:how")
    assert (await settings(world)).how == "react"


async def test_members_do_not_find_the_command(world: World) -> None:
    with pytest.raises(SetupError, match="default-member-permissions"):
        await world.alice.slash(world.channel, "settings panel")


async def test_whoever_an_administrator_let_in_without_the_right_is_told_so(world: World) -> None:
    command = world.env.backend.find_command("settings", world.guild.id, type=1)
    assert command is not None
    world.guild.set_command_permissions(int(command["id"]), {world.alice: True})
    answer = await world.alice.slash(world.channel, "settings what", top=9)
    assert "Manage Server" in refusal(world, answer)
    assert (await settings(world)).top == 3


@pytest.mark.whatsit(model=ALLOWED)
@pytest.mark.parametrize(
    ("page", "field", "choice", "value", "shows"),
    [
        ("where", "where", "only", "only", "[x] Only the channels listed"),
        ("where", "where", "except", "except", "[x] All channels except the ones listed"),
        ("how", "how", "silent", "silent", "[x] A silent reply"),
        ("how", "how", "react", "react", "[x] A reaction"),
        ("how", "how", "direct", "direct", "[x] A DM, for members who opted in"),
        ("how", "how", "on_demand", "on_demand", "[x] Only when asked"),
        ("what", "top", "10", 10, "[x] 10"),
        ("what", "min_confidence", "0.55", 0.55, "[x] 55%"),
        ("what", "model", "mobilenet_v1_025", "mobilenet_v1_025", "[x] MobileNetV1 0.25"),
        ("what", "language", "en", "en", "[x] English"),
    ],
)
async def test_a_choice_is_saved_and_shown_at_once(  # noqa: PLR0917
    world: World, page: str, field: str, choice: str, value: object, shows: str
) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, page)
    assert shows not in text(world, panel)
    result = await mod.select(panel, [choice], custom_id=f"whatsit:settings:set:{field}")
    assert shown(result).id == panel.id
    assert shows in text(world, panel)
    assert getattr(await settings(world), field) == value


@pytest.mark.whatsit(model=ALLOWED)
async def test_the_usual_model_and_language_can_be_had_again(world: World) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"model": "efficientnet_lite0", "language": "en"})
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    await mod.select(panel, ["default"], custom_id="whatsit:settings:set:model")
    await mod.select(panel, ["default"], custom_id="whatsit:settings:set:language")
    assert await settings(world) == GuildSettings()
    assert "[x] Default (MobileNetV2)" in text(world, panel)


async def test_without_other_models_there_is_nothing_to_choose(world: World) -> None:
    panel = await opened(world, moderator(world), "what")
    assert "Model" not in text(world, panel)


@pytest.mark.whatsit(model=ALLOWED)
async def test_a_model_the_owner_took_back_is_refused_by_an_old_panel(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    await world.restart(model={"allowed": ["efficientnet_lite0"]})
    answer = await mod.select(panel, ["mobilenet_v1_025"], custom_id="whatsit:settings:set:model")
    assert (
        said(answer)
        == "There is no model “mobilenet\\_v1\\_025” here. Choose one of these: efficientnet_lite0."
    )
    assert (await settings(world)).model is None


async def test_buttons_can_be_taken_away_one_by_one_and_all(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    await mod.select(panel, ["alt_text", "more"], custom_id="whatsit:settings:set:buttons")
    assert (await settings(world)).buttons == ("more", "alt_text")
    assert "[ ] Was this right?" in text(world, panel)
    await mod.select(panel, [], custom_id="whatsit:settings:set:buttons")
    assert (await settings(world)).buttons == ()


async def test_channels_are_ticked_and_unticked(world: World) -> None:
    other, forum = world.guild.create_text_channel("other"), world.guild.create_forum_channel("posts")
    group, thread = world.guild.create_category("group"), world.thread(world.channel)
    mod = moderator(world)
    panel = await opened(world, mod, "where")
    assert "**Channels**" not in text(world, panel)
    await mod.select(panel, ["only"], custom_id="whatsit:settings:set:where")
    menu = "whatsit:settings:list:channels"
    await mod.select(panel, [thread, other, forum, group], custom_id=menu)
    assert set((await settings(world)).channels) == {world.channel.id, other.id, forum.id, group.id}
    await mod.select(panel, [other], custom_id=menu)
    assert (await settings(world)).channels == (other.id,)
    await mod.select(panel, [], custom_id=menu)
    assert (await settings(world)).channels == ()


@pytest.mark.parametrize(("page", "field"), [("where", "ignored_roles"), ("quotas", "unlimited_roles")])
async def test_roles_are_ticked_and_unticked(world: World, page: str, field: str) -> None:
    bots, friends = world.guild.create_role("bots"), world.guild.create_role("friends")
    mod = moderator(world)
    panel = await opened(world, mod, page)
    menu = f"whatsit:settings:list:{field}"
    await mod.select(panel, [bots, friends], custom_id=menu)
    assert set(getattr(await settings(world), field)) == {bots.id, friends.id}
    await mod.select(panel, [friends], custom_id=menu)
    assert getattr(await settings(world), field) == (friends.id,)


async def test_a_list_longer_than_a_menu_is_added_to(world: World) -> None:
    channels = [world.guild.create_text_channel(f"c{number}") for number in range(40)]
    await world.bot.store.guilds.update(
        world.guild.id, {"where": "only", "channels": [channel.id for channel in channels[:30]]}
    )
    mod = moderator(world)
    panel = await opened(world, mod, "where")
    words = text(world, panel)
    assert f"<#{channels[0].id}>" in words
    assert "and 18 more" in words
    assert "To remove one: `/settings where remove:`" in words
    await mod.select(panel, channels[35:], custom_id="whatsit:settings:list:channels")
    assert len((await settings(world)).channels) == 35


async def test_channels_and_roles_that_are_gone_are_not_shown(world: World) -> None:
    gone, role = world.guild.create_text_channel("gone"), world.guild.create_role("r")
    change = {"where": "only", "channels": [gone.id], "ignored_roles": [role.id, 12345678901234567]}
    await world.bot.store.guilds.update(world.guild.id, change)
    world.env.backend.delete_channel(gone.id)
    await world.env.settle()
    words = text(world, await opened(world, moderator(world)))
    assert str(gone.id) not in words
    assert "12345678901234567" not in words
    assert f"<@&{role.id}>" in words


async def test_numbers_are_typed(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "quotas")
    form = await mod.click(panel, label="Change the limits…")
    await mod.submit_modal(form, {"member_per_minute": " 12", "guild_per_minute": "300"})
    now = await settings(world)
    assert (now.member_per_minute, now.guild_per_minute) == (12, 300)
    assert "**Pictures per minute, each member**: 12" in text(world, panel)

    form = await mod.click(panel, label="Change the limits…")
    assert form.modal is not None
    assert [field["component"]["value"] for field in form.modal["components"]] == ["12", "300"]
    await mod.submit_modal(form, {"member_per_minute": "", "guild_per_minute": ""})
    assert await settings(world) == GuildSettings()
    assert "Default (10)" in text(world, panel)


@pytest.mark.parametrize("typed", ["0", "-1", "many", "10001", "1.5", "9" * 6])
async def test_what_is_no_number_is_refused_by_its_name(world: World, typed: str) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "quotas")
    form = await mod.click(panel, label="Change the limits…")
    answer = await mod.submit_modal(form, {"member_per_minute": "12", "guild_per_minute": typed})
    given = discord.utils.escape_markdown(typed)
    assert said(answer).startswith(f"Pictures per minute, the whole server: “{given}” isn't valid.")
    assert await settings(world) == GuildSettings()
    assert "No limit" in text(world, panel)


async def test_the_emoji_of_the_reaction_is_typed(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "how")
    await mod.select(panel, ["react"], custom_id="whatsit:settings:set:how")
    await mod.submit_modal(await mod.click(panel, label="Change the emoji…"), {"emoji": "👀"})
    assert (await settings(world)).emoji == "👀"
    assert "**Reaction**: 👀" in text(world, panel)

    own = world.guild.create_emoji("whatsit")  # of which no event tells the bot
    await mod.submit_modal(
        await mod.click(panel, label="Change the emoji…"), {"emoji": f"<:whatsit:{own.id}>"}
    )
    assert (await settings(world)).emoji == f"<:whatsit:{own.id}>"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("look", "“look” isn't an emoji"),
        ("👀👀", "“👀👀” isn't an emoji"),
        ("…", "“…” isn't an emoji"),
        ("<:strange:123456789012345678>", "That emoji is from a server"),
    ],
)
async def test_what_is_no_emoji_is_refused(world: World, typed: str, why: str) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"how": "react"})
    mod = moderator(world)
    panel = await opened(world, mod, "how")
    answer = await mod.submit_modal(await mod.click(panel, label="Change the emoji…"), {"emoji": typed})
    assert why in said(answer)
    assert (await settings(world)).emoji == "🔍"


async def test_one_page_or_everything_is_reset(world: World) -> None:
    change = {"top": 9, "how": "silent", "where": "only", "member_per_minute": 5}
    await world.bot.store.guilds.update(world.guild.id, change)
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    await mod.click(panel, label="Reset this page")
    assert "[x] 3" in text(world, panel)
    assert await settings(world) == GuildSettings(how="silent", where="only", member_per_minute=5)

    await mod.click(panel, custom_id="whatsit:settings:open:overview")
    await mod.click(panel, label="Reset everything…")
    await mod.click(panel, label="Cancel")
    assert (await settings(world)).how == "silent"
    await mod.click(panel, label="Reset everything…")
    await mod.click(panel, label="Reset everything")
    assert await settings(world) == GuildSettings()
    assert "A reply" in text(world, panel)


async def test_it_works_on_after_a_restart(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "quotas")
    form = await mod.click(panel, label="Change the limits…")
    await world.restart()
    await mod.submit_modal(form, {"member_per_minute": "7"})
    await mod.click(panel, custom_id="whatsit:settings:open:how")
    await mod.select(panel, ["silent"], custom_id="whatsit:settings:set:how")
    assert "[x] A silent reply" in text(world, panel)
    await world.restart()
    now = await settings(world)
    assert (now.member_per_minute, now.how) == (7, "silent")


async def test_who_is_demoted_can_change_nothing_any_more(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "quotas")
    form = await mod.click(panel, label="Change the limits…")
    demote(world, mod)
    refusals = [
        await mod.submit_modal(form, {"member_per_minute": "7"}),
        await mod.click(panel, label="Reset this page"),
        await mod.click(panel, custom_id="whatsit:settings:open:what"),
    ]
    assert [said(refusal) for refusal in refusals] == ["You need Manage Server to see or change these."] * 3
    assert await settings(world) == GuildSettings()


async def test_two_moderators_do_not_undo_each_other(world: World) -> None:
    one, two = moderator(world, "one"), moderator(world, "two")
    other = world.guild.create_text_channel("other")
    await world.bot.store.guilds.update(world.guild.id, {"where": "only"})
    first, second = await opened(world, one, "where"), await opened(world, two, "where")
    menu = "whatsit:settings:list:channels"
    await one.select(first, [world.channel], custom_id=menu)
    await two.select(second, [other], custom_id=menu)  # whose panel does not show the first one's channel
    assert set((await settings(world)).channels) == {world.channel.id, other.id}

    await two.select(second, ["except"], custom_id="whatsit:settings:set:where")
    await one.click(first, custom_id="whatsit:settings:open:what")
    await one.select(first, ["7"], custom_id="whatsit:settings:set:top")
    now = await settings(world)
    assert (now.where, now.top, len(now.channels)) == ("except", 7, 2)


async def test_of_another_version_it_says_so(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "what")
    stored = world.env.backend.get_message(panel.channel.id, panel.id)
    stored.components[0]["components"][4]["components"][0]["custom_id"] = "whatsit:settings:set:mood"
    answer = await mod.select(panel, ["5"], custom_id="whatsit:settings:set:mood")
    assert said(answer) == "This panel is out of date. Open a new one."


async def test_that_no_channel_is_listed_is_pointed_out(world: World) -> None:
    mod = moderator(world)
    panel = await opened(world, mod, "where")
    await mod.select(panel, ["only"], custom_id="whatsit:settings:set:where")
    warning = "No channel is listed yet, so I don't reply automatically anywhere."
    assert warning in text(world, panel)
    await mod.select(panel, [world.channel], custom_id="whatsit:settings:list:channels")
    assert warning not in text(world, panel)
