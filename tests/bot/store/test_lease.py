"""A store belongs to one bot at a time, and to the next as soon as that one has ended, however it ended."""

from __future__ import annotations

import os
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec

import pytest

from bot.store.faults import StoreInUse
from tests.bot.store.conftest import Place

HOLD = """
import asyncio, sys
from bot.store.lease import StoreLease
from bot.store.location import Location
from pathlib import Path
from sqlalchemy import make_url

async def hold(url, file):
    lease = await StoreLease.take(Location(make_url(url), Path(file) if file else None))
    print("held", flush=True)
    await asyncio.sleep(600)
    await lease.release()

asyncio.run(hold(*sys.argv[1:]))
"""


async def test_a_second_bot_on_a_store_is_told_so_and_the_first_goes_on(place: Place) -> None:
    async with place.opened(alone=True) as store:
        with pytest.raises(StoreInUse, match=r"another Whatsit.*store\.shared"):
            async with place.opened(alone=True):
                pass
        await store.notes.set("still", "there")
    async with place.opened(alone=True) as store:
        assert await store.notes.get("still") == "there"


async def test_who_shares_a_store_or_only_reads_it_needs_no_lease(place: Place) -> None:
    async with place.opened(alone=True), place.opened() as reader:
        assert await reader.notes.get("nothing") is None


async def test_a_bot_that_is_killed_leaves_its_store_at_once(place: Place) -> None:
    async with place.opened():
        location = place.location
    address = location.url.render_as_string(hide_password=False)
    held = await create_subprocess_exec(
        *(sys.executable, "-c", HOLD, address, str(location.file or "")), stdout=PIPE, env=os.environ
    )
    assert held.stdout is not None
    assert await held.stdout.readline() == b"held\n"
    with pytest.raises(StoreInUse):
        async with place.opened(alone=True):
            pass
    held.kill()
    await held.communicate()
    async with place.opened(alone=True):
        pass
