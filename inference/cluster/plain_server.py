"""A replica behind plain HTTP: a node for clusters of a few machines, which need no Ray."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from importlib.util import find_spec

from aiohttp import web

from config.listen_address import ListenAddress
from config.settings import ConfigError, Settings
from inference.cluster.model_receiver import ModelReceiver
from inference.cluster.ports import listen
from inference.cluster.replica import NodeResponse, Replica, refused
from inference.models import prepared
from inference.results import Busy, ModelUnavailable
from inference.sandbox.kernel import forbid_dumps
from inference.serving.cluster_client.answer_protocol import (
    ANSWER_PATH,
    HEALTH_PATH,
    STATE_PATH,
    too_large,
)
from inference.serving.cluster_client.cluster_secret import read_cluster_secret

log = logging.getLogger(__name__)

StopSignals = Callable[[], AbstractContextManager[asyncio.Event]]
"""Gives an event that is set when the process is told to stop."""

ANSWERED, FAILED = 0, 1
LOOK_SECONDS = 0.5
"""How often a node without a model looks whether one has been pushed."""
TICK_SECONDS = 0.02
"""How often a server that stops looks whether everything in hand is answered."""
LEAVE_SECONDS = 1.0
"""For answers that are under way when the server closes."""


def serve(wanted: Settings, stop_signals: StopSignals, *, load: str = "inference.models.loading:load") -> int:
    """Serve at `cluster.listen` until told to stop; return the exit code of the process.

    0: told to stop, and everything in hand was answered. 1: the model cannot be loaded (the log says why), or
    images were left when `queue.drain` seconds were over. `ConfigError` is raised for what only the owner can
    mend. `load` is what `Replica` takes.
    """
    forbid_dumps()
    address = wanted.cluster.address
    secret = node_secret(wanted, address)
    return asyncio.run(_serve(wanted, secret, load, address, stop_signals))


def node_secret(wanted: Settings, address: ListenAddress) -> str | None:
    """Return the secret that a node asks for; None where only this machine reaches it, and none is set.

    Raises `ConfigError` where there has to be one.
    """
    secret = read_cluster_secret(wanted.cluster)
    if secret is None and not address.is_loopback:
        raise ConfigError(
            f"cluster.listen is {address}, which other machines reach, so bot and nodes need a secret: write "
            "one to a file (openssl rand -hex 32 > FILE), and name it in cluster.secret_file on each of them."
        )
    return secret


async def _serve(
    wanted: Settings, secret: str | None, load: str, address: ListenAddress, stop_signals: StopSignals
) -> int:
    receiver = ModelReceiver(wanted.model.cache_dir, secret)
    with stop_signals() as told:
        if not await _may_have_model(wanted, receiver, address, told):
            return ANSWERED
        try:
            model = prepared.pinned(wanted.model, prepared.current(wanted.model))
            replica = Replica(wanted, secret=secret, model=model, load=load)
            return await _answer(wanted, replica, receiver, address, told)
        except ModelUnavailable as error:
            log.error("The node has no model. %s", error)  # noqa: TRY400 - the sentence is all there is to say
            return FAILED


async def _may_have_model(
    wanted: Settings, receiver: ModelReceiver, address: ListenAddress, told: asyncio.Event
) -> bool:
    """Wait until a model is pushed, where none was and none can be made here; return False where the node is
    told to stop meanwhile."""
    if find_spec("tensorflow") is not None or prepared.current(wanted.model) is not None:
        return True
    log.warning(
        "This machine has no model %s, and cannot make one without TensorFlow. It waits at http://%s for "
        "`whatsit models push`.",
        wanted.model.name,
        address,
    )
    async with receiver.listening("cluster.listen", address):
        while not told.is_set() and prepared.current(wanted.model) is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_SECONDS)
    return not told.is_set()


async def _answer(
    wanted: Settings, replica: Replica, receiver: ModelReceiver, address: ListenAddress, told: asyncio.Event
) -> int:
    """Answer questions until told to stop. A model that is pushed meanwhile is the next start's."""
    server = PlainServer(replica, most_bytes=wanted.queue.bytes)
    application = server.application()
    receiver.add_to(application)
    runner = web.AppRunner(
        application, access_log=None, handler_cancellation=True, shutdown_timeout=LEAVE_SECONDS
    )
    await runner.setup()
    try:
        await listen(runner, "cluster.listen", address)
        if not await _start(replica, address, told):
            return ANSWERED
        await told.wait()
        left = await server.finish(wanted.queue.drain)
    finally:
        await replica.close()
        await runner.cleanup()
    if left:
        log.error("%d images were still unanswered after %g s.", left, wanted.queue.drain)
        return FAILED
    log.info("Stopped; everything in hand was answered.")
    return ANSWERED


