"""What holds all metrics of one bot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, ProcessCollector, disable_created_metrics


class LabelledRegistry(CollectorRegistry):
    """Adds the same `labels` to every sample: `shard` where the bot is one shard of several, else none."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.labels = dict(labels or {})
        disable_created_metrics()  # type: ignore[no-untyped-call] # else each counter is there twice
        ProcessCollector(registry=self)

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics of all collectors."""
        for metric in super().collect():
            if self.labels:
                metric.samples = [
                    sample._replace(labels={**self.labels, **sample.labels}) for sample in metric.samples
                ]
            yield metric
