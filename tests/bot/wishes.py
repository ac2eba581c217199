"""What the tests of settings and preferences have in common: somebody wishes, and something is seen."""

from __future__ import annotations

from typing import Any

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from tests.world import World, picture

__all__ = ["post", "reactions", "server", "wish"]


async def server(world: World, **settings: Any) -> None:
    """A moderator sets the server up."""
    await world.bot.store.guilds.update(world.guild.id, settings)


async def wish(world: World, member: MemberActor, **preferences: Any) -> None:
    """A member says how to be treated."""
    await world.bot.store.members.update(member.id, preferences)


async def post(
    world: World,
    channel: ChannelHandle | None = None,
    *,
    member: MemberActor | None = None,
    content: str = "",
) -> discord.Message:
    """A member posts a picture."""
    return await (member or world.alice).send(channel or world.channel, content, attachments=[picture()])


def reactions(world: World, message: discord.Message) -> list[str]:
    """The emoji under a message, whoever set them."""
    stored = world.env.backend.get_message(message.channel.id, message.id)
    return [reaction.emoji for reaction in stored.reactions]
