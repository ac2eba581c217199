"""The pictures that can be found again: where each is, its fingerprint, and what it was called.

The fingerprints are searched elsewhere (`inference.knowledge`), which reads them from here whenever it does
not have them; names are searched here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_

from bot.store.changes import Change
from bot.store.database import Database
from bot.store.tables import IndexedImage

CHUNK = 500
"""Ids in one query: both databases bound the parameters of a statement."""
READ_AT_ONCE = 2000
"""Pictures read at once when an index is built: 3 MB."""
PICTURES: Final = IndexedImage.__tablename__
"""Under this name processes tell each other that pictures of a server are gone."""
PicturePlace = tuple[int, int]
"""The id of a message, and the position of a picture in it."""


@dataclass(frozen=True, slots=True)
class NewImage:
    """A picture to be found again; the fields are those of `IndexedImage`."""

    message_id: int
    position: int
    guild_id: int
    channel_id: int
    place_id: int
    listed_id: int
    user_id: int
    kind: str
    fingerprint: bytes
    perceptual_hash: bytes | None
    coarse: str | None = None
    fine: str | None = None
    taught: int | None = None


class IndexedImages:
    """The pictures of all servers that can be found again.

    `most` is how many of one server are kept: the newest. `on_change` is told the server of which pictures
    are gone, other than by `remove_messages`: what adds and removes single pictures is the process alone that
    has the server's shard, and so is what searches them.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most: Final = most
        self.on_change: Callable[[int], None] = lambda _: None
        database.changes.on(PICTURES, self._hear_change)
        insert = database.insert(IndexedImage)
        key = {"message_id", "position"}
        names = {column.name for column in IndexedImage.__table__.c} - key
        rest = {name: insert.excluded[name] for name in names}
        self._put = insert.on_conflict_do_update(index_elements=sorted(key), set_=rest)

    async def add(self, images: Sequence[NewImage]) -> None:
        """Keep pictures; one that is kept already is replaced."""
        await self._database.write_many(self._put, [asdict(image) for image in images])

    async def remove_messages(self, message_ids: Collection[int]) -> set[int]:
        """Forget the pictures of these messages; return the servers that had any."""
        guilds: set[int] = set()
        for chunk in _chunks(message_ids):
            condition = IndexedImage.message_id.in_(chunk)
            found = await self._database.read(select(IndexedImage.guild_id).where(condition).distinct())
            if found:
                await self._delete(condition)
            guilds.update(found)
        return guilds

    async def keep_only(self, guild_id: int, listed: Collection[int]) -> None:
        """Forget the pictures of a server that were indexed for the sake of another place than these."""
        unlisted = (IndexedImage.guild_id == guild_id) & IndexedImage.listed_id.not_in(listed)
        await self._delete(unlisted, [guild_id])

    async def remove_user(self, user_id: int) -> int:
        """Forget the pictures that a person posted; return how many there were."""
        return await self._delete(IndexedImage.user_id == user_id, await self.guilds_of(user_id))

    async def guilds_of(self, user_id: int) -> Sequence[int]:
        """Return the servers in which pictures of a person are kept."""
        query = select(IndexedImage.guild_id).where(IndexedImage.user_id == user_id).distinct()
        return await self._database.read(query)

    async def guilds(self) -> Sequence[int]:
        """Return the servers of which pictures are kept."""
        return await self._database.read(select(IndexedImage.guild_id).distinct())

    async def trim(self) -> int:
        """Forget the oldest pictures of servers that have more than `most`; return how many."""
        removed = 0
        for guild_id in await self.guilds():
            of_guild = IndexedImage.guild_id == guild_id
            oldest_kept = (
                select(IndexedImage.message_id)
                .where(of_guild)
                .order_by(IndexedImage.message_id.desc())
                .offset(self._most - 1)
                .limit(1)
            )
            for message_id in await self._database.read(oldest_kept):
                removed += await self._delete(of_guild & (IndexedImage.message_id < message_id), [guild_id])
        return removed

    async def all_of(self, guild_id: int, kind: str) -> AsyncIterator[Sequence[IndexedImage]]:
        """Yield the pictures of a server whose fingerprints are of one kind, some thousands at once."""
        last: PicturePlace | None = None
        of_kind = (IndexedImage.guild_id == guild_id) & (IndexedImage.kind == kind)
        key = (IndexedImage.message_id, IndexedImage.position)
        read = 0
        while read < self._most:
            further = of_kind if last is None else of_kind & (tuple_(*key) < last)
            query = select(IndexedImage).where(further).order_by(*(each.desc() for each in key))
            rows = await self._database.read(query.limit(min(READ_AT_ONCE, self._most - read)))
            if not rows:
                return
            yield rows
            last, read = (rows[-1].message_id, rows[-1].position), read + len(rows)

    async def these(self, places: Collection[PicturePlace]) -> Mapping[PicturePlace, IndexedImage]:
        """Return those of these pictures that are still kept."""
        wanted = set(places)
        found: dict[PicturePlace, IndexedImage] = {}
        for chunk in _chunks({message_id for message_id, _ in places}):
            rows = await self._database.read(select(IndexedImage).where(IndexedImage.message_id.in_(chunk)))
            found |= {(row.message_id, row.position): row for row in rows}
        return {place: row for place, row in found.items() if place in wanted}

    async def of_message(self, message_id: int) -> Sequence[IndexedImage]:
        """Return the pictures of a message, in their order."""
        query = select(IndexedImage).where(IndexedImage.message_id == message_id)
        return await self._database.read(query.order_by(IndexedImage.position))

    async def places(self, guild_id: int) -> Sequence[int]:
        """Return the channels of a server that have pictures."""
        query = select(IndexedImage.place_id).where(IndexedImage.guild_id == guild_id).distinct()
        return await self._database.read(query)

    async def names(self, guild_id: int, places: Collection[int]) -> set[str]:
        """Return what pictures in these channels were called, in English, by both kinds of names."""
        names: set[str] = set()
        for column in (IndexedImage.coarse, IndexedImage.fine):
            query = select(column).where(_in(guild_id, places), column.is_not(None)).distinct()
            names |= {name for name in await self._database.read(query) if name is not None}
        return names

    async def taught(self, guild_id: int, places: Collection[int]) -> set[int]:
        """Return the numbers of the server's own labels that pictures in these channels have."""
        column = IndexedImage.taught
        query = select(column).where(_in(guild_id, places), column.is_not(None)).distinct()
        return {number for number in await self._database.read(query) if number is not None}

    async def called(
        self, guild_id: int, name: str | int, places: Collection[int], *, skip: int, most: int
    ) -> tuple[Sequence[IndexedImage], int]:
        """Return pictures in these channels that were called so, newest first, and how many there are in all.

        `name` is an English name, or the number of a taught label. The first `skip` are left out, and no more
        than `most` are returned.
        """
        is_called: ColumnElement[bool] = (
            IndexedImage.taught == name
            if isinstance(name, int)
            else or_(IndexedImage.coarse == name, IndexedImage.fine == name)
        )
        condition = _in(guild_id, places) & is_called
        newest = (IndexedImage.message_id.desc(), IndexedImage.position)
        rows = await self._database.read(
            select(IndexedImage).where(condition).order_by(*newest).offset(skip).limit(most)
        )
        (count,) = await self._database.read(select(func.count()).select_from(IndexedImage).where(condition))
        return rows, count

    def _hear_change(self, guild_id: int) -> None:
        self.on_change(guild_id)

    async def _delete(self, condition: ColumnElement[bool], guild_ids: Sequence[int] = ()) -> int:
        """Delete pictures and return how many; everybody is told these servers if there were any."""
        await self._database.settled()
        async with self._database.transaction() as connection:
            deleted = (await connection.execute(delete(IndexedImage).where(condition))).rowcount
            if deleted:
                changes = [Change(PICTURES, guild_id) for guild_id in guild_ids]
                await self._database.changes.announce(connection, changes)
        if deleted:
            for guild_id in guild_ids:
                self.on_change(guild_id)
        return deleted


def _in(guild_id: int, places: Collection[int]) -> ColumnElement[bool]:
    return (IndexedImage.guild_id == guild_id) & IndexedImage.place_id.in_(places)


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    all_ids = list(ids)
    return (all_ids[start : start + CHUNK] for start in range(0, len(all_ids), CHUNK))
