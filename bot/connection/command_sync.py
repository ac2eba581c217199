"""Send the commands to Discord, and only when they have changed since it last took them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from typing import Any

import discord
from discord.app_commands import CommandTree
from discord.http import Route

from bot.store import StoreError
from bot.store.bot_notes import Notes

log = logging.getLogger(__name__)

TIMEOUT = 30.0
"""Seconds; Discord answers a bot that creates too many commands a day with a wait of hours."""


async def sync(tree: CommandTree[Any], notes: Notes) -> bool:
    """Make Discord's global commands those of `tree`; return whether they were sent.

    `notes` remembers the hash of what was last taken, for each application. A refusal is logged and leaves
    the commands that Discord has: it keeps no bot from answering pictures.
    """
    digest = await _digest(tree)
    key = f"commands {tree.client.application_id}"
    if await _noted(notes, key) == digest:
        log.info("Commands are unchanged.")
        return False
    try:
        async with asyncio.timeout(TIMEOUT):
            taken = await tree.sync()
    except (discord.DiscordException, TimeoutError) as error:
        log.warning("Commands were not taken, and are sent again at the next start: %s", error or "timed out")
        return False
    log.info("Commands sent: %s.", ", ".join(command.name for command in taken))
    try:
        await notes.set(key, digest)
    except StoreError as error:
        log.warning("The next start sends the commands again: %s", error)
    return True


async def _noted(notes: Notes, key: str) -> str | None:
    try:
        return await notes.get(key)
    except StoreError as error:
        log.warning("The commands are sent again: %s", error)
        return None


async def _digest(tree: CommandTree[Any]) -> str:
    """Return the hash of what `tree.sync` would send, and of where it would be sent.

    `fetch_commands` cannot be compared with instead: discord.py 2.7.1 misreads integration types and contexts
    and asks for no localisations.
    """
    translator = tree.translator
    commands = tree.get_commands()
    payload = [
        command.to_dict(tree)
        if translator is None
        else await command.get_translated_payload(tree, translator)
        for command in commands
    ]
    text = json.dumps([Route.BASE, payload], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
