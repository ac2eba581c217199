"""What other processes tell by way of the store they share: whom to forget, and what not to look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

import discord
from discord.ext import commands

from bot.policy.erasure import FORGET_GUILD, FORGET_USER, Erasure
from bot.policy.shared_quota import SharedQuota
from bot.store import Store, StoreError, StoreOfAnotherBot
from bot.store.condemned_images import CONDEMNED_IMAGE
from config.settings import ConfigError
from inference.serving.condemned_pictures import CondemnedPictures

log = logging.getLogger(__name__)


class OtherProcessesCog(commands.Cog):
    """Hears the others from when it is loaded, and tells them which pictures were condemned here.

    While they cannot be heard, something may be missed: then all people are forgotten, and which pictures are
    condemned is read again. `bot.store` itself drops its copies of settings and preferences.
    """

    def __init__(
        self,
        *,
        client: discord.Client,
        store: Store,
        erasure: Erasure,
        quota: SharedQuota,
        condemned: CondemnedPictures,
    ) -> None:
        self._client = client
        self._store = store
        self._erasure = erasure
        self._quota = quota
        self._condemned = condemned
        self._tasks: set[asyncio.Task[None]] = set()

    async def cog_load(self) -> None:
        """Learn what is condemned already, and begin to hear.

        Raises `ConfigError` where the store is another bot's, and a `StoreError`.
        """
        try:
            await self._store.notes.claim(self._client.application_id or 0)
        except StoreOfAnotherBot as error:
            raise ConfigError(str(error)) from error
        changes = self._store.changes
        changes.on(FORGET_USER, self._forget_user)
        changes.on(FORGET_GUILD, self._forget_guild)
        changes.on_text(CONDEMNED_IMAGE, self._learn)
        changes.on_gap(self._catch_up)
        self._condemned.on_new = self._condemn
        await self._learn_all()

    async def cog_unload(self) -> None:
        """Finish what was heard, and tell what is left to tell."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        try:
            await self._quota.close()
        except StoreError as error:
            log.warning("What people have used of their limits last could not be shared. %s", error)

    def _forget_user(self, user_id: int) -> None:
        self._start(self._erasure.hear_user(user_id), f"the person {user_id}, who is to be forgotten,")

    def _forget_guild(self, guild_id: int) -> None:
        self._start(self._erasure.hear_guild(guild_id), f"the server {guild_id}, which is to be forgotten,")

    def _learn(self, digest: str) -> None:
        self._start(self._learn_one(bytes.fromhex(digest)), "a condemned picture")

    def _condemn(self, digest: bytes, reason: str) -> None:
        self._start(self._store.condemned.add(digest, reason), "a condemned picture")

    def _catch_up(self) -> None:
        if self._store.changes.is_heard:
            self._erasure.hear_gap()
            self._start(self._learn_all(), "the condemned pictures")

    async def _learn_one(self, digest: bytes) -> None:
        if (found := await self._store.condemned.one(digest)) is not None:
            self._condemned.learn(found.digest, found.reason)

    async def _learn_all(self) -> None:
        for found in reversed(await self._store.condemned.newest()):
            self._condemned.learn(found.digest, found.reason)

    def _start(self, work: Awaitable[None], what: str) -> None:
        task = asyncio.create_task(self._try(work, what), name="other processes")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, work: Awaitable[None], what: str) -> None:
        try:
            await work
        except StoreError as error:
            log.warning("What other processes are told of %s, or tell, may not be kept. %s", what, error)
