"""What the ledger keeps of open work, and when it strikes it out."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import discord
import pytest

from bot.answering.ledger import Ledger
from bot.answering.request import InteractionOrigin, MessageOrigin, Request
from bot.delivery.destination import Destination, Promise
from bot.image_source import ImageSource
from bot.policy.effective_settings import in_force
from bot.policy.quota import Grant
from bot.store import MemberPreferences, Store
from bot.store.store_guard import StoreGuard
from bot.tracing.request_tracing import RequestTrace
from bot.work_in_hand import WorkInHand
from config.settings import Settings
from tests.stores import opened_store

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
MESSAGE = MessageOrigin(message_id=10, channel_id=20, source_ids=frozenset({10}), asked=True)
COMMAND = InteractionOrigin(11, 12, "token", 20, {"found": 2})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened_store(Settings(), tmp_path) as store:
        yield store


@pytest.fixture
def work() -> WorkInHand:
    return WorkInHand()


@pytest.fixture
def ledger(store: Store, work: WorkInHand) -> Ledger:
    return Ledger(store, StoreGuard(), work)


def asked(store: Store, origin: MessageOrigin | InteractionOrigin = MESSAGE) -> Request:
    images = [ImageSource(f"https://cdn.example/{n}.png", f"{n}.png", "attachment") for n in range(2)]
    wishes = in_force(store.guilds.defaults, MemberPreferences())
    nowhere = cast("Destination", None)  # nothing is sent here
    return Request(origin, discord.Object(30), 30, 40, None, images, 2, wishes, nowhere, LONG_AGO)


async def open_messages(store: Store) -> list[int]:
    return [row.message_id for row in await store.work.messages_since(LONG_AGO)]


async def test_a_message_is_open_while_it_is_in_work_and_no_longer(store: Store, ledger: Ledger) -> None:
    async with ledger.open(asked(store), Grant(2), RequestTrace()):
        assert (await open_messages(store), ledger.in_work(10)) == ([10], True)
    assert (await open_messages(store), ledger.in_work(10)) == ([], False)


async def test_a_command_is_kept_with_the_images_that_were_granted_and_no_others(
    store: Store, ledger: Ledger
) -> None:
    async with ledger.open(asked(store, COMMAND), Grant(1, refused=1), RequestTrace()):
        (row,) = await store.work.interactions()
        assert [image["filename"] for image in row.images] == ["0.png"]
        assert row.options == {"found": 2, "refused": 1, "until": None}
    assert list(await store.work.interactions()) == []


async def test_the_deferred_response_of_a_command_is_noted(store: Store, ledger: Ledger) -> None:
    request = asked(store, COMMAND)
    async with ledger.open(request, Grant(2), RequestTrace()):
        await ledger.promised(request, Promise(99))
        (row,) = await store.work.interactions()
        assert row.response_id == 99


async def test_a_command_of_an_earlier_run_is_not_written_down_twice(store: Store, ledger: Ledger) -> None:
    async with ledger.open(asked(store, replace(COMMAND, revived=True)), Grant(2), RequestTrace()):
        assert list(await store.work.interactions()) == []


async def test_what_could_not_be_delivered_stays_open_for_the_next_start(
    store: Store, ledger: Ledger
) -> None:
    request = asked(store)
    async with ledger.open(request, Grant(2), RequestTrace()):
        ledger.leave_open(request)
    assert (await open_messages(store), ledger.was_left_open(10)) == ([10], True)


@pytest.mark.parametrize(("leaving", "left"), [(True, [10]), (False, [])])
async def test_cancelled_work_stays_open_only_when_the_bot_is_leaving(
    store: Store, ledger: Ledger, work: WorkInHand, *, leaving: bool, left: list[int]
) -> None:
    work.stopping = leaving
    with pytest.raises(asyncio.CancelledError):
        async with ledger.open(asked(store), Grant(2), RequestTrace()):
            raise asyncio.CancelledError
    assert await open_messages(store) == left
