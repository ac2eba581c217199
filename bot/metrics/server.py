"""Serve `/metrics`, `/healthz` and `/readyz` over HTTP, on the bot's own event loop."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from bot.client import Whatsit
from bot.connection.shards import Shards
from bot.metrics.prometheus_observer import PrometheusObserver
from bot.metrics.readiness import Readiness
from bot.metrics.registry import LabelledRegistry
from bot.metrics.state_collector import StateCollector
from bot.store import Store
from bot.tracing.observer import Observer
from config.listen_address import ListenAddress
from config.settings import ConfigError, Settings
from inference.serving.client import Classifier

log = logging.getLogger(__name__)

SPARE = "spare"
"""What stands for the shard of a process that waits for one."""
LEAVE = 1.0
"""Seconds that a request may still take when the server closes."""


class MetricsServer:
    """Off, it does nothing: its observer counts nothing, and nobody is served."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address = settings.metrics.address
        self._registry = LabelledRegistry()
        self.observer: Observer = PrometheusObserver(self._registry) if self._address else Observer()
        """Told of requests, for the metrics."""

    @asynccontextmanager
    async def serving(self, bot: Whatsit, classifier: Classifier, store: Store) -> AsyncIterator[None]:
        """Serve while the block lasts. Raises `ConfigError` where the address cannot be listened on."""
        if self._address is None:
            yield
            return
        collector = StateCollector(self._settings, bot, classifier, store)
        self._registry.register(collector)
        readiness = Readiness(bot, classifier, store)
        pages = _Pages(self._registry, collector, readiness, bot.shards)
        runner = web.AppRunner(pages.application(), access_log=None, shutdown_timeout=LEAVE)
        await runner.setup()
        try:
            await _listen(runner, self._address)
            yield
        finally:
            await runner.cleanup()
            await readiness.close()


class _Pages:
    def __init__(
        self,
        registry: LabelledRegistry,
        collector: StateCollector,
        readiness: Readiness,
        shards: Shards | None,
    ) -> None:
        self._registry = registry
        self._collector = collector
        self._readiness = readiness
        self._shards = shards

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/metrics", self.metrics)
        application.router.add_get("/healthz", self.alive)
        application.router.add_get("/readyz", self.ready)
        return application

    async def metrics(self, request: web.Request) -> web.Response:
        self._collector.faults = await self._readiness.faults()
        self._registry.labels = self._labels()
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": kind})

    async def alive(self, _request: web.Request) -> web.Response:
        """That this answers at all is the answer: the event loop lives."""
        return web.json_response({"alive": True, **self._labels()})

    async def ready(self, _request: web.Request) -> web.Response:
        faults = await self._readiness.faults()
        state = {"ready": not faults, "faults": dict(faults), **self._labels()}
        return web.json_response(state, status=503 if faults else 200)

    def _labels(self) -> dict[str, str]:
        """Return which shard this is, where the bot has several processes."""
        if self._shards is None:
            return {}
        shard = self._shards.shard
        return {"shard": SPARE if shard is None else str(shard.number)}


async def _listen(runner: web.AppRunner, address: ListenAddress) -> None:
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise ConfigError(
            f"metrics.listen is {address}, where nothing can be served: {error.strerror or error}. Is "
            "another Whatsit running? Choose another port, or leave it empty for no metrics."
        ) from error
    log.info("Metrics are served at http://%s/metrics, and /healthz and /readyz beside it.", address)
    if not address.is_loopback:
        log.warning(
            "Whoever reaches %s can read the metrics, without a password: how much the bot does, and no "
            "names or contents.",
            address,
        )
