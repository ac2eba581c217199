"""Whose a row is, its columns say: so a new table is counted, exported and erased like the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Column, Table, insert

from bot.store import GuildSettings, MemberPreferences, Store
from bot.store.personal_data import SECRET_COLUMNS
from bot.store.tables import Base, Instant
from tests.bot.store.conftest import Place

ALICE, BOB = 2**60 + 0x5EC3E7A11CE, 2**60 + 0x5EC3E7B0B
SERVER, ELSEWHERE = 2**60 + 0x5EC3E75E, 2**60 + 0x5EC3E7E15E
CHANNEL, ASIDE = 2**60 + 0x5EC3E7C, 2**60 + 0x5EC3E7A51D
OWNERS = {"user_id": (ALICE, BOB), "guild_id": (SERVER, ELSEWHERE), "channel_id": (CHANNEL, ASIDE)}


def value(column: Column[Any], row: int) -> Any:
    """Something that fits into a column."""
    if isinstance(column.type, Instant):
        return datetime(2026, 3, 1, tzinfo=UTC)
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, JSON):
        return True
    if column.type.python_type is bytes:
        return bytes([row])
    if column.type.python_type is str:
        return f"what {row} wrote"[: getattr(column.type, "length", None)]
    return (2**62 if isinstance(column.type, BigInteger) else 0) + row  # younger than any owner


async def fill(store: Store, rows: int = 3) -> None:
    """Write `rows` rows of each of two owners into every table that there is."""
    async with store._database.transaction() as connection:
        for table in Base.metadata.tables.values():
            for row in range(2 * rows):
                owner = {name: ids[row % 2] for name, ids in OWNERS.items() if name in table.c}
                if set(table.primary_key.columns.keys()) <= set(owner) and row > 1:
                    continue  # one row for each owner is all that fits
                values = {column.name: value(column, row) for column in table.c}
                await connection.execute(insert(table).values({**values, **owner}))


async def owners(place: Place, column: str) -> dict[str, set[object]]:
    """Whose rows each table holds that has this column."""
    return {
        table.name: {found for (found,) in await place.rows(f'SELECT {column} FROM "{table.name}"')}  # noqa: S608 - our own names
        for table in having(column)
    }


def having(*columns: str) -> Iterable[Table]:
    return [table for table in Base.metadata.tables.values() if set(columns) & set(table.c.keys())]


@pytest.mark.parametrize("column", ["user_id", "guild_id", "channel_id"])
async def test_erasing_empties_every_table_of_one_owner_and_of_no_other(place: Place, column: str) -> None:
    gone, stays = OWNERS[column]
    async with place.opened() as store:
        await fill(store)
        assert all(held == {gone, stays} for held in (await owners(place, column)).values())
        match column:
            case "user_id":
                await store.erase_user(gone)
            case "guild_id":
                await store.erase_guild(gone)
            case _:
                await store.erase_channel(SERVER, gone)
        left: dict[str, set[object]] = {table.name: {stays} for table in having(column)}
        if column == "channel_id":
            left["taught_example"].add(None)  # it outlives the channel, without the link to it
        assert await owners(place, column) == left


async def test_who_was_erased_is_not_even_known_in_memory(store: Store) -> None:
    await store.members.update(ALICE, {"delivery": "direct", "leave_alone": True})
    await store.guilds.update(SERVER, {"top": 7})
    await store.erase_user(ALICE)
    await store.erase_guild(SERVER)
    assert not store.members._known
    assert not store.guilds._known
    assert await store.members.get(ALICE) == MemberPreferences()
    assert await store.guilds.get(SERVER) == GuildSettings()


@pytest.mark.parametrize("wish", [True, False])
async def test_the_wish_to_be_left_alone_stays_where_it_is_to_stay(place: Place, wish: bool) -> None:
    async with place.opened() as store:
        await store.members.update(ALICE, {"delivery": "direct", "leave_alone": wish})
        await store.erase_user(ALICE, with_wish=False)
        assert await store.members.get(ALICE) == MemberPreferences(leave_alone=wish)
        rows = await place.rows("SELECT field FROM member_preference")
        assert rows == [("leave_alone",)] * wish
        await store.erase_user(ALICE)
        assert await place.rows("SELECT field FROM member_preference") == []
    async with place.opened() as store:
        assert await store.members.get(ALICE) == MemberPreferences()


async def test_counts_and_rows_are_those_of_one_person_in_every_table(store: Store) -> None:
    await fill(store)
    counts, rows = await store.personal.counts(ALICE), await store.personal.rows(ALICE)
    assert set(counts) == set(rows) == {table.name for table in having("user_id")}
    assert counts == {name: len(found) for name, found in rows.items()} == dict.fromkeys(counts, 3)
    assert all(row["user_id"] == ALICE for found in rows.values() for row in found)


async def test_a_secret_is_nobodys_to_read(store: Store) -> None:
    await fill(store)
    shown = {
        column for found in (await store.personal.rows(ALICE)).values() for row in found for column in row
    }
    assert not shown & SECRET_COLUMNS
    secret = re.compile("token|secret|password")
    names = {column.name for table in having("user_id") for column in table.c}
    assert {name for name in names if secret.search(name)} == SECRET_COLUMNS


async def test_what_is_written_while_somebody_is_erased_does_not_come_after(store: Store) -> None:
    where: Any = {"channel_id": 1, "guild_id": 2, "user_id": ALICE}
    late = store.work.accept_message(message_id=5, **where)
    late.send(None)  # it waits for the writer now, as work that was cancelled would have left it
    await store.erase_user(ALICE)
    assert await store.personal.counts(ALICE) == dict.fromkeys(await store.personal.counts(ALICE), 0)
    late.close()
