"""Read what the parts of a running bot know of themselves, when Prometheus asks."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

import discord
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.client import Whatsit
from bot.metrics.readiness import CHECKS
from bot.store import Store
from config.settings import Settings
from inference.results import ModelUnavailable, ServingLoad, Stats
from inference.serving.client import Classifier

BATCH_IMAGES = (1, 2, 4, 8, 16, 32)
REFUSALS = ("401", "403", "429")


class StateCollector(Collector):
    """Nothing is counted twice, and nothing costs anything between two questions."""

    def __init__(self, settings: Settings, bot: Whatsit, classifier: Classifier, store: Store) -> None:
        self._settings = settings
        self._bot = bot
        self._classifier = classifier
        self._store = store
        self._version = _version()
        self.faults: Mapping[str, str] = {}
        """What `Readiness` has found last; whoever asks for metrics asks for that first."""

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics of the moment."""
        yield _info(
            "whatsit_build",
            "The program that runs",
            version=self._version,
            python=platform.python_version(),
            discord_py=discord.__version__,
        )
        yield _gauge("whatsit_ready", "Whether a check of /readyz is passed", "check", self._checks())
        yield from self._connection()
        yield from self._queue()
        yield from self._workers()
        yield _counter(
            "whatsit_store_failures", "Reads and writes of the store that failed", self._store.failures
        )

    def _checks(self) -> dict[str, float]:
        return {check: float(check not in self.faults) for check in CHECKS}

    def _connection(self) -> Iterator[Metric]:
        bot, watch = self._bot, self._bot.http_watch
        counts = bot.event_counts
        yield _counter("whatsit_events", "Events that came from the gateway", counts.all)
        yield _counter(
            "whatsit_unreadable_events", "Events that could not be parsed", counts.passed_over.total()
        )
        yield _gauge("whatsit_servers", "Servers that the bot is on", None, len(bot.guilds))
        latency = bot.latency if math.isfinite(bot.latency) else math.nan
        yield _gauge(
            "whatsit_gateway_latency_seconds", "A heartbeat's way to Discord and back", None, latency
        )
        yield _counter(
            "whatsit_gateway_reconnects", "Sessions begun or resumed anew", max(bot.connections - 1, 0)
        )
        yield _counter("whatsit_rate_limit_waits", "Waits for a rate limit of Discord", watch.waits.times)
        yield _counter(
            "whatsit_rate_limit_wait_seconds", "Seconds waited for rate limits", watch.waits.seconds
        )
        refused = watch.brake.counts()
        yield _gauge(
            "whatsit_bad_answers",
            "Requests that Discord refused in the last ten minutes; at 10,000 it bans the address",
            "code",
            {code: refused.get(code, 0) for code in REFUSALS},
        )

    def _queue(self) -> Iterator[Metric]:
        load, limit = self._classifier.load, self._settings.queue
        yield _gauge("whatsit_queue_images", "Images that wait or are in work", None, load.images)
        yield _gauge("whatsit_queue_images_limit", "How many may (queue.images)", None, limit.images)
        yield _gauge("whatsit_queue_bytes", "Bytes of images that are held", None, load.bytes)
        yield _gauge("whatsit_queue_bytes_limit", "How many may be (queue.bytes)", None, limit.bytes)

    def _workers(self) -> Iterator[Metric]:
        stats: dict[str, Stats] = {}
        loads: dict[str, ServingLoad] = {}
        models = GaugeMetricFamily("whatsit_model_info", "The models that answer", labels=["model", "engine"])
        for classifier in self._bot.models.running():
            try:
                info = classifier.info
            except ModelUnavailable:  # it is still being loaded
                continue
            models.add_metric([info.name, info.engine], 1)
            stats[info.name], loads[info.name] = classifier.stats, classifier.load
        yield models
        yield _batches(stats)
        for name, text, values in (
            (
                "whatsit_answered_by_model",
                "Images that a model has named",
                {m: s.answered for m, s in stats.items()},
            ),
            ("whatsit_remembered", "Images named from memory", {m: s.known for m, s in stats.items()}),
            ("whatsit_worker_restarts", "Workers replaced", {m: s.restarts for m, s in stats.items()}),
            (
                "whatsit_condemned",
                "Images refused for what they did",
                {m: s.condemned for m, s in stats.items()},
            ),
        ):
            yield _counter(name, text, values)
        yield _gauge(
            "whatsit_breaker_open",
            "Whether the worker keeps dying and images are refused",
            "model",
            {model: float(load.breaker_open) for model, load in loads.items()},
        )
        yield _gauge(
            "whatsit_worker_resident_bytes",
            "Memory of the worker",
            "model",
            {model: load.worker_bytes for model, load in loads.items()},
        )
        yield _gauge(
            "whatsit_worker_memory_limit_bytes",
            "How much it may take (worker.memory)",
            None,
            self._settings.worker.memory,
        )


def _version() -> str:
    try:
        return version("whatsit")
    except PackageNotFoundError:  # it runs from its source
        return "(not installed)"


def _batches(stats: Mapping[str, Stats]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "whatsit_batch_images", "Images handed to the worker together", labels=["model"]
    )
    for model, stat in stats.items():
        sizes = stat.batch_sizes
        buckets = [
            (str(float(most)), sum(times for size, times in sizes.items() if size <= most))
            for most in BATCH_IMAGES
        ]
        buckets.append(("+Inf", sum(sizes.values())))
        family.add_metric([model], buckets, sum(size * times for size, times in sizes.items()))
    return family


def _info(name: str, text: str, **labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{name}_info", text, labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family


def _gauge(name: str, text: str, label: str | None, values: float | Mapping[str, float]) -> GaugeMetricFamily:
    """Return a gauge with one value, or with one for each value of `label`."""
    family = GaugeMetricFamily(name, text, labels=[label] if label else [])
    if isinstance(values, Mapping):
        for of, value in values.items():
            family.add_metric([of], value)
    else:
        family.add_metric([], values)
    return family


def _counter(name: str, text: str, values: float | Mapping[str, float]) -> CounterMetricFamily:
    """Return a counter with one value, or with one for each model."""
    family = CounterMetricFamily(name, text, labels=["model"] if isinstance(values, Mapping) else [])
    if isinstance(values, Mapping):
        for model, value in values.items():
            family.add_metric([model], value)
    else:
        family.add_metric([], values)
    return family
