"""All metrics of one bot are in one place, and none is there twice."""

from __future__ import annotations

from typing import get_args

from prometheus_client import generate_latest

from bot.metrics.prometheus_observer import PrometheusObserver
from bot.metrics.registry import LabelledRegistry
from bot.tracing.observer import Stage, Way


def test_a_bot_that_is_one_shard_says_so_in_every_sample_and_another_does_not() -> None:
    texts = []
    for labels in ({"shard": "3"}, None):
        registry = LabelledRegistry(labels)
        PrometheusObserver(registry).requested("mention")
        samples = generate_latest(registry).decode().splitlines()
        texts.append([line for line in samples if line.startswith("whatsit_")])
    sharded, alone = texts
    assert all('shard="3"' in line for line in sharded)
    assert not any("shard" in line for line in alone)
    assert len(sharded) == len(alone)


def test_no_counter_has_the_moment_of_its_making_beside_it() -> None:
    registry = LabelledRegistry()
    PrometheusObserver(registry)
    assert "_created" not in generate_latest(registry).decode()


def test_every_way_in_and_every_stage_is_there_from_the_start() -> None:
    registry = LabelledRegistry()
    PrometheusObserver(registry)
    for way in get_args(Way):
        assert registry.get_sample_value("whatsit_answer_seconds_count", {"way": way}) == 0
        assert registry.get_sample_value("whatsit_images_total", {"way": way, "outcome": "busy"}) == 0
    for stage in get_args(Stage):
        assert registry.get_sample_value("whatsit_stage_seconds_count", {"stage": stage}) == 0