async def _start(replica: Replica, address: ListenAddress, told: asyncio.Event) -> bool:
    """Load the model; return False where the node was told to stop meanwhile. Raises ModelUnavailable."""
    loading = asyncio.create_task(replica.start(_report))
    stopping = asyncio.create_task(told.wait())
    await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not loading.done():
        loading.cancel()
        await asyncio.wait({loading})
        return False
    stopping.cancel()
    info = loading.result()
    if info.note:
        log.warning("%s", info.note)
    log.info("%s", info.sandbox)
    log.info("Pictures are answered at http://%s, by %s on %s.", address, info.name, info.engine)
    return True


def _report(stage: str, fraction: float | None) -> None:
    if fraction is None:
        log.info("The model: %s.", stage)


class PlainServer:
    """The HTTP of one replica.

    Questions that are being received or answered have at most `most_bytes` together, and take twice that in
    memory. Whoever comes when there is no room is refused with 429 before the picture is read.
    """

    def __init__(self, replica: Replica, *, most_bytes: int) -> None:
        self._replica = replica
        self._most_bytes = most_bytes
        self._bytes = 0
        self._requests = 0

    def application(self) -> web.Application:
        """Return what aiohttp serves."""
        application = web.Application(client_max_size=self._replica.most_body_bytes + 1)
        application.router.add_post(ANSWER_PATH, self.answer)
        application.router.add_get(STATE_PATH, self.state)
        application.router.add_get(HEALTH_PATH, self.health)
        return application

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one question."""
        authorization = request.headers.get("Authorization")
        if (turned_away := self._replica.turns_away(authorization)) is not None:
            return _http(turned_away)
        size = request.content_length
        if size is None:
            return web.Response(status=411, text="A question says how long it is (Content-Length).")
        if size > self._replica.most_body_bytes:
            return _http(refused(too_large(size, self._replica.most_bytes)))
        if self._bytes and self._bytes + size > self._most_bytes:
            return _http(refused(Busy(f"{self._bytes:,} bytes of images are here already (queue.bytes).")))
        self._bytes += size
        self._requests += 1
        try:
            return _http(await self._replica.answer(await request.read(), authorization))
        finally:
            self._bytes -= size
            self._requests -= 1

    async def state(self, request: web.Request) -> web.Response:
        """Say how the node is, to whoever has the secret."""
        return _http(
            self._replica.state(request.headers.get("Authorization"), request.query.get("model") or None)
        )

    async def health(self, _request: web.Request) -> web.Response:
        """Say to anybody, such as a load balancer, whether the node can answer."""
        return _http(self._replica.health())

    async def finish(self, seconds: float) -> int:
        """Refuse new questions, wait `seconds` at most until those in hand are answered, and return how many
        are not."""
        self._replica.stop()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while self._requests and loop.time() < until:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(TICK_SECONDS)
        return self._requests


def _http(response: NodeResponse) -> web.Response:
    headers = {} if response.retry_after is None else {"Retry-After": str(response.retry_after)}
    return web.Response(
        status=response.status, body=response.body, content_type="application/json", headers=headers
    )
