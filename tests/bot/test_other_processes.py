"""Two bots on one PostgreSQL: what one erases, the other forgets; what one condemns, none looks at again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from unittest.mock import patch

import discord
import pytest

from bot.client import Whatsit
from bot.cogs.erasing import ErasingCog
from bot.cogs.other_processes import OtherProcessesCog
from bot.composition import compose
from bot.download.downloader import Fetcher
from bot.erasable_memory import ErasableMemory
from bot.policy.erasure import Erasure
from bot.policy.quota import Quota
from bot.policy.shared_quota import SharedQuota
from bot.store import Store
from bot.store.shard import Shard
from config.settings import Limits, Settings
from inference.results import Classification, HarmfulImage
from inference.serving.client import Classifier
from tests.bot.store.conftest import Place, postgresql_place
from tests.bot.store.test_several_processes import HEARD_WITHIN, LISTENERS, shared_place
from tests.inference.fakes import Deed, deed, picture, running

__all__ = ["postgresql_place", "shared_place"]

MEMBER, SERVER = 77, 1 << 22
NO_FETCHER = cast("Fetcher", None)  # nothing is fetched here


class Memory(ErasableMemory):
    """Notes whom it was to forget."""

    def __init__(self) -> None:
        self.forgotten: list[object] = []

    def forget_user(self, user_id: int) -> None:
        self.forgotten.append(user_id)

    def forget_guild(self, guild_id: int) -> None:
        self.forgotten.append(guild_id)

    def forget_everyone(self) -> None:
        self.forgotten.append("everyone")


@dataclass
class Process:
    """A bot that is put together as in a process of its own, and has not connected to Discord."""

    bot: Whatsit
    store: Store
    erasing: ErasingCog
    memory: Memory

    @property
    def erasure(self) -> Erasure:
        return self.erasing._erasure


@asynccontextmanager
async def process(place: Place, classifier: Classifier | None = None) -> AsyncIterator[Process]:
    settings = Settings()
    async with place.opened() as store:
        bot = compose(
            settings, classifier or Classifier(settings), NO_FETCHER, store, intents=discord.Intents.none()
        )
        async with bot:
            memory = Memory()
            for cog in bot.cogs_to_add:
                if isinstance(cog, ErasingCog | OtherProcessesCog):
                    await bot.add_cog(cog)
            erasing = bot.get_cog("ErasingCog")
            assert isinstance(erasing, ErasingCog)
            erasing._erasure.memories = (*erasing._erasure.memories, memory)
            yield Process(bot, store, erasing, memory)


@pytest.fixture
async def bots(shared_place: Place) -> AsyncIterator[tuple[Process, Process]]:
    async with process(shared_place) as one, process(shared_place) as other:
        yield one, other


async def becomes(read: Callable[[], Any], wanted: object) -> None:
    """Wait until `read` gives what is wanted, no longer than a change may take to be heard."""
    async with asyncio.timeout(HEARD_WITHIN):
        while read() != wanted:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.01)


async def refused(classifier: Classifier, data: bytes) -> Classification | HarmfulImage:
    try:
        return await classifier.classify(data)
    except HarmfulImage as error:
        return error


# Erasing.


async def test_who_is_erased_by_one_is_forgotten_by_the_other_with_the_work_it_has_in_hand(
    bots: tuple[Process, Process],
) -> None:
    one, other = bots
    where: Any = {"channel_id": 3, "guild_id": SERVER, "user_id": MEMBER}

    async def work() -> None:
        with other.bot.work_in_hand.of(MEMBER):
            await other.store.work.accept_message(message_id=1, **where)
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:  # what is in hand may still be written down while it ends
                await asyncio.sleep(HEARD_WITHIN * 1.2)
                await other.store.answers.add(source_ids=[1], answer_id=2, **where)

    begun = asyncio.Event()
    task = asyncio.create_task(work())
    await begun.wait()
    await one.erasure.erase_user(MEMBER, with_wish=True)
    await task
    for _ in range(100):
        if not await one.store.answers.to([1]):
            break
        await asyncio.sleep(0.05)
    assert sum((await one.store.personal.counts(MEMBER)).values()) == 0
    assert MEMBER in one.memory.forgotten
    assert other.memory.forgotten == [MEMBER]


async def test_an_erasure_by_another_process_leaves_the_wish_to_be_left_alone(
    bots: tuple[Process, Process],
) -> None:
    one, other = bots
    await one.store.members.update(MEMBER, {"leave_alone": True})

    async def work() -> None:
        with other.bot.work_in_hand.of(MEMBER):
            begun.set()
            await asyncio.Event().wait()

    begun = asyncio.Event()
    task = asyncio.create_task(work())
    await begun.wait()
    await one.erasure.erase_user(MEMBER, with_wish=False)
    await task
    assert (await other.store.members.get(MEMBER)).leave_alone


async def test_a_server_that_one_has_left_leaves_the_memory_of_the_other(
    bots: tuple[Process, Process],
) -> None:
    one, other = bots
    await one.erasing._left(SERVER)
    await becomes(lambda: other.memory.forgotten, [SERVER])


async def test_a_new_session_erases_no_server_of_another_shard(bots: tuple[Process, Process]) -> None:
    one, other = bots
    await one.store.take_shard(Shard(0, 2))
    await other.store.take_shard(Shard(1, 2))
    await other.store.guilds.update(SERVER, {"top": 7})
    await one.erasing.on_ready()
    assert (await one.store.guilds.get(SERVER)).top == 7
    await other.erasing.on_ready()  # its own, and the bot is not on it
    assert (await other.store.guilds.get(SERVER)).top == 3


async def test_after_a_time_in_which_nothing_was_heard_everybody_is_forgotten(
    shared_place: Place, bots: tuple[Process, Process]
) -> None:
    one, _ = bots
    await shared_place.rows(f"SELECT pg_terminate_backend(pid) {LISTENERS}")
    async with asyncio.timeout(10):
        while one.memory.forgotten != ["everyone"]:  # noqa: ASYNC110 - nothing tells us when
            await asyncio.sleep(0.05)


# Condemned pictures.


async def test_a_picture_that_killed_two_workers_kills_none_of_another_process_nor_of_a_later_one(
    shared_place: Place,
) -> None:
    killer, honest = deed(Deed.CRASH), picture(9)
    async with running() as first, running() as second, running() as third:
        async with process(shared_place, first), process(shared_place, second):
            assert isinstance(await refused(first, killer), HarmfulImage)
            assert first.stats.restarts <= 2
            digest = await second._hasher.digest(killer)
            await becomes(lambda: second._condemned.reason(digest) is not None, True)
            assert isinstance(await refused(second, killer), HarmfulImage)
            assert second.stats.restarts == 0
        async with process(shared_place, third):
            assert isinstance(await refused(third, killer), HarmfulImage)
            assert third.stats.restarts == 0
            assert isinstance(await refused(third, honest), Classification)


# Quotas.


@asynccontextmanager
async def quotas(place: Place, limits: Limits, count: int) -> AsyncIterator[list[tuple[Quota, SharedQuota]]]:
    """One for each of so many processes."""
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(place.opened()) for _ in range(count)]
        made = [(quota := Quota(limits), SharedQuota(quota, store.quota_uses)) for store in stores]
        yield made
        for _, shared in made:
            await shared.close()


async def test_a_person_on_four_shards_gets_no_fourfold_quota(shared_place: Place) -> None:
    limits = Limits(user_images_per_minute=5, user_burst=5)
    async with quotas(shared_place, limits, 4) as shards:
        for quota, shared in shards:  # at once nobody has heard of anybody
            assert quota.take(MEMBER, 5).images == 5
            await shared.tell()
        last, _ = shards[-1]
        later = discord.utils.utcnow().timestamp() + 61
        with patch("bot.policy.quota._now", return_value=later):
            grant = last.take(MEMBER, 1)  # alone it would have five again by now
            assert (grant.images, grant.shared) == (0, False)
            assert grant.until is not None
            waiting = grant.until.timestamp() - later
        assert 0 < waiting <= 60
        with patch("bot.policy.quota._now", return_value=later + waiting + 1):
            assert last.take(MEMBER, 1).images == 1
            assert last.take(MEMBER + 1, 5).images == 5  # nobody else pays for it


async def test_what_a_person_took_of_the_processor_elsewhere_counts_here(shared_place: Place) -> None:
    limits = Limits(user_core_seconds_per_minute=1)
    async with quotas(shared_place, limits, 2) as ((one, shared), (other, also_shared)):
        one.charge(MEMBER, None, 30.0)
        await shared.tell()
        assert other.take(MEMBER, 1).images == 1  # not heard of yet: a second of the first use is the bound
        await also_shared.tell()
        assert other.take(MEMBER, 1).images == 0


async def test_a_person_on_one_shard_notices_nothing_of_the_sharing(shared_place: Place) -> None:
    limits = Limits(user_images_per_minute=60, user_burst=5)
    async with quotas(shared_place, limits, 1) as ((shared_one, shared),):
        alone, now = Quota(limits), discord.utils.utcnow().timestamp()
        for step in range(40):
            with patch("bot.policy.quota._now", return_value=now + step * 0.7):
                assert shared_one.take(MEMBER, 2).images == alone.take(MEMBER, 2).images
            await shared.tell()


async def test_a_use_is_told_by_itself_and_costs_no_query_before_the_answer(shared_place: Place) -> None:
    async with quotas(shared_place, Limits(), 1) as ((quota, _),):
        assert quota.take(MEMBER, 1).images == 1

        async def rows() -> int:
            return len(await shared_place.rows("SELECT person FROM quota_use"))

        assert await rows() == 0
        async with asyncio.timeout(10):
            while not await rows():  # noqa: ASYNC110 - nothing tells us when
                await asyncio.sleep(0.05)
