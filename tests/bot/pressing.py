"""What is to be pressed under a message, and what a press shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from simcord.actors import MemberActor
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from tests.world import World

Shown = ResponseMessage | discord.Message


def pressable(message: Shown) -> list[str]:
    """The labels of buttons and the placeholders of menus."""
    rows: Sequence[Any] = message.components
    raw = [row if isinstance(row, dict) else row.to_dict() for row in rows]
    return [
        str(item.get("label") or item.get("placeholder"))
        for item in walk_components(raw)
        if item["type"] != discord.ComponentType.action_row.value
    ]


def options(message: Shown) -> dict[str, str]:
    """The menu's options, by label."""
    rows: Sequence[Any] = message.components
    raw = [row if isinstance(row, dict) else row.to_dict() for row in rows]
    return {
        option["label"]: option["value"]
        for item in walk_components(raw)
        for option in item.get("options", ())
    }


def private(result: InteractionResult) -> ResponseMessage:
    """What the presser, and nobody else, sees."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def description(message: Shown) -> str:
    (embed,) = message.embeds
    return str(embed.description)


def now(world: World, message: ResponseMessage) -> ResponseMessage:
    """The message as it stands after a press that changed it."""
    return ResponseMessage(
        world.env, world.env.backend.get_message(message.message.channel.id, message.message.id)
    )


def member(world: World, name: str, permissions: discord.Permissions | None = None) -> MemberActor:
    role = world.guild.create_role(name, permissions=permissions) if permissions else None
    return world.guild.add_member(world.env.create_user(name), roles=[role] if role else [])
