"""Count what happens to requests, for Prometheus."""

from __future__ import annotations

import itertools
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.tracing.observer import Observer, Stage, Way
from bot.tracing.request_tracing import FAILED, NAMED
from inference.results import Busy, ModelUnavailable, TimedOut

STAGE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ANSWER_SECONDS = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 300)
WATCHED_OUTCOMES = (NAMED, FAILED, Busy.code, TimedOut.code, ModelUnavailable.code)
"""Outcomes that are there before they happen: alerts look at how they grow."""


class PrometheusObserver(Observer):
    """Keeps the counters and histograms that requests move."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "whatsit_requests", "Requests that came in, by their way in", ["way"], registry=registry
        )
        self._images = Counter(
            "whatsit_images",
            "Images that came to their end: named, or the code of what kept them from it",
            ["way", "outcome"],
            registry=registry,
        )
        stages = Histogram(
            "whatsit_stage_seconds",
            "What a stage took, for an image or for the answer to a request",
            ["stage"],
            buckets=STAGE_SECONDS,
            registry=registry,
        )
        answers = Histogram(
            "whatsit_answer_seconds",
            "From posted or asked to answered, by Discord's clock",
            ["way"],
            buckets=ANSWER_SECONDS,
            registry=registry,
        )
        # Made before they are needed: Prometheus sees nothing grow that was not there before.
        ways: tuple[Way, ...] = get_args(Way)
        names: tuple[Stage, ...] = get_args(Stage)
        self._requests_by_way = {way: self._requests.labels(way) for way in ways}
        self._stages = {stage: stages.labels(stage) for stage in names}
        self._answers = {way: answers.labels(way) for way in ways}
        for way, outcome in itertools.product(ways, WATCHED_OUTCOMES):
            self._images.labels(way, outcome)

    def requested(self, way: Way) -> None:
        """Count a request."""
        self._requests_by_way[way].inc()

    def took(self, stage: Stage, seconds: float) -> None:
        """Enter what a stage took."""
        self._stages[stage].observe(seconds)

    def ended(self, way: Way, outcome: str, images: int) -> None:
        """Count images that came to their end."""
        self._images.labels(way, outcome).inc(images)

    def answered(self, way: Way, seconds: float) -> None:
        """Enter how long an answer was waited for."""
        self._answers[way].observe(seconds)
