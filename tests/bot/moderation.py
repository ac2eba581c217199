"""Who changes settings in the tests, and what they see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
from simcord.actors import MemberActor
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.store import GuildSettings
from tests.world import World

__all__ = ["demote", "moderator", "opened", "refusal", "said", "settings", "shown", "text"]

ROLE = "moderators"


def moderator(world: World, name: str = "mod") -> MemberActor:
    """Somebody who may manage the server."""
    role = world.guild.roles.get(ROLE) or world.guild.create_role(
        ROLE, permissions=discord.Permissions(manage_guild=True)
    )
    return world.guild.add_member(world.env.create_user(name), roles=[role])


def demote(world: World, member: MemberActor) -> None:
    """From now on they may not."""
    world.env.backend.remove_member_role(world.guild.id, member.id, world.guild.roles[ROLE].id)


async def opened(world: World, member: MemberActor, page: str = "overview") -> discord.Message:
    """A panel that this member has opened, at one of its pages."""
    message = shown(await member.slash(world.channel, "settings panel")).message
    if page != "overview":
        await member.click(message, custom_id=f"whatsit:settings:open:{page}")
    return message


async def settings(world: World) -> GuildSettings:
    """What stands for the server."""
    return await world.bot.store.guilds.get(world.guild.id)


def shown(result: InteractionResult) -> ResponseMessage:
    """The answer to an interaction, which is for one person's eyes only."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def said(result: InteractionResult) -> str:
    """The words of an answer in words."""
    return shown(result).content


def refusal(world: World, result: InteractionResult) -> str:
    """The words with which a command was refused; to discord.py that is an error, which the cog handles."""
    assert world.env.errors
    return said(result)


def text(world: World, message: discord.Message) -> str:
    """All words of a panel as it stands now."""
    return "\n".join(_words(world, message))


def _words(world: World, message: discord.Message) -> Iterator[str]:
    stored = world.env.backend.get_message(message.channel.id, message.id)
    for component in walk_components(stored.components):
        yield from (str(component[key]) for key in ("content", "label") if component.get(key))
        yield from (_option(option) for option in component.get("options", ()))


def _option(option: dict[str, Any]) -> str:
    return f"{'[x]' if option['default'] else '[ ]'} {option['label']}"
