"""A bot's classifier that asks nodes, over real connections to real processes."""

from __future__ import annotations

import asyncio

from tests.inference.cluster.nodes import bots_classifier, nodes
from tests.inference.fakes import picture, running


async def test_labels_are_those_of_a_local_worker() -> None:
    crowd = [picture(red) for red in range(64)]
    async with (
        nodes(2) as cluster,
        bots_classifier([node.url for node in cluster]) as remote,
        running() as local,
    ):
        there = await asyncio.gather(*(remote.classify(each, group=n % 5) for n, each in enumerate(crowd)))
        here = await asyncio.gather(*(local.classify(each, group=n % 5) for n, each in enumerate(crowd)))
        assert [each.labels for each in there] == [each.labels for each in here]
        assert [each.labels[0].index for each in there] == list(range(64))
        assert remote.info == local.info
        states = [await node.state() for node in cluster]
    print(states[0]["model"]["name"], [s["restarts"] for s in states])
    assert remote.worker_pid is None
