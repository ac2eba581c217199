"""Everything that the store holds of a member, as a file for the member."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import discord

from bot.answering.ledger import Ledger
from bot.delivery.interaction_responses import defer, hand_over
from bot.discord_limits import FILE_BYTES
from bot.i18n import N_, Language
from bot.store import Store

FORMAT = 1
FILE_NAME = "whatsit-{user_id}.json"
HERE_IT_IS = N_("This is everything I keep about you. Only you have this file.")
NOT_HERE = (
    "What is in memory alone: how much of your limit you have used, and whether you were told how to ask.",
    "The tokens of your open commands: whoever has one can answer in the bot's name for 15 minutes.",
)
EXACT_IN_JSON = 2**53
"""Whole numbers from here on are text, as Discord does it: many programs cannot hold them."""


class PrivacyExport:
    """Makes the file, and sends it to the member alone."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    async def send(self, interaction: discord.Interaction[Any], language: Language) -> None:
        """Send the file by direct message, or where that is closed as a response for the asker's eyes only.

        Raises a `StoreError`.
        """
        async with self._ledger.open_press(interaction):
            if await defer(interaction, private=True) is None:
                return
            user_id = interaction.user.id
            kept = await self._store.personal.rows(user_id)
            # This very command is written down as long as it waits for its answer.
            kept["open_interaction"] = [
                row for row in kept["open_interaction"] if row["interaction_id"] != interaction.id
            ]
            name, data = await asyncio.to_thread(exported, user_id, kept, discord.utils.utcnow())
            await hand_over(interaction, name, data, language.gettext(HERE_IT_IS), language)


def exported(
    user_id: int, kept: Mapping[str, Sequence[Mapping[str, Any]]], made_at: datetime
) -> tuple[str, bytes]:
    """Return the file's name and content: JSON, compressed where Discord would not take it otherwise."""
    content = {
        "whatsit_export": FORMAT,
        "user_id": str(user_id),
        "made_at": made_at.isoformat(),
        "kept": {table: [_plain(row) for row in rows] for table, rows in kept.items()},
        "not_in_this_file": NOT_HERE,
    }
    name, data = FILE_NAME.format(user_id=user_id), json.dumps(content, ensure_ascii=False, indent=1).encode()
    return (name, data) if len(data) <= FILE_BYTES else (f"{name}.gz", gzip.compress(data))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with ids as text, moments in ISO 8601, and bytes in Base64."""
    return {column: _value(column, value) for column, value in row.items()}


def _value(column: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if type(value) is int and (column.endswith("_id") or abs(value) >= EXACT_IN_JSON):
        return str(value)
    return value
