"""The store as the rest of the bot sees it: opened once, passed in, closed at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

import discord
from sqlalchemy import ColumnElement, delete, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

import config.settings
from bot.store.answers import StoredAnswers
from bot.store.backfills import Backfills
from bot.store.bot_notes import Notes
from bot.store.change_listener import ChangeListener
from bot.store.changes import Change, Changes
from bot.store.chosen_settings import Choices
from bot.store.condemned_images import CondemnedImages
from bot.store.daily_sums import DailySums
from bot.store.database import Database, connect
from bot.store.departures import Departures
from bot.store.faults import StoreError, explain
from bot.store.feedback import Opinions
from bot.store.guild_settings import FIELDS, GuildSettings
from bot.store.indexed_images import PICTURES, IndexedImages
from bot.store.lease import StoreLease
from bot.store.location import locate
from bot.store.member_preferences import MemberPreferences
from bot.store.open_work import OpenWork
from bot.store.personal_data import PersonalData, tables_with
from bot.store.quota_uses import QuotaUses
from bot.store.retention import Retention
from bot.store.seen import Seen
from bot.store.shard import Shard
from bot.store.tables import (
    Base,
    CondemnedImage,
    Cursor,
    DailySum,
    Feedback,
    GuildSetting,
    MemberPreference,
    QuotaUse,
    StoredAnswer,
)
from bot.store.teaching import TAUGHT, Teaching
from bot.store.upgrading import make_ready
from bot.store.upkeep_timer import UpkeepTimer

log = logging.getLogger(__name__)

CHANNEL_LISTS = tuple(name for name, field in FIELDS.items() if field.kind == "channels")
MARK_KEY = "mark key"
SHARED_KEY = "shared key"
MEMBERS_IN_MEMORY = 10_000
IDLE_SHARED = 2
"""Connections that a process of many keeps while it has nothing to do: a PostgreSQL has 100 for all."""
PURGE_EVERY = 6 * 60 * 60.0
"""Seconds between two looks for what has been kept long enough."""
PURGE_CHUNK = 1000
"""Rows deleted in one transaction, so that an image never waits long for a purge."""


class Store:
    """Everything that outlives a restart. It belongs to the event loop that opened it."""

    def __init__(
        self,
        database: Database,
        guild_defaults: GuildSettings,
        retention: Retention,
        now: Callable[[], datetime],
        index_images: int,
    ) -> None:
        """Use `open`."""
        self._database = database
        self._lease: StoreLease | None = None
        self.mark_key = b""
        """Signs what buttons hold."""
        self.shared_key = b""
        """Under it, processes that share the store know pictures and people by the same hashes."""
        self.retention = retention
        """How long things are kept."""
        self._now = now
        self._timer = UpkeepTimer(self._purge_again, "store: purge")
        self.guilds = Choices(database, GuildSetting, guild_defaults, on_change=self._guild_changed)
        self.members = Choices(
            database,
            MemberPreference,
            MemberPreferences(),
            limit=MEMBERS_IN_MEMORY,
            on_change=self._member_changed,
        )
        self.work = OpenWork(database, retention, now)
        self.seen = Seen(database)
        self.answers = StoredAnswers(database)
        self.feedback = Opinions(database)
        self.sums = DailySums(database, retention, now, self._keeps_sums)
        self.images = IndexedImages(database, index_images)
        self.backfills = Backfills(database)
        self.teaching = Teaching(database, retention, now)
        self.notes = Notes(database)
        self.departures = Departures(database, now)
        self.personal = PersonalData(database)
        self.condemned = CondemnedImages(database, retention, now)
        self.quota_uses = QuotaUses(database, now)

    @property
    def changes(self) -> Changes:
        """What other processes on the store tell of their changes."""
        return self._database.changes

    async def tell(self, change: Change) -> None:
        """Tell the other processes on the store, if there are any. Raises a `StoreError`."""
        await self._database.tell(change)

    @property
    def shard(self) -> Shard:
        """The servers whose open work, answers and departures this process sees; all, unless it was told."""
        return self._database.shard

    async def take_shard(self, shard: Shard) -> None:
        """See to the servers of one shard alone from now on, which another process may have had until now.

        Raises a `StoreError`.
        """
        self._database.shard = shard
        self.changes.drop_all()
        await self.work.expire()

    @property
    def failures(self) -> int:
        """How many reads and writes have failed so far."""
        return self._database.failures

    @classmethod
    async def open(
        cls,
        store: config.settings.StoreSettings,
        data: config.settings.Data,
        *,
        guild_defaults: GuildSettings,
        alone: bool = False,
        retention: Retention | None = None,
        now: Callable[[], datetime] = discord.utils.utcnow,
    ) -> Self:
        """Open the database, making or upgrading it where needed, and purge it.

        `alone`: until it is closed, no other process can open it `alone`. With `store.shared`, what other
        processes change is heard. Raises `ConfigError` for an unusable `store.url`, and a `StoreError` that
        says what to do.
        """
        location = locate(store, data)
        if store.shared and location.file is not None:
            raise config.settings.ConfigError(
                f"store.shared is for a PostgreSQL, and {location} is a SQLite file, which is one process's "
                "alone. Name a PostgreSQL in store.url (`whatsit store move` takes along what is in the "
                "file), or take store.shared out."
            )
        engine = connect(location, idle=IDLE_SHARED) if store.shared else connect(location)
        changes = ChangeListener(connect(location, idle=1)) if store.shared else None
        database = Database(location, engine, changes)
        opened = cls(database, guild_defaults, retention or Retention(), now, store.index_images)
        try:
            await make_ready(location, engine)
            if alone:
                opened._lease = await StoreLease.take(location)
            await opened.changes.start()
            opened.mark_key = await opened.notes.secret(MARK_KEY)
            if opened.changes.is_shared:
                opened.shared_key = opened.quota_uses.key = await opened.notes.secret(SHARED_KEY)
            else:  # else it is not known yet whose work is one's own
                await opened.work.expire()
            if alone and location.file is None:
                await opened.notes.disclaim()
            await opened.purge()
        except BaseException as error:
            await opened._let_go()
            if fault := explain(error, location):
                raise fault from error
            raise
        opened._timer.start(PURGE_EVERY)
        return opened

    async def close(self) -> None:
        """Write what is still in memory, finish what is being written, and let go of the database."""
        await self._timer.close()
        try:
            await self.work.close()
            await self.seen.close()
            await self.sums.close()
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        await self.changes.close()
        await self._database.close()
        if self._lease is not None:
            await self._lease.release()

    async def erase_user(self, user_id: int, *, with_wish: bool = True) -> None:
        """Forget everything about a person, and take its traces out of the database's files.

        `with_wish`: also their wish to be left alone, if they have it.
        """
        keeps_wish = not with_wish and (await self.members.get(user_id)).leave_alone
        deleted = await self.members.erase(user_id, but={"leave_alone"} if keeps_wish else ())
        taught, found_in = await self.teaching.guilds_of(user_id), await self.images.guilds_of(user_id)
        deleted += await self.personal.erase_user(user_id)
        for guild_id in taught:
            self.teaching.forget_guild(guild_id)
        for guild_id in found_in:
            self.images.on_change(guild_id)
        await self._database.tell(
            *(Change(TAUGHT, guild_id) for guild_id in taught),
            *(Change(PICTURES, guild_id) for guild_id in found_in),
        )
        await self._scrub(deleted, "user_id")

    async def erase_guild(self, guild_id: int) -> None:
        """Forget everything about a server, and take its traces out of the files; the bot has left it."""
        await self.seen.forget_guild(guild_id)
        await self.sums.erase_guild(guild_id)
        await self.notes.forget_guild(guild_id)
        deleted = await self.guilds.erase(guild_id)
        deleted += await self.personal.erase_guild(guild_id)
        self.images.on_change(guild_id)
        self.teaching.forget_guild(guild_id)
        await self._database.tell(Change(PICTURES, guild_id), Change(TAUGHT, guild_id))
        await self._scrub(deleted, "guild_id")

    async def erase_channel(self, guild_id: int, channel_id: int) -> None:
        """Forget everything about a channel or thread of a server, which is gone.

        Opinions stay, as they do when an answer is deleted: they hold no channel. What pictures of
        the channel taught stays too, without the links to them. So does a list of channels that is the
        owner's; to change it for this server would write it down.
        """
        await self.seen.forget_channel(channel_id)
        settings = await self.guilds.get(guild_id)
        if any(channel_id in getattr(settings, name) for name in CHANNEL_LISTS):
            await self.guilds.update(guild_id, lambda now: self._without_channel(now, channel_id))
        await self.personal.erase_channel(channel_id)
        self.images.on_change(guild_id)
        await self._database.tell(Change(PICTURES, guild_id))

    def _without_channel(self, now: GuildSettings, channel_id: int) -> Mapping[str, Any]:
        return {
            name: tuple(each for each in listed if each != channel_id)
            for name in CHANNEL_LISTS
            if channel_id in (listed := getattr(now, name)) and listed != getattr(self.guilds.defaults, name)
        }

    async def _scrub(self, deleted: int, column: str) -> None:
        """Take the traces of deleted rows out of the files; the rows themselves are gone in any case."""
        if not deleted:
            return
        try:
            clean = await self._database.scrub(table.name for table in tables_with(column))
        except StoreError as error:
            log.warning("What was erased may leave traces in the free space of the database. %s", error)
            return
        if not clean:
            log.warning(
                "What was erased may leave traces in the database's write-ahead log until the next erasure: "
                "another program is reading the database."
            )

    async def guild_ids(self) -> set[int]:
        """Return the servers of this shard about which anything is kept."""
        unwritten = self.seen.new_guilds() | self.sums.new_guilds()
        return {*await self.personal.guild_ids(), *unwritten, *await self.notes.greeted()}

    async def purge(self) -> int:
        """Delete what has been kept as long as `Retention` says; return the number of rows.

        Open work is `OpenWork.expire`'s, which wakes when it is time. Of several processes one does all this
        at a time, and the others nothing.
        """
        async with self._database.only_one("purge") as chosen:
            return await self._purge_all() if chosen else 0

    async def _purge_all(self) -> int:
        kept = self.retention
        if self.changes.is_shared:
            await self.work.expire_everywhere()
        return (
            await self._purge(Cursor, self._is_older(Cursor.message_id, kept.cursors))
            + await self._purge(StoredAnswer, self._is_older(StoredAnswer.answer_id, kept.answers))
            + await self._purge(Feedback, self._is_older(Feedback.answer_id, kept.feedback))
            + await self._purge(DailySum, self.sums.is_old())
            + await self._purge(CondemnedImage, self.condemned.is_old())
            + await self._purge(QuotaUse, self.quota_uses.is_old())
            + await self.sums.merge_rare_names()
            + await self.images.trim()
            + await self.teaching.purge()
        )

    def _is_older(self, made: InstrumentedAttribute[int], kept: timedelta) -> ColumnElement[bool]:
        return made < discord.utils.time_snowflake(
            self._now() - kept
        )  # an id tells when its message was made

    async def _purge(self, table: type[Base], is_old: ColumnElement[bool]) -> int:
        key = table.__table__.primary_key
        some = delete(table).where(tuple_(*key).in_(select(*key).where(is_old).limit(PURGE_CHUNK)))
        purged = 0
        while True:
            async with self._database.transaction() as connection:
                deleted = (await connection.execute(some)).rowcount
            purged += deleted
            if deleted < PURGE_CHUNK:
                return purged

    async def _keeps_sums(self, guild_id: int) -> bool:
        return (await self.guilds.get(guild_id)).statistics == "on"

    async def _guild_changed(self, guild_id: int, settings: GuildSettings) -> None:
        if settings.statistics == "off":
            await self.sums.erase_guild(guild_id)
        await self.images.keep_only(guild_id, settings.index_channels)

    async def _member_changed(self, user_id: int, preferences: MemberPreferences) -> None:
        if preferences.leave_alone:
            await self.images.remove_user(user_id)

    async def _purge_again(self) -> None:
        self._timer.start(PURGE_EVERY)
        try:
            await self.work.expire()
            await self.purge()
        except StoreError as error:
            log.warning("What has been kept long enough could not be deleted; tried again later. %s", error)
