"""What a cluster has instead of a micro-batcher: it puts each image to a node, and to another if that fails.

It keeps `cluster.window` images in flight to each node, and gives the next one to the node that has fewest.
Images beyond that wait here, in turns of their groups, and so does a picture that is asked about in two ways
at a time: if it is harmful, it harms one node. A node that fails is never a reason to condemn an image: only
a node's own worker can tell who killed it, and its word for that is HarmfulImage.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Hashable

import aiohttp
from cachetools import LRUCache

from config.settings import Settings
from inference.results import HarmfulImage, InferenceError, ModelInfo, ModelUnavailable
from inference.serving.backend import CLOSED
from inference.serving.cluster_client.answer_protocol import MOST_KNOWN, NodeAnswer, NodeQuestion, model_hash
from inference.serving.cluster_client.cluster_secret import authorization_of
from inference.serving.cluster_client.node import (
    CONNECT_SECONDS,
    ClusterNode,
    NodeFailed,
    NodeFull,
    unbelievable,
)
from inference.serving.cluster_client.node_health import NodeHealth
from inference.serving.expected_work import ExpectedWork
from inference.serving.fair_queue import FairQueue
from inference.serving.image_job import ImageJob, OnCost, Outcome
from inference.serving.node_reply import NodeReply
from inference.serving.protocol import AnsweredReply, LookRequest
from inference.serving.reply_check import check_reply
from inference.serving.verdict_cache import ImageKey

log = logging.getLogger(__name__)

MOST_ASKED = 4
"""How many nodes an image may be put to that then fail. Each may have died of something else; an image that
was there each time is given up, and not condemned."""

LEAST_SECONDS = 0.05
"""For an answer that is nearly late."""

GROUPS = 4096
"""Groups whose name for the nodes is remembered."""


class ClusterJob(ImageJob):
    """An image, until when the event loop's clock lets it wait, and which nodes failed while they had it."""

    def __init__(
        self,
        number: int,
        key: ImageKey,
        data: bytes,
        group: Hashable,
        *,
        on_cost: OnCost | None,
        until: float,
    ) -> None:
        super().__init__(number, key, data, group, on_cost=on_cost)
        self.until = until
        self.failed_at: list[str] = []


