"""What the bot holds in memory, looked through object by object."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping

import discord

from tests.world import World

LOOKED_INTO = ("bot.", "inference.", "tests.", "discord.ext.commands.cooldowns")
"""The modules whose objects are looked into; of what Discord told of, only whose it is."""


def reachable(thing: object, path: str, seen: set[int]) -> Iterator[tuple[str, object]]:
    """Give each object that can be reached from one of ours, and by which way."""
    if isinstance(thing, (int, str)):
        yield path, thing
    elif id(thing) not in seen and not isinstance(thing, type):
        seen.add(id(thing))
        yield path, thing
        for name, held in _held(thing):
            yield from reachable(held, f"{path}{name}", seen)


def _held(thing: object) -> Iterator[tuple[str, object]]:
    if isinstance(thing, Mapping):
        for key, value in list(thing.items()):
            yield " key", key
            yield f"[{key!r}]", value
    elif isinstance(thing, (list, tuple, set, frozenset, deque)):
        yield from (("[]", each) for each in list(thing))
    elif isinstance(thing, asyncio.Future):
        if thing.done() and not thing.cancelled() and thing.exception() is None:
            yield ".result", thing.result()
    elif type(thing).__module__.startswith(LOOKED_INTO):
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        names = {**getattr(thing, "__dict__", {}), **{name: getattr(thing, name, None) for name in slots}}
        yield from ((f".{name}", value) for name, value in names.items())


def roots(world: World) -> dict[str, object]:
    """Where to begin: the services of the bot, and what discord.py keeps of people for it."""
    state = world.bot._connection
    ours = {
        name: value for name, value in vars(world.bot).items() if type(value).__module__.startswith("bot.")
    }
    direct = [each for each in state._private_channels.values() if isinstance(each, discord.DMChannel)]
    return {
        **dict(world.bot.cogs),
        **ours,
        "direct messages": [channel.recipient for channel in direct],
        "direct messages by person": state._private_channels_by_user,
        "messages": list(state._messages or ()),
        "members": [member for guild in world.bot.guilds for member in guild.members],
        "views": list(vars(state._view_store).values()),
    }


def everything(world: World) -> Iterator[tuple[str, object]]:
    """Give each object in the bot's memory, but for what stands in for Discord and the model."""
    seen = {id(world.bot), id(world.classifier), id(world.fetcher)}
    for name, root in roots(world).items():
        yield from reachable(root, name, seen)


def places_of(world: World, wanted: int) -> list[str]:
    """Where an id stands: as itself, as text, or as the id of what Discord told of, or of its author."""
    return [path for path, thing in everything(world) if _is(wanted, thing)]


def _is(wanted: int, thing: object) -> bool:
    if isinstance(thing, (int, str)):
        return str(wanted) in str(thing)
    if isinstance(thing, (discord.Message, discord.abc.Snowflake)):
        return wanted in (getattr(thing, "id", 0), getattr(getattr(thing, "author", None), "id", 0))
    return False
