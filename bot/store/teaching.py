"""What servers taught Whatsit: labels of their own, and the fingerprints that show what each means.

Only fingerprints are kept, never a picture. Fingerprints of two kinds (`ModelInfo.fingerprints`) never mix:
limits, examples and doubles are of one kind each.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from cachetools import LRUCache
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import teaching_changes
from bot.store.changes import Change
from bot.store.database import Database
from bot.store.retention import Retention
from bot.store.tables import TaughtExample, TaughtLabel, TeachingChange
from bot.store.taught_results import (
    MOST_EXAMPLES,
    MOST_LABELS,
    AlreadyTaught,
    LabelCount,
    LastChange,
    NameTaken,
    NewExample,
    NoSuchLabel,
    NothingToUndo,
    TaughtLesson,
    TooManyExamples,
    TooManyLabels,
)
from bot.store.taught_rows import (
    example_count,
    label_named,
    label_names,
    label_numbers,
    remove,
    unknown_of,
)

NUMBERS: Final = 1 << 21
"""Labels have numbers below it, drawn at random, so that an old answer's label is no other one later."""
GUILDS_IN_MEMORY = 10_000
TAUGHT: Final = TaughtExample.__tablename__
"""Under this name processes tell each other that what a server taught has changed."""


class Teaching:
    """The taught labels of all servers. `on_change` is told the server whose examples are others now."""

    def __init__(self, database: Database, retention: Retention, now: Callable[[], datetime]) -> None:
        self._database = database
        self._retention = retention
        self._now = now
        self._names: LRUCache[int, Mapping[int, str]] = LRUCache(GUILDS_IN_MEMORY)
        self._changes = 0
        self.on_change: Callable[[int], None] = lambda _: None
        database.changes.on(TAUGHT, self.forget_guild)
        database.changes.on_gap(self._forget_all)

    async def names(self, guild_id: int) -> Mapping[int, str]:
        """Return the labels of a server, by number. Only the first time does this query the database."""
        if (known := self._names.get(guild_id)) is None:
            before = self._changes
            rows = await self._database.read(
                select(TaughtLabel)
                .where(TaughtLabel.guild_id == guild_id, TaughtLabel.removed.is_(None))
                .order_by(TaughtLabel.name)
            )
            known = {row.label: row.name for row in rows}
            # Else this may be what stood before a change.
            if self._changes == before and self._database.changes.is_heard:
                self._names[guild_id] = known
        return known

    async def find(self, guild_id: int, name: str) -> int | None:
        """Return the number of the label of this name, in whatever case; None if there is none."""
        return label_named(await self.names(guild_id), name)

    async def counts(self, guild_id: int) -> Sequence[LabelCount]:
        """Return all labels of a server by name, those without examples too, and "none of these" last."""
        query = (
            select(TaughtExample.label, TaughtExample.kind, func.count())
            .where(TaughtExample.guild_id == guild_id, TaughtExample.removed.is_(None))
            .group_by(TaughtExample.label, TaughtExample.kind)
        )
        kinds: dict[int | None, dict[str, int]] = {}
        for label, kind, count in await self._database.read_rows(query):
            kinds.setdefault(label, {})[kind] = count
        names = sorted((await self.names(guild_id)).items(), key=lambda item: item[1].casefold())
        labels = [LabelCount(label, name, kinds.get(label, {})) for label, name in names]
        return [*labels, LabelCount(None, "", kinds[None])] if None in kinds else labels

    async def examples(self, guild_id: int, kind: str) -> Sequence[TaughtExample]:
        """Return the examples of one kind, with those of "none of these"."""
        return await self._database.read(
            select(TaughtExample)
            .where(
                TaughtExample.guild_id == guild_id,
                TaughtExample.kind == kind,
                TaughtExample.removed.is_(None),
            )
            .order_by(TaughtExample.example)
        )

    async def examples_of(self, guild_id: int, label: int | None) -> Sequence[TaughtExample]:
        """Return the examples of a label, or of "none of these", the newest first."""
        return await self._database.read(
            select(TaughtExample)
            .where(
                TaughtExample.guild_id == guild_id,
                TaughtExample.label == label,
                TaughtExample.removed.is_(None),
            )
            .order_by(TaughtExample.example.desc())
        )

    async def guilds_of(self, user_id: int) -> set[int]:
        """Return the servers in which pictures of a person are examples."""
        query = select(TaughtExample.guild_id).where(TaughtExample.user_id == user_id).distinct()
        return set(await self._database.read(query))

    async def teach(
        self, guild_id: int, name: str | None, kind: str, examples: Sequence[NewExample]
    ) -> TaughtLesson:
        """Add examples to the label of this name, which is made if it is new; None: to "none of these".

        Pictures that are examples already are left out. Raises `AlreadyTaught` if all are, `TooManyLabels`
        and `TooManyExamples`.
        """
        async with self._changing(guild_id) as connection:
            new = await unknown_of(connection, guild_id, kind, examples)
            label, made = None, list[int]()
            if name is not None:
                label, made = await self._label_of(connection, guild_id, name)
            there = await example_count(connection, guild_id, kind, label)
            if there + len(new) > MOST_EXAMPLES:
                raise TooManyExamples(name, there)
            added = await self._add(connection, guild_id, kind, [(label, each) for each in new])
            detail = {"label": label, "new": made, "examples": added}
            await teaching_changes.record(connection, guild_id, "teach", detail, self._now())
        return TaughtLesson(label, len(new), there + len(new), len(examples) - len(new))

    async def load(
        self, guild_id: int, kind: str, labels: Mapping[str, Sequence[bytes]], none: Sequence[bytes]
    ) -> int:
        """Add the fingerprints of a file to the labels of these names, and return how many were new.

        Raises what `teach` raises.
        """
        async with self._changing(guild_id) as connection:
            made, added = list[int](), list[tuple[int | None, NewExample]]()
            for name, fingerprints in (*labels.items(), (None, none)):
                given = [NewExample(each) for each in dict.fromkeys(fingerprints)]
                new = await unknown_of(connection, guild_id, kind, given, all_known=True)
                label, fresh = (
                    (None, []) if name is None else await self._label_of(connection, guild_id, name)
                )
                there = await example_count(connection, guild_id, kind, label)
                if there + len(new) > MOST_EXAMPLES:
                    raise TooManyExamples(name, there)
                made += fresh
                added += [(label, each) for each in new]
            if not added:
                raise AlreadyTaught(None)
            spans = await self._add(connection, guild_id, kind, added)
            detail = {"new": made, "examples": spans}
            await teaching_changes.record(connection, guild_id, "import", detail, self._now())
        return len(added)

    async def rename(self, guild_id: int, label: int, name: str) -> None:
        """Give a label another name. Raises `NoSuchLabel` and `NameTaken`."""
        async with self._changing(guild_id) as connection:
            names = await label_names(connection, guild_id)
            if label not in names:
                raise NoSuchLabel(str(label))
            if label_named(names, name) not in (None, label):
                raise NameTaken(name)
            await connection.execute(
                update(TaughtLabel)
                .where(TaughtLabel.guild_id == guild_id, TaughtLabel.label == label)
                .values(name=name)
            )
            detail = {"label": label, "name": names[label]}
            await teaching_changes.record(connection, guild_id, "rename", detail, self._now())

    async def merge(self, guild_id: int, label: int, into: int) -> None:
        """Give the examples of a label to another one, and take it away.

        Raises `NoSuchLabel`, and `TooManyExamples`.
        """
        of_label = (TaughtExample.guild_id == guild_id, TaughtExample.label == label)
        async with self._changing(guild_id) as connection:
            names = await label_names(connection, guild_id)
            if label not in names or into not in names or label == into:
                raise NoSuchLabel(str(label))
            moving = select(TaughtExample.example, TaughtExample.kind).where(
                *of_label, TaughtExample.removed.is_(None)
            )
            moved = (await connection.execute(moving)).all()
            for kind in {row.kind for row in moved}:
                own = sum(row.kind == kind for row in moved)
                there = await example_count(connection, guild_id, kind, into)
                if there + own > MOST_EXAMPLES:
                    raise TooManyExamples(names[into], there)
            detail = {"label": label, "into": into, "examples": [row.example for row in moved]}
            change = await teaching_changes.record(connection, guild_id, "merge", detail, self._now())
            await connection.execute(
                update(TaughtExample).where(*of_label, TaughtExample.removed.is_(None)).values(label=into)
            )
            await remove(connection, TaughtLabel, guild_id, [label], change)

    async def remove_label(self, guild_id: int, label: int) -> None:
        """Take a label away with its examples. Raises `NoSuchLabel`."""
        async with self._changing(guild_id) as connection:
            if label not in await label_names(connection, guild_id):
                raise NoSuchLabel(str(label))
            of_label = select(TaughtExample.example).where(
                TaughtExample.guild_id == guild_id,
                TaughtExample.label == label,
                TaughtExample.removed.is_(None),
            )
            gone = (await connection.execute(of_label)).scalars().all()
            detail = {"label": label, "count": len(gone)}
            change = await teaching_changes.record(connection, guild_id, "remove", detail, self._now())
            await remove(connection, TaughtLabel, guild_id, [label], change)
            await remove(connection, TaughtExample, guild_id, gone, change)

    async def remove_examples(self, guild_id: int, examples: Sequence[int]) -> int:
        """Take examples away, and return how many were there. Raises `NoSuchLabel` if none was."""
        async with self._changing(guild_id) as connection:
            there = select(TaughtExample.example, TaughtExample.label).where(
                TaughtExample.guild_id == guild_id,
                TaughtExample.example.in_(examples),
                TaughtExample.removed.is_(None),
            )
            gone = (await connection.execute(there)).all()
            if not gone:
                raise NoSuchLabel(str(list(examples)))
            detail = {"of": gone[0].label, "count": len(gone)}
            change = await teaching_changes.record(connection, guild_id, "remove", detail, self._now())
            await remove(connection, TaughtExample, guild_id, [row.example for row in gone], change)
        return len(gone)

    async def undo(self, guild_id: int) -> LastChange:
        """Undo the last change of a server, and return what it was. Raises `NothingToUndo`."""
        async with self._changing(guild_id) as connection:
            query = (
                select(
                    TeachingChange.change, TeachingChange.what, TeachingChange.detail, TeachingChange.made_at
                )
                .where(TeachingChange.guild_id == guild_id)
                .order_by(TeachingChange.change.desc())
                .limit(1)
            )
            if (row := (await connection.execute(query)).first()) is None:
                raise NothingToUndo
            last = LastChange(*row)
            await teaching_changes.undo(connection, guild_id, last.change, last.what, last.detail)
        return last

    async def purge(self) -> int:
        """Forget the changes that are too old to be undone, and what they took away; return how many rows."""
        old = self._now() - self._retention.changes
        query = (
            select(TeachingChange.guild_id, func.max(TeachingChange.change))
            .where(TeachingChange.made_at <= old)
            .group_by(TeachingChange.guild_id)
        )
        deleted = 0
        for guild_id, until in await self._database.read_rows(query):
            async with self._database.transaction() as connection:
                deleted += await teaching_changes.forget(connection, guild_id, until)
        return deleted

    def forget_guild(self, guild_id: int) -> None:
        """Drop what is in memory of a server."""
        self._changed(guild_id)

    def _forget_all(self) -> None:
        """Drop all labels; `on_change` is told of nothing."""
        self._changes += 1
        self._names.clear()

    @asynccontextmanager
    async def _changing(self, guild_id: int) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that changes what a server taught, and tell everybody when it is kept."""
        async with self._database.transaction() as connection:
            yield connection
            await self._database.changes.announce(connection, [Change(TAUGHT, guild_id)])
        self._changed(guild_id)

    def _changed(self, guild_id: int) -> None:
        self._changes += 1
        self._names.pop(guild_id, None)
        self.on_change(guild_id)

    async def _label_of(self, connection: AsyncConnection, guild_id: int, name: str) -> tuple[int, list[int]]:
        """Return the label of a name, and which label had to be made for that."""
        names = await label_names(connection, guild_id)
        if (known := label_named(names, name)) is not None:
            return known, []
        if len(names) >= MOST_LABELS:
            raise TooManyLabels(f"it has {len(names)}")
        label = 0
        taken = set(await label_numbers(connection, guild_id))
        while not label or label in taken:
            label = secrets.randbelow(NUMBERS)
        await connection.execute(insert(TaughtLabel).values(guild_id=guild_id, label=label, name=name))
        return label, [label]

    async def _add(
        self,
        connection: AsyncConnection,
        guild_id: int,
        kind: str,
        examples: Iterable[tuple[int | None, NewExample]],
    ) -> list[list[int]]:
        """Write examples, and return the spans of their numbers."""
        last = select(func.max(TaughtExample.example)).where(TaughtExample.guild_id == guild_id)
        first = int((await connection.execute(last)).scalar() or 0) + 1
        rows = [
            {
                "guild_id": guild_id,
                "example": number,
                "label": label,
                "kind": kind,
                "fingerprint": each.fingerprint,
                "user_id": each.user_id,
                "channel_id": each.channel_id,
                "message_id": each.message_id,
                "made_at": self._now(),
            }
            for number, (label, each) in enumerate(examples, first)
        ]
        await connection.execute(insert(TaughtExample), rows)
        return [[first, first + len(rows) - 1]]
