"""What is asked of each limit, against a calculation by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.capacity.demands import (
    CONNECTIONS,
    IDENTIFY,
    LARGEST,
    PROCESS,
    REMEDIES,
    REST,
    WRITES,
    Demand,
    ExpectedLoad,
)
from bot.capacity.figures import load_figures
from config.settings import Limits

FIGURES, _ = load_figures()


def expected(images_a_day: float = 20, **figures: float) -> ExpectedLoad:
    changed = FIGURES.model_copy(update=figures)
    return ExpectedLoad(figures=changed, limits=Limits(), images_a_day=images_a_day, cores=4)


def demand(load: ExpectedLoad, servers: int, name: str) -> Demand:
    (found,) = (each for each in load.demands(servers) if each.name == name)
    return found


def test_every_demand_has_a_remedy_and_what_is_asked_most_of_comes_first() -> None:
    found = expected().demands(100_000)
    assert {each.name for each in found} == set(REMEDIES)
    assert all(each.remedy.endswith(".") for each in found)
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)


def test_shards_are_one_while_discord_allows_it_and_then_what_it_recommends() -> None:
    load = expected()
    assert load.shards(2_500) == 1
    assert load.shards(2_501) == 3
    assert load.shards(100_000) == 100
    assert load.shards(150_000) == 160  # a multiple of 16
    assert load.shards(1_000_000) == 1_008


@pytest.mark.parametrize(
    ("servers", "limit"), [(10_000, 1000), (149_999, 1000), (150_000, 2000), (1_000_000, 5000)]
)
def test_identifies_a_day_are_allowed_as_discord_documents(servers: int, limit: int) -> None:
    assert demand(expected(), servers, IDENTIFY).limit == limit


def test_restarts_use_up_the_identifies() -> None:
    load = expected(restarts_a_day=9, lost_sessions_a_shard_day=1)
    found = demand(load, 120_000, IDENTIFY)
    assert found.use == 1200
    assert found.share == pytest.approx(1.2)
    assert found.breaks_at is not None
    assert 99_000 <= found.breaks_at <= 102_000
    assert demand(expected(restarts_a_day=1), 10_000, IDENTIFY).breaks_at is None


def test_calls_and_writes_are_those_of_the_busiest_seconds() -> None:
    load = expected(images_a_day=48, peak_factor=1.8, rest_calls_a_message=2, writes_a_message=3)
    assert load.images_a_second(100_000) == pytest.approx(100)
    assert load.busiest_images_a_second(100_000) == pytest.approx(100 + 3.1 * (100 / 10) ** 0.5)
    calls, writes = (demand(load, 100_000, name).use for name in (REST, WRITES))
    assert writes == pytest.approx(1.5 * calls)
    assert 100 < calls < 220  # some messages have several images


def test_a_limit_breaks_where_it_is_said_to() -> None:
    load = expected()
    for name in (REST, WRITES, CONNECTIONS, PROCESS, LARGEST):
        at = demand(load, 10_000, name).breaks_at
        assert at is not None
        assert demand(load, int(1.02 * at) + 1, name).share > 1
        assert demand(load, int(0.96 * at), name).share <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**7), st.floats(0.1, 1000))
def test_bot_machines_have_the_memory_and_the_cores_for_all_processes(servers: int, images: float) -> None:
    load = expected(images)
    machines = load.bot_machines(servers)
    assert machines >= 1
    assert load.bot_memory_share(servers) <= machines
    assert load.bot_cores(servers) <= machines * load.cores


def test_all_shards_have_started_once_each_has_had_its_turn() -> None:
    load = expected()
    assert load.start_minutes(2_500) == 0
    assert load.start_minutes(13_000) == pytest.approx(1)  # 12 more, five seconds each
    assert load.start_minutes(1_000_000) == pytest.approx(62 * 5 / 60)  # 16 at a time
