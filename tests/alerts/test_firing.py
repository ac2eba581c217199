"""Each alert is tried: its fault is made in a real bot, and a real Prometheus sees it fire and resolve.

    make alerts

Two things run in quick motion, for which nobody could wait: the durations in the rules are seconds instead of
minutes, and a refusal of Discord's counts for twenty seconds instead of ten minutes. The rest is as it is.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from tests.alerts.prometheus import ROOT, missing, prometheus
from tests.alerts.watched_bot import WatchedBot, until
from tests.inference.fakes import Deed
from tests.missing_tools import skip_without
from tests.wire import cdn
from tests.wire.metrics import Endpoint, free_port
from tests.wire.wire import Wire

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif("ALERTS" not in os.environ, reason="takes minutes: make alerts"),
]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Wire() as running:
        yield running


@pytest.fixture
async def bot(request: pytest.FixtureRequest, wire: Wire, tmp_path: Path) -> AsyncIterator[WatchedBot]:
    """A bot that does not run yet, and a Prometheus that waits for it. A parameter is more environment."""
    skip_without(missing())
    endpoint = Endpoint(free_port())
    async with prometheus(tmp_path, [endpoint.port]) as watching:
        yield WatchedBot(wire, tmp_path, endpoint, watching, getattr(request, "param", {}))


async def test_down(bot: WatchedBot) -> None:
    async with bot.running() as process:
        await process.kill()
        await bot.prometheus.until_firing("WhatsitDown")
    async with bot.running():
        await bot.prometheus.until_resolved("WhatsitDown")


async def test_not_ready(bot: WatchedBot) -> None:
    async with bot.running():
        bot.wire.gateway.held = True
        await bot.wire.gateway.drop()
        await bot.prometheus.until_firing("WhatsitNotReady")
        bot.wire.gateway.held = False
        await bot.prometheus.until_resolved("WhatsitNotReady")


async def test_breaker_open(bot: WatchedBot) -> None:
    async with bot.running() as process:
        bot.told.write_text("abort")
        bot.kill_worker(process)
        await bot.post()
        await bot.prometheus.until_firing("WhatsitBreakerOpen")
        bot.told.write_text("fine")
        async with bot.posting(every=1):
            await bot.prometheus.until_resolved("WhatsitBreakerOpen")


async def test_worker_restarts(bot: WatchedBot) -> None:
    async with bot.running() as process:
        for number in range(1, 6):
            bot.kill_worker(process)
            await bot.post()
            await until(partial(_reached, bot.answers, number))
        await bot.prometheus.until_firing("WhatsitWorkerRestarts")
        await bot.prometheus.until_resolved("WhatsitWorkerRestarts")


@pytest.mark.parametrize("bot", [{"WHATSIT_QUEUE__IMAGES": "1"}], indirect=True)
async def test_queue_full(bot: WatchedBot) -> None:
    async with bot.running():
        async with bot.posting(every=0.05, what=Deed.SLOW, channels=10):
            await bot.prometheus.until_firing("WhatsitQueueFull")
        await bot.prometheus.until_resolved("WhatsitQueueFull")


async def test_slow_answers(bot: WatchedBot) -> None:
    async with bot.running():
        bot.wire.cdn.answer = cdn.slow(11, before=True)
        async with bot.posting(every=0.5, channels=10):
            await bot.prometheus.until_firing("WhatsitSlowAnswers")
            bot.wire.cdn.answer = cdn.plain
            await bot.prometheus.until_resolved("WhatsitSlowAnswers")


async def test_refused_by_discord(bot: WatchedBot) -> None:
    async with bot.running():
        for path in (r"/channels/\d+/typing", r"/channels/\d+/messages", r"/channels/\d+/messages/.*"):
            for method in ("POST", "PUT"):
                bot.wire.world.limit(method, path, 0.001, times=10**6)
        async with bot.posting(every=0.02, channels=20):
            await bot.prometheus.until_firing("WhatsitRefusedByDiscord")
        bot.wire.world.faults.clear()
        await bot.prometheus.until_resolved("WhatsitRefusedByDiscord")


async def test_store_failing(bot: WatchedBot) -> None:
    async with bot.running():
        other = sqlite3.connect(bot.store, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await bot.prometheus.until_firing("WhatsitStoreFailing")
        other.execute("ROLLBACK")
        other.close()
        await bot.prometheus.until_resolved("WhatsitStoreFailing")


async def test_nothing_named(bot: WatchedBot) -> None:
    async with bot.running():
        bot.wire.cdn.answer = cdn.status(503)
        async with bot.posting(every=0.5):
            await bot.prometheus.until_firing("WhatsitNothingNamed")
            bot.wire.cdn.answer = cdn.plain
            await bot.prometheus.until_resolved("WhatsitNothingNamed")


async def test_memory(bot: WatchedBot) -> None:
    async with bot.running():
        (size,) = await bot.prometheus.query("whatsit_worker_resident_bytes")
    bot.env["WHATSIT_WORKER__MEMORY"] = str(int(1.8 * size))
    async with bot.running() as process:
        await bot.post(Deed.HOARD)
        await bot.prometheus.until_firing("WhatsitMemory")
        bot.kill_worker(process)
        await bot.post()
        await bot.prometheus.until_resolved("WhatsitMemory")


async def test_reconnects(bot: WatchedBot) -> None:
    async with bot.running():
        for number in range(1, 8):
            await bot.wire.gateway.drop()
            await until(partial(_reached, lambda: bot.wire.gateway.sessions[0].resumes, number))
        await bot.prometheus.until_firing("WhatsitReconnects")
        await bot.prometheus.until_resolved("WhatsitReconnects")


async def test_unreadable_events(bot: WatchedBot) -> None:
    async with bot.running():
        await bot.wire.gateway.emit("MESSAGE_CREATE", {"nothing": "that can be parsed"})
        await bot.prometheus.until_firing("WhatsitUnreadableEvents")
        await bot.prometheus.until_resolved("WhatsitUnreadableEvents")


async def test_every_panel_of_the_dashboard_shows_something(bot: WatchedBot) -> None:
    panels = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    assert len(expressions) > 25
    async with bot.running() as process, bot.posting(every=0.2, channels=5):
        for _ in range(2):
            bot.kill_worker(process)
            await asyncio.sleep(3)
        empty = set(expressions)
        async with asyncio.timeout(60):
            while empty:
                for expression in set(empty):
                    asked = expression.replace("$instance", ".*").replace("$__rate_interval", "5s")
                    if not all(map(math.isnan, await bot.prometheus.query(asked))):
                        empty.discard(expression)
                await asyncio.sleep(1)
    assert empty == set()


def _reached(count: Callable[[], int], number: int) -> bool:
    return count() >= number
