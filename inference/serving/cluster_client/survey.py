"""Ask every node of a cluster once how it is, for `whatsit doctor`."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp

from config.settings import Settings
from inference.serving.cluster_client.cluster_backend import node_session
from inference.serving.cluster_client.cluster_secret import authorization_of
from inference.serving.cluster_client.node import ClusterNode, NodeFailed

WITHIN_SECONDS = 5.0


class NodeReport(NamedTuple):
    """What a node says of itself: its model and what runs it, and its images in hand; else `fault` says why
    it cannot be asked, as a sentence."""

    url: str
    fault: str | None
    model: str = ""
    engine: str = ""
    images: int = 0
    places: int = 0


async def survey(settings: Settings) -> list[NodeReport]:
    """Return a report of each node of `cluster.urls`, in order.

    Raises `ConfigError` where the secret cannot be read.
    """
    authorization = authorization_of(settings.cluster)
    wanted = None if settings.model.name == "auto" else settings.model.name
    async with node_session() as session:
        return list(
            await asyncio.gather(
                *(_report(url, authorization, wanted, session) for url in settings.cluster.urls)
            )
        )


async def _report(
    url: str, authorization: str | None, wanted: str | None, session: aiohttp.ClientSession
) -> NodeReport:
    try:
        state = await ClusterNode(url, authorization, 1, session).state(wanted, WITHIN_SECONDS)
    except NodeFailed as failure:
        return NodeReport(url, str(failure))
    if state.fault is not None or state.model is None:
        return NodeReport(url, state.fault or "It names no model.")
    return NodeReport(url, None, state.model.name, state.model.engine, state.images, state.places)
