"""What was changed of a server's taught labels, and how the last changes are undone.

What a change takes away stays in its table, marked with the change's number, until the change can no longer
be undone. What is erased because of whose it is, is erased there too, and no undo can bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import TaughtExample, TaughtLabel, TeachingChange

What = Literal["teach", "rename", "merge", "remove", "import"]

MOST_CHANGES = 20
"""Changes of a server that can be undone; with the next one, the oldest can no longer be."""


async def record(
    connection: AsyncConnection, guild_id: int, what: What, detail: Mapping[str, Any], now: datetime
) -> int:
    """Write a change down, forget those that are too old for an undo, and return its number."""
    latest = select(func.max(TeachingChange.change)).where(TeachingChange.guild_id == guild_id)
    change = int((await connection.execute(latest)).scalar() or 0) + 1
    values = {"guild_id": guild_id, "change": change, "what": what, "detail": dict(detail), "made_at": now}
    await connection.execute(insert(TeachingChange).values(values))
    await forget(connection, guild_id, change - MOST_CHANGES)
    return change


async def forget(connection: AsyncConnection, guild_id: int, until: int) -> int:
    """Forget a server's changes up to a number, and what they took away; return how many rows that were."""
    deleted = 0
    for table, number in (
        (TaughtExample, TaughtExample.removed),
        (TaughtLabel, TaughtLabel.removed),
        (TeachingChange, TeachingChange.change),
    ):
        old = delete(table).where(table.guild_id == guild_id, number <= until)
        deleted += (await connection.execute(old)).rowcount
    return deleted


async def undo(connection: AsyncConnection, guild_id: int, change: int, what: str, detail: Any) -> None:
    """Put back what the last change of a server changed, and strike the change out."""
    examples, labels = TaughtExample, TaughtLabel
    of_guild = {table: table.guild_id == guild_id for table in (examples, labels)}
    match what:
        case "teach" | "import":
            await _delete_examples(connection, guild_id, detail["examples"])
            # A label that had been there before stays, and one that others have used since cannot be here:
            # their change would be the last one.
            new = delete(labels).where(of_guild[labels], labels.label.in_(detail["new"]))
            await connection.execute(new)
        case "rename":
            renamed = update(labels).where(of_guild[labels], labels.label == detail["label"])
            await connection.execute(renamed.values(name=detail["name"]))
        case "merge":
            moved = update(examples).where(of_guild[examples], examples.example.in_(detail["examples"]))
            await connection.execute(moved.values(label=detail["label"]))
    for table in (examples, labels):
        back = update(table).where(of_guild[table], table.removed == change)
        await connection.execute(back.values(removed=None))
    done = delete(TeachingChange).where(TeachingChange.guild_id == guild_id, TeachingChange.change == change)
    await connection.execute(done)


async def _delete_examples(
    connection: AsyncConnection, guild_id: int, spans: Sequence[Sequence[int]]
) -> None:
    """Delete examples by spans of numbers, the first and the last of each."""
    within = [TaughtExample.example.between(first, last) for first, last in spans]
    if within:
        await connection.execute(
            delete(TaughtExample).where(TaughtExample.guild_id == guild_id, or_(*within))
        )
