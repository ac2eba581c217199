"""Read and mark the rows of a server's taught labels and examples, within somebody else's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import TaughtExample, TaughtLabel
from bot.store.taught_results import AlreadyTaught, NewExample


def label_named(names: Mapping[int, str], name: str) -> int | None:
    """Return the label that has this name, in whatever case; None if none has."""
    folded = name.casefold()
    return next((label for label, each in names.items() if each.casefold() == folded), None)


async def label_names(connection: AsyncConnection, guild_id: int) -> dict[int, str]:
    """Return the labels of a server that are in use, by number."""
    query = select(TaughtLabel.label, TaughtLabel.name).where(
        TaughtLabel.guild_id == guild_id, TaughtLabel.removed.is_(None)
    )
    return {row.label: row.name for row in await connection.execute(query)}


async def label_numbers(connection: AsyncConnection, guild_id: int) -> Sequence[int]:
    """Return the numbers that labels of a server have, or had and may have again."""
    query = select(TaughtLabel.label).where(TaughtLabel.guild_id == guild_id)
    return (await connection.execute(query)).scalars().all()


async def example_count(connection: AsyncConnection, guild_id: int, kind: str, label: int | None) -> int:
    """Count the examples of a label and a kind; without a label, those of "none of these"."""
    query = select(func.count()).where(
        TaughtExample.guild_id == guild_id,
        TaughtExample.kind == kind,
        TaughtExample.label == label,
        TaughtExample.removed.is_(None),
    )
    return int((await connection.execute(query)).scalar() or 0)


async def unknown_of(
    connection: AsyncConnection,
    guild_id: int,
    kind: str,
    examples: Sequence[NewExample],
    *,
    all_known: bool = False,
) -> list[NewExample]:
    """Return the examples that the server does not have yet.

    Raises `AlreadyTaught` if there is none, unless `all_known` may be.
    """
    given = {each.fingerprint: each for each in examples}
    query = select(TaughtExample.fingerprint, TaughtExample.label).where(
        TaughtExample.guild_id == guild_id,
        TaughtExample.kind == kind,
        TaughtExample.removed.is_(None),
        TaughtExample.fingerprint.in_(list(given)),
    )
    known = {row.fingerprint: row.label for row in await connection.execute(query)}
    new = [each for fingerprint, each in given.items() if fingerprint not in known]
    if not new and not all_known:
        label = next(iter(known.values()))
        names = await label_names(connection, guild_id)
        raise AlreadyTaught(None if label is None else names.get(label))
    return new


async def remove(
    connection: AsyncConnection,
    table: type[TaughtLabel | TaughtExample],
    guild_id: int,
    numbers: Sequence[int],
    change: int,
) -> None:
    """Mark labels or examples as taken away by a change."""
    number = TaughtLabel.label if table is TaughtLabel else TaughtExample.example
    await connection.execute(
        update(table).where(table.guild_id == guild_id, number.in_(numbers)).values(removed=change)
    )
