"""The real bot in a process of its own, whose pictures are looked at by nodes in theirs."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.inference.cluster.nodes import Node, nodes
from tests.inference.fakes import Deed, deed, picture
from tests.wire.bots import Process, process
from tests.wire.wire import Wire

MOST_MEMORY = 180_000_000
"""Bytes that the bot's process may take, with a cluster as without one."""


@asynccontextmanager
async def bot_with(wire: Wire, data: Path, cluster: Sequence[Node]) -> AsyncIterator[Process]:
    """A bot that asks these nodes, once it is connected."""
    env = {
        "WHATSIT_INFERENCE__BACKEND": "cluster",
        "WHATSIT_CLUSTER__URLS": ",".join(node.url for node in cluster),
    }
    async with process(wire, data, env, load_from="tests.inference.fakes:load") as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        yield bot


async def test_every_picture_is_answered_once_while_nodes_are_killed_and_updated(
    wire: Wire, tmp_path: Path
) -> None:
    async with nodes(3) as cluster, bot_with(wire, tmp_path, cluster) as bot:
        sent = []
        for number in range(18):  # a member may post twenty at once
            name = f"{number}.png"
            sent.append(await wire.post((name, deed(Deed.SLOW, number, size=(60, 60)))))
            if number == 5:
                await cluster[0].kill()
            if number == 11:
                cluster[1].send(signal.SIGTERM)
            await asyncio.sleep(0.02)
        await wire.world.until(lambda: wire.world.answered(None).total() >= len(sent))
        await asyncio.sleep(0.3)  # time for one too many
        assert wire.world.answered(None) == Counter(message["id"] for message in sent)

        seen = psutil.Process(bot.pid)
        assert seen.children() == [], "the bot has no worker, and no other process either"
        assert seen.memory_info().rss < MOST_MEMORY


async def test_a_hostile_picture_gets_its_answer_and_the_next_ones_get_theirs(
    wire: Wire, tmp_path: Path
) -> None:
    async with nodes(2) as cluster, bot_with(wire, tmp_path, cluster):
        bad = await wire.post(("bad.png", deed(Deed.CRASH)))
        sent = [await wire.post((f"{red}.png", picture(red))) for red in range(5)]
        sign = f"/messages/{bad['id']}/reactions/"
        await wire.world.until(
            lambda: (
                wire.world.answered(None).total() >= len(sent)
                and any(sign in request.path for request in wire.world.requests)
            )
        )
        assert wire.world.answered(None) == Counter(message["id"] for message in sent)
        states = [await node.state() for node in cluster]
        assert sum(state["condemned"] for state in states) == 1
        assert sum(state["restarts"] for state in states) <= 2
