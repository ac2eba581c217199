"""How many pictures a server had each day, what they were called, and how surely.

A sum holds no id but the server's. A server that turns `statistics` off has none: what was there is erased.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from sqlalchemy import ColumnElement, bindparam, delete, func, select

from bot.store.database import Database, Write
from bot.store.faults import StoreError
from bot.store.retention import Retention
from bot.store.tables import DailySum
from bot.store.upkeep_timer import UpkeepTimer

log = logging.getLogger(__name__)

Kind = Literal["picture", "certainty", "name"]

FLUSH_AFTER = 30.0
"""Seconds that sums may be behind on disk: a crash costs what was counted in them."""
MAX_NAME = 100
"""Characters of a name that are kept."""
NAMES_A_DAY = 100
"""Names of one day that are kept when it is over: those seen most often. The others are one sum, `REST`."""
REST = ""
"""Stands for all names that are not kept each for itself."""
MOST_WAITING = 20_000
"""Sums in memory at most, if the store cannot be written; what is new then is not counted."""


@dataclass(frozen=True, slots=True)
class GuildSums:
    """What was counted in one server over some days.

    `pictures` has every day, also those without any; days are those of UTC. `names` are in English, most
    often seen first, without `REST`. `certainties` are by the names that `Feedback.certainty` has too.
    """

    pictures: Mapping[date, int]
    certainties: Mapping[str, int]
    names: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many pictures there were."""
        return sum(self.pictures.values())

    @property
    def since(self) -> datetime:
        """The moment at which the first day began."""
        return datetime.combine(min(self.pictures), time(), UTC)


class DailySums:
    """Counts in memory, and writes many sums at once."""

    def __init__(
        self,
        database: Database,
        retention: Retention,
        now: Callable[[], datetime],
        wanted: Callable[[int], Awaitable[bool]],
    ) -> None:
        """`wanted` tells whether a server has sums at all."""
        self._database = database
        self._retention = retention
        self._now = now
        self._wanted = wanted
        self._writing = asyncio.Lock()
        self._new: Counter[tuple[int, int, Kind, str]] = Counter()
        self._timer = UpkeepTimer(self._flush, "store: flush sums")
        insert = database.insert(DailySum)
        self._add = insert.on_conflict_do_update(
            index_elements=["guild_id", "day", "kind", "name"],
            set_={"count": DailySum.count + insert.excluded.count},
        )
        self._erase = delete(DailySum).where(DailySum.guild_id == bindparam("gone"))

    def add(self, guild_id: int, certainties: Iterable[str], names: Iterable[str]) -> None:
        """Count pictures that were named, one for each of `certainties`; `names` may be fewer.

        Costs no query; written within `FLUSH_AFTER` seconds.
        """
        today = _number(self._now().date())
        sums: list[tuple[Kind, str]] = [("name", name[:MAX_NAME]) for name in names]
        for certainty in certainties:
            sums += [("picture", ""), ("certainty", certainty)]
        for kind, name in sums:
            key = (guild_id, today, kind, name)
            if key in self._new or len(self._new) < MOST_WAITING:
                self._new[key] += 1
        self._timer.start(FLUSH_AFTER)

    async def of(self, guild_id: int, days: int) -> GuildSums:
        """Return the sums of a server for today and the days before, so many in all."""
        today = _number(self._now().date())
        rows = await self._database.read_rows(
            select(DailySum.kind, DailySum.name, DailySum.day, DailySum.count).where(
                DailySum.guild_id == guild_id, DailySum.day > today - days
            )
        )
        pictures = dict.fromkeys(range(today - days + 1, today + 1), 0)
        sums: dict[str, Counter[str]] = {"certainty": Counter(), "name": Counter()}
        unwritten = [
            (kind, name, day, count)
            for (guild, day, kind, name), count in self._new.items()
            if guild == guild_id
        ]
        for kind, name, day, count in (*rows, *unwritten):
            if kind == "picture" and day in pictures:
                pictures[day] += count
            elif kind in sums and name != REST and day in pictures:
                sums[kind][name] += count
        return GuildSums(
            {_date(day): count for day, count in pictures.items()},
            sums["certainty"],
            dict(sorted(sums["name"].items(), key=lambda item: (-item[1], item[0]))),
        )

    def new_guilds(self) -> set[int]:
        """The servers of what is not written yet."""
        return {guild_id for guild_id, *_ in self._new}

    async def erase_guild(self, guild_id: int) -> None:
        """Erase all sums of a server, also those that are just being written."""
        self._drop(guild_id)
        async with self._writing:
            self._drop(guild_id)
            await self._database.write(Write(self._erase, {"gone": guild_id}))

    async def flush(self) -> None:
        """Write what is new, but for servers that want no sums any more."""
        # Asked before the lock is held: who changes settings holds a lock of theirs, and waits for this one.
        unwanted = [guild_id for guild_id in self.new_guilds() if not await self._wanted(guild_id)]
        async with self._writing:
            for guild_id in unwanted:
                self._drop(guild_id)
            new, self._new = self._new, Counter()
            rows = [
                {"guild_id": guild_id, "day": day, "kind": kind, "name": name, "count": count}
                for (guild_id, day, kind, name), count in new.items()
            ]
            try:
                await self._database.write_many(self._add, rows)
            except StoreError:
                self._new = new + self._new  # for the next time
                raise

    def _drop(self, guild_id: int) -> None:
        """Forget what is not written yet."""
        self._new = Counter({key: count for key, count in self._new.items() if key[0] != guild_id})

    def is_old(self) -> ColumnElement[bool]:
        """Return the condition for sums that have been kept long enough."""
        return DailySum.day <= _number((self._now() - self._retention.sums).date())

    async def merge_rare_names(self) -> int:
        """Keep of each day that is over the names seen most often, and add up the others as `REST`.

        Returns by how many rows there are fewer.
        """
        merged = 0
        names = select(DailySum.guild_id, DailySum.day).where(
            DailySum.kind == "name", DailySum.name != REST, DailySum.day < _number(self._now().date())
        )
        long = names.group_by(DailySum.guild_id, DailySum.day).having(func.count() > NAMES_A_DAY)
        for guild_id, day in await self._database.read_rows(long):
            of_day = (DailySum.guild_id == guild_id, DailySum.day == day, DailySum.kind == "name")
            ranked = select(DailySum.name).where(*of_day, DailySum.name != REST)
            rarest = ranked.order_by(DailySum.count.desc(), DailySum.name).offset(NAMES_A_DAY)
            async with self._database.transaction() as connection:
                rare = (await connection.execute(rarest)).scalars().all()
                # What is deleted is what is added up: another process may have counted more meanwhile.
                gone = delete(DailySum).where(*of_day, DailySum.name.in_(rare)).returning(DailySum.count)
                counts = (await connection.execute(gone)).scalars().all()
                rest = {"guild_id": guild_id, "day": day, "kind": "name", "name": REST}
                await connection.execute(self._add, {**rest, "count": sum(counts)})
            merged += len(counts) - 1
        return merged

    async def close(self) -> None:
        """Write what is new, and stop."""
        await self._timer.close()
        await self.flush()

    async def _flush(self) -> None:
        try:
            await self.flush()
        except StoreError as error:
            log.warning("The daily sums could not be written; tried again in a minute. %s", error)
            self._timer.start(60)


def _number(day: date) -> int:
    """The day as it is kept: days since 1970 began."""
    return day.toordinal() - _EPOCH


def _date(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


_EPOCH = datetime.fromtimestamp(0, UTC).toordinal()
