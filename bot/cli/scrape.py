"""Read a bot's `/metrics`, and what happened between two readings."""

from __future__ import annotations

import http.client
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

TIMEOUT = 5.0
"""Seconds that a bot may take to answer."""


class NotReadable(Exception):
    """Metrics cannot be read; the message says where, and why."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """All samples of one reading, by name and labels; `at` is when, as a Unix time."""

    at: float
    samples: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of all samples of this name that have these labels; 0 where there is none."""
        wanted = labels.items()
        return sum(
            value for (of, has), value in self.samples.items() if of == name and wanted <= dict(has).items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return the sums of a metric by the values of one of its labels."""
        sums: dict[str, float] = {}
        for (of, has), value in self.samples.items():
            if of == name and (key := dict(has).get(label)) is not None:
                sums[key] = sums.get(key, 0.0) + value
        return sums

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """Return how many observations of a histogram were at most so large, by this upper bound."""
        sums: dict[float, float] = {}
        for (of, has), value in self.samples.items():
            of_sample = dict(has)
            if of == f"{name}_bucket" and labels.items() <= of_sample.items():
                bound = float(of_sample["le"])
                sums[bound] = sums.get(bound, 0.0) + value
        return dict(sorted(sums.items()))

    @property
    def started_at(self) -> float:
        """When the bot's process began, as a Unix time."""
        return self.value("process_start_time_seconds") or self.at

    def beginning(self) -> Scrape:
        """Return what would have been read when the bot started: nothing had happened yet."""
        return Scrape(self.started_at, {})


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two readings of the same bot."""

    old: Scrape
    new: Scrape

    @property
    def seconds(self) -> float:
        """How long it was."""
        return max(self.new.at - self.old.at, 1e-9)

    def grown(self, name: str, **labels: str) -> float:
        """Return by how much a counter has grown."""
        return self.new.value(name, **labels) - self.old.value(name, **labels)

    def grown_by(self, name: str, label: str) -> dict[str, float]:
        """Return by how much a counter has grown, by the values of one label, the most first; no zeros."""
        before = self.old.by(name, label)
        grown = {key: value - before.get(key, 0.0) for key, value in self.new.by(name, label).items()}
        return dict(sorted(((k, v) for k, v in grown.items() if v), key=lambda item: -item[1]))

    def quantile(self, share: float, name: str, **labels: str) -> float | None:
        """Return what this share of a histogram's observations was at most, as Prometheus estimates it.

        None where nothing was observed.
        """
        before = self.old.buckets(name, **labels)
        counts = {
            bound: count - before.get(bound, 0.0) for bound, count in self.new.buckets(name, **labels).items()
        }
        rank = share * max(counts.values(), default=0.0)
        if not rank:
            return None
        low = below = 0.0
        for bound, count in counts.items():
            if count >= rank:
                return low if math.isinf(bound) else low + (bound - low) * (rank - below) / (count - below)
            low, below = bound, count
        return low


def read(host: str, port: int) -> Scrape:
    """Read the metrics of the bot there. Raises `NotReadable`."""
    where = f"{host}:{port}"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)  # a proxy would be asked for nothing
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotReadable(
            f"Nothing answers at {where} ({reason}). Is the bot running, with metrics.listen set?"
        ) from error
    finally:
        connection.close()
    try:
        samples = {
            (sample.name, frozenset(sample.labels.items())): float(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    except ValueError:
        samples = {}
    scrape = Scrape(time.time(), samples)
    if not scrape.value("whatsit_build_info"):
        raise NotReadable(f"What answers at {where} is not Whatsit (status {response.status}).")
    return scrape
