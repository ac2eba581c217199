"""Sends the commands to Discord, and only when they changed since it last took them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import discord
from discord.app_commands import CommandTree
from discord.http import Route

__all__ = ["sync"]

log = logging.getLogger(__name__)

TIMEOUT = 30.0
"""Seconds; Discord answers a bot that creates too many commands a day with a wait of hours."""


async def sync(tree: CommandTree[Any], folder: Path | None) -> bool:
    """Make Discord's global commands those of `tree`; True if they were sent.

    `folder` remembers the hash of what was last taken, one file an application; None sends every time. A
    refusal is logged and leaves the commands that Discord has: it keeps no bot from answering pictures.
    """
    digest = await _digest(tree)
    record = None if folder is None else folder / f"commands-{tree.client.application_id}.sha256"
    if record is not None and await asyncio.to_thread(_read, record) == digest:
        log.info("Commands are unchanged.")
        return False
    try:
        async with asyncio.timeout(TIMEOUT):
            taken = await tree.sync()
    except (discord.DiscordException, TimeoutError) as error:
        log.warning("Commands were not taken, and are sent again at the next start: %s", error or "timed out")
        return False
    log.info("Commands sent: %s.", ", ".join(command.name for command in taken))
    if record is not None:
        await asyncio.to_thread(_write, record, digest)
    return True


async def _digest(tree: CommandTree[Any]) -> str:
    """The hash of what `tree.sync` would send, and where to.

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


def _read(record: Path) -> str | None:
    try:
        return record.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        log.warning("%s cannot be read, so the commands are sent again: %s", record, error)
        return None


def _write(record: Path, digest: str) -> None:
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(digest, encoding="ascii")
    except OSError as error:
        log.warning("%s cannot be written, so the next start sends the commands again: %s", record, error)
