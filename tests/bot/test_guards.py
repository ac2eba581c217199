"""Guards over the whole bot: names that are unique, and events that do arrive."""

from __future__ import annotations

from collections import Counter

import discord

from tests.world import World

BRINGS = {
    "on_message": "messages",
    "on_raw_message_edit": "messages",
    "on_raw_message_delete": "messages",
    "on_raw_bulk_message_delete": "messages",
    "on_raw_reaction_add": "guild_reactions",
    "on_guild_available": "guilds",
    "on_guild_join": "guilds",
    "on_guild_remove": "guilds",
    "on_guild_unavailable": "guilds",
    "on_guild_channel_delete": "guilds",
    "on_guild_channel_update": "guilds",
    "on_guild_role_update": "guilds",
    "on_guild_role_delete": "guilds",
    "on_member_update": "guilds",  # of the bot itself, whatever the intents; of others it needs none
    "on_raw_thread_delete": "guilds",
    "on_thread_update": "guilds",
    **dict.fromkeys(("on_interaction", "on_connect", "on_disconnect", "on_ready", "on_resumed")),
}
"""The intent without which Discord does not send what a listener listens to; None if it always does."""


async def test_no_two_commands_have_the_same_name(world: World) -> None:
    tree = world.bot.tree
    slash = Counter(command.qualified_name for command in tree.walk_commands())
    menus = Counter(
        (kind, command.name)
        for kind in (discord.AppCommandType.message, discord.AppCommandType.user)
        for command in tree.get_commands(type=kind)
    )
    assert {"classify", "preferences", "settings where"} <= set(slash)
    assert set(slash.values()) == set(menus.values()) == {1}


async def test_every_listener_hears_what_it_listens_to_and_no_intent_is_idle(world: World) -> None:
    needed = {BRINGS[name] for cog in world.bot.cogs.values() for name, _ in cog.get_listeners()}
    intents = world.bot.intents
    assert all(getattr(intents, name) for name in needed - {None} if name)
    asked = {name for name, on in intents if on} - {"message_content"}
    assert asked == {"guild_messages", "dm_messages", "guilds", "guild_reactions"}


async def test_no_cog_listens_twice_to_the_same_event(world: World) -> None:
    heard = [(type(cog).__name__, name) for cog in world.bot.cogs.values() for name, _ in cog.get_listeners()]
    assert len(heard) == len(set(heard))
