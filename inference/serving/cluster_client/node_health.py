"""Which nodes of a cluster can be asked now: all are looked at, those that fail more often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from inference.results import ModelInfo, ModelUnavailable
from inference.serving.cluster_client.node import ClusterNode, FaultKind, NodeFailed

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
EVERY_SECONDS_WHILE_AWAY = 0.5
WITHIN_SECONDS = 3.0
"""For a node to say how it is. Its loop is never busy for long, however much its worker does."""
MISSED = 2
"""So many times in a row a node that was there must have said nothing before it is taken to be gone."""
PATIENCE_SECONDS = 5.0
"""How long no node could be asked before new images are refused at once, and need not wait in vain."""


class NodeHealth:
    """Looks after nodes until it is closed. It belongs to one event loop.

    `model` is the name of the model that a node must have, None for any. `on_change` is called whenever a
    node can be asked that could not be before.
    """

    def __init__(
        self, nodes: Sequence[ClusterNode], model: str | None, *, on_change: Callable[[], None]
    ) -> None:
        self._nodes = nodes
        self._model = model
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._look_now = {node.url: asyncio.Event() for node in nodes}
        self._news = asyncio.Event()
        self._first: ModelInfo | None = None
        self._none_since: float | None = self._loop.time()
        self._tasks = [
            asyncio.create_task(self._watch(node), name=f"inference-node {node.url}") for node in nodes
        ]

    @property
    def is_given_up(self) -> bool:
        """Whether no node could be asked for `PATIENCE_SECONDS`."""
        return self._none_since is not None and self._loop.time() - self._none_since > PATIENCE_SECONDS

    def faults(self) -> str:
        """Return a sentence for each node that cannot be asked."""
        return " ".join(f"{node.url}: {node.fault}" for node in self._nodes if node.fault is not None)

    async def first_ready(self, seconds: float) -> ModelInfo:
        """Wait for the first node that can be asked, and return its model.

        Raises ModelUnavailable after so many seconds, and at once where only the owner can help.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._first is None:
                    if all(node.fault_kind is FaultKind.OWNERS for node in self._nodes):
                        break
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        if self._first is None:
            raise ModelUnavailable(f"No node of cluster.urls can answer. {self.faults()}")
        return self._first

    def note(self, node: ClusterNode, failure: NodeFailed) -> None:
        """Take note of a failure that keeps the node from answering, and look at it at once."""
        self._set(node, failure)
        self._look_now[node.url].set()

    async def close(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, node: ClusterNode) -> None:
        missed = 0
        while True:
            self._look_now[node.url].clear()
            try:
                state = await node.state(self._model, WITHIN_SECONDS)
                if state.fault is None and state.model is None:
                    raise NodeFailed("It names no model.", FaultKind.NOT_READY, was_asked=False)  # noqa: TRY301
                if state.fault is not None:
                    raise NodeFailed(state.fault, FaultKind.NOT_READY, was_asked=False)  # noqa: TRY301
            except NodeFailed as failure:
                missed += 1
                if failure.was_asked and node.fault is None and missed < MISSED:
                    pass  # a busy moment
                else:
                    self._set(node, failure)
            else:
                missed = 0
                self._first = self._first or state.model
                self._set(node, None)
            self._news.set()
            every = EVERY_SECONDS if node.fault is None else EVERY_SECONDS_WHILE_AWAY
            try:
                async with asyncio.timeout(every):
                    await self._look_now[node.url].wait()
            except TimeoutError:
                continue

    def _set(self, node: ClusterNode, failure: NodeFailed | None) -> None:
        """Say once that a node cannot be asked any more, or that it can be again."""
        before, kind = node.fault, node.fault_kind
        if failure is None:
            node.fault = None
            if before is not None:
                log.info("The node %s is asked.", node.url)
        else:
            node.fault, node.fault_kind = str(failure), failure.kind or FaultKind.AWAY
            if before is None or kind is not node.fault_kind:
                log.warning("The node %s is not asked now. %s", node.url, failure)
            if node.fault_kind is FaultKind.AWAY:
                node.give_up()
        if any(each.fault is None for each in self._nodes):
            self._none_since = None
        elif self._none_since is None:
            self._none_since = self._loop.time()
        if failure is None and before is not None:
            self._on_change()
