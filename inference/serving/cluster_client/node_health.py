"""Which nodes of a cluster can be asked now: all are looked at, those that fail more often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from inference.results import ModelInfo, ModelUnavailable
from inference.serving.cluster_client.answer_protocol import model_hash
from inference.serving.cluster_client.node import ClusterNode, FaultKind, NodeFailed

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
EVERY_SECONDS_WHILE_AWAY = 0.5
WITHIN_SECONDS = 2.0
"""For a node to say how it is. Its loop is never busy for long, however much its worker does."""
MISSED = 2
"""So many times in a row a node that was there must have said nothing before it is taken to be gone."""
PATIENCE_SECONDS = 5.0
"""How long no node could be asked before new images are refused at once, and need not wait in vain."""


class NodeHealth:
    """Looks after nodes until it is closed. It belongs to one event loop.

    `model` is the name of the model that a node must have, None for any. `on_ready` is called whenever a node
    was found that can be asked.
    """

    def __init__(
        self, nodes: Sequence[ClusterNode], model: str | None, *, on_ready: Callable[[], None]
    ) -> None:
        self._nodes = nodes
        self._model = model
        self._on_ready = on_ready
        self._loop = asyncio.get_running_loop()
        self._look_now = {node.url: asyncio.Event() for node in nodes}
        self._news = asyncio.Event()
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
                while not self._ready():
                    if all(node.fault_kind is FaultKind.OWNERS for node in self._nodes):
                        break
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass
        for model in self._ready():
            return model
        raise ModelUnavailable(f"No node of cluster.urls can answer. {self.faults()}")

    def _ready(self) -> list[ModelInfo]:
        """Return the models of the nodes that can be asked."""
        return [node.model for node in self._nodes if node.fault is None and node.model is not None]

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
                model = await self._look_at(node)
            except NodeFailed as failure:
                missed += 1
                # One that was there may be busy for a moment.
                if node.fault is not None or missed >= MISSED or not failure.was_asked:
                    self._set(node, failure)
                    if node.fault_kind is FaultKind.AWAY:
                        node.give_up()
            else:
                missed = 0
                node.model, node.model_hash = model, model_hash(model)
                self._set(node, None)
                self._on_ready()
            self._news.set()
            every = EVERY_SECONDS if not missed else EVERY_SECONDS_WHILE_AWAY
            try:
                async with asyncio.timeout(every):
                    await self._look_now[node.url].wait()
            except TimeoutError:
                continue

    async def _look_at(self, node: ClusterNode) -> ModelInfo:
        """Return the model of a node that can answer. Raises NodeFailed for any other."""
        state = await node.state(self._model, WITHIN_SECONDS)
        if state.model is None or state.fault is not None:
            raise NodeFailed(state.fault or "It has no model.", FaultKind.NOT_READY, was_asked=False)
        return state.model

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
        if any(each.fault is None for each in self._nodes):
            self._none_since = None
        elif self._none_since is None:
            self._none_since = self._loop.time()