class ClusterBackend:
    """Stands where `MicroBatcher` stands, whose docstrings hold, and has the nodes of `cluster.urls` answer.

    Raises `ConfigError` where the secret cannot be read.
    """

    def __init__(
        self,
        wanted: Settings,
        *,
        on_settled: Callable[[ImageKey, Outcome], None],
        on_model: Callable[[ModelInfo], None],
    ) -> None:
        self._cluster = wanted.cluster
        self._model = None if wanted.model.name == "auto" else wanted.model.name
        self._timeout = wanted.queue.timeout
        self._on_settled = on_settled
        self._on_model = on_model
        self._authorization = authorization_of(wanted.cluster)
        self._session: aiohttp.ClientSession | None = None
        self._nodes: list[ClusterNode] = []
        self._health: NodeHealth | None = None
        self._numbers = itertools.count()
        self._jobs: dict[ImageKey, ClusterJob] = {}
        self._queue: FairQueue[ClusterJob] = FairQueue()
        self._held: dict[bytes, list[ClusterJob]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._group_names: LRUCache[Hashable, str] = LRUCache(GROUPS)
        self._models: LRUCache[str, ModelInfo] = LRUCache(MOST_KNOWN)
        self._adopted = ""
        self._closed = False
        self.weighs_images = False  # a node does, before its own worker
        self.pid: int | None = None
        self.restarts = 0
        self.worker_bytes = 0
        self.condemned = 0
        self.batches = 0
        self.batch_sizes: Counter[int] = Counter()

    @property
    def breaker_open(self) -> bool:
        """Whether no node can answer, and none could for some seconds."""
        return self._health is not None and self._health.is_given_up

    def check(self) -> None:
        """Raise ModelUnavailable where a new image would be refused."""
        if self._closed:
            raise ModelUnavailable(CLOSED)
        if self._health is not None and self._health.is_given_up:
            raise ModelUnavailable(f"No node of cluster.urls can answer. {self._health.faults()}")

    async def start(self, report: Callable[[str, float | None], None]) -> None:
        """Wait until a node is ready, and adopt its model. Raises ModelUnavailable if none is in time."""
        report("asking the nodes of the cluster", None)
        self._session = node_session()
        self._nodes = [
            ClusterNode(url, self._authorization, self._cluster.window, self._session)
            for url in self._cluster.urls
        ]
        self._health = NodeHealth(self._nodes, self._model, on_ready=self._take_heart)
        try:
            info = await self._health.first_ready(self._cluster.start_timeout)
        except BaseException:
            await self._leave()
            raise
        self._adopt(model_hash(info), info)

    async def answer(
        self,
        key: ImageKey,
        data: bytes,
        group: Hashable,
        on_cost: OnCost | None = None,
        expected: ExpectedWork = ExpectedWork(),  # noqa: ARG002, B008 - a node sees for itself; it is a tuple
    ) -> AnsweredReply:
        """Wait for the labels of an image, and return them. Images with the same key are looked at once."""
        until = asyncio.get_running_loop().time() + self._timeout
        job = self._jobs.get(key)
        if job is not None:
            job.until = until
        else:
            self.check()
            job = self._jobs[key] = ClusterJob(
                next(self._numbers), key, data, group, on_cost=on_cost, until=until
            )
            self._queue.put(job, group)
            self._send()
        waiter: asyncio.Future[AnsweredReply] = asyncio.get_running_loop().create_future()
        job.waiters.add(waiter)
        try:
            return await waiter
        finally:
            job.waiters.discard(waiter)
            if not job.waiters and self._jobs.get(key) is job and not job.in_work:
                self._queue.remove(job, job.group)
                self._forget(job)

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images in the queue. No node can tell any more whose
        was what it remembers of the group."""
        self._queue.forget(group)
        self._group_names.pop(group, None)

    async def close(self) -> None:
        """Refuse what is left, and close the connections."""
        if self._closed:
            return
        self._closed = True
        self._refuse_all(ModelUnavailable(CLOSED))
        asking = set(self._asking)
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)
        await self._leave()

    async def _leave(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._health is not None:
            await self._health.close()
        if self._session is not None:
            await self._session.close()
        self._nodes, self._health, self._session = [], None, None

    def _take_heart(self) -> None:
        """Adopt the model that the nodes have now, where none has the adopted one any more, and go on."""
        present = {node.model_hash: node.model for node in self._nodes if node.model and node.fault is None}
        if self._adopted and self._adopted not in present:
            for found, model in present.items():
                self._adopt(found, model)
                break
        self._send()

    def _send(self) -> None:
        """Put as many images to nodes as these take."""
        while self._queue and not self._closed:
            free = [node for node in self._nodes if node.takes_more()]
            if not free:
                self._send_after_pause()
                return
            job, estimate = self._queue.pop()
            job.estimate = estimate
            if (held := self._held.get(job.key.digest)) is not None:
                held.append(job)
                continue
            self._held[job.key.digest] = []
            node = min(free, key=lambda one: (one.url in job.failed_at, one.in_flight))
            job.in_work = True
            node.in_flight += 1
            task = asyncio.create_task(self._ask(node, job), name="inference-cluster")
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    def _send_after_pause(self) -> None:
        """Come back when the first of the nodes that are left alone may be asked again."""
        pauses = [node.pause for node in self._nodes if node.fault is None and node.pause]
        if pauses and self._again is None:
            self._again = asyncio.get_running_loop().call_later(min(pauses), self._send_again)

    def _send_again(self) -> None:
        self._again = None
        self._send()

    async def _ask(self, node: ClusterNode, job: ClusterJob) -> None:
        """Put an image to a node; settle it, or have it wait for its next turn."""
        known = dict(self._models)
        left = max(job.until - asyncio.get_running_loop().time(), LEAST_SECONDS)
        question = NodeQuestion(
            ranked=job.key.ranked,
            seconds=left,
            features=job.key.features,
            explain=job.key.explain,
            group=self._name_of(job.group),
            model=self._model,
            known=tuple(known),
        )
        try:
            answer = await node.ask(question, job.data)
            self._settle(job, self._believed(answer, job, known))
        except InferenceError as refusal:
            self._settle(job, refusal)
        except NodeFull:
            node.slow_down()
            self._put_back(job)
        except NodeFailed as failure:
            self._take_note(node, failure)
            if failure.was_asked:
                job.failed_at.append(node.url)
            if len(job.failed_at) < MOST_ASKED:
                self._put_back(job)
            else:
                self._settle(job, _given_up(job, failure))
        except BaseException as error:
            # Whether the loop is ending or this is a bug, nobody may wait for ever.
            self._settle(job, ModelUnavailable(f"The classifier stopped working: {error!r}"))
            raise
        finally:
            node.in_flight -= 1
            for other in self._held.pop(job.key.digest, ()):
                self._put_back(other)
            self._send()

    def _name_of(self, group: Hashable) -> str:
        """Return what a node is told in place of a group's own number."""
        name: str | None = self._group_names.get(group)
        if name is None:
            name = self._group_names[group] = secrets.token_hex(8)
        return name

    def _believed(self, answer: NodeAnswer, job: ClusterJob, known: dict[str, ModelInfo]) -> NodeReply:
        """Return an answer that could be true, and adopt its model. Raises NodeFailed for any other."""
        model = answer.model or known.get(answer.model_hash)
        look = LookRequest(
            id=answer.reply.id, ranked=job.key.ranked, features=job.key.features, explain=job.key.explain
        )
        if model is None or (answer.model and model_hash(answer.model) != answer.model_hash):
            raise unbelievable("its model is not the one that it says")
        try:
            check_reply(look, answer.reply, model)
        except ValueError as error:
            raise unbelievable(str(error)) from None
        self._adopt(answer.model_hash, model)
        return NodeReply.model_construct(**dict(answer.reply), model=model)

    def _adopt(self, found: str, model: ModelInfo) -> None:
        if found == self._adopted:
            return
        if self._adopted and found not in self._models:
            log.info("A node answers with another model now: %s on %s.", model.name, model.engine)
        self._models[found] = model
        self._adopted = found
        self._on_model(model)

    def _take_note(self, node: ClusterNode, failure: NodeFailed) -> None:
        if failure.kind is None or self._health is None:
            if not node.pause:
                log.info("The node %s failed. %s", node.url, failure)
            node.slow_down()
        else:
            self._health.note(node, failure)

    def _put_back(self, job: ClusterJob) -> None:
        """Have an image wait for its next turn, unless nobody waits for it any more."""
        job.in_work = False
        if job.waiters and self._jobs.get(job.key) is job:
            self._queue.put_back(job, job.group, estimate=job.estimate)
        else:
            self._forget(job)
            self._queue.charge(job.group, 0.0, estimate=job.estimate)
        job.estimate = 0.0

    def _settle(self, job: ClusterJob, outcome: Outcome) -> None:
        job.in_work = False
        self._forget(job)
        if isinstance(outcome, AnsweredReply):
            self.batches += 1
            self.batch_sizes[1] += 1
        if isinstance(outcome, HarmfulImage):
            self.condemned += 1
            for other in self._held.get(job.key.digest, ()):
                self._forget(other)
                other.finish(HarmfulImage(str(outcome)))
        self._on_settled(job.key, outcome)
        self._queue.charge(job.group, outcome.core_seconds, estimate=job.estimate)
        if job.on_cost:
            job.on_cost(outcome.core_seconds)
        job.finish(outcome)

    def _refuse_all(self, error: InferenceError) -> None:
        jobs = list(self._jobs.values())
        self._jobs.clear()
        self._queue.clear()
        self._held.clear()
        for job in jobs:
            job.finish(error)

    def _forget(self, job: ClusterJob) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]


def node_session() -> aiohttp.ClientSession:
    """Return what keeps the connections to nodes; whoever asks for it closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept-Encoding", "User-Agent"),
    )


def _given_up(job: ClusterJob, failure: NodeFailed) -> ModelUnavailable:
    return ModelUnavailable(
        f"{len(job.failed_at)} nodes failed while they had the image. The last time: {failure}"
    )
