"""A plan adds up, is the same for the same seed, and that of a slice is that of the whole."""

from __future__ import annotations

import pytest

from bot.capacity import plan as planning
from bot.capacity.demands import ExpectedLoad
from bot.capacity.figures import load_figures
from bot.capacity.plan import CapacityPlan, CapacityQuestion, plan, slice_of
from config.settings import Settings

FIGURES, _ = load_figures()


def planned(
    servers: int, *, images_a_day: float = 20, replicas: int | None = None, **figures: float
) -> CapacityPlan:
    question = CapacityQuestion(
        servers=servers, images_a_day=images_a_day, cores=2, price=0.1, replicas=replicas
    )
    return plan(question, FIGURES.model_copy(update=figures), Settings())


@pytest.fixture(autouse=True)
def short_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SIMULATED_IMAGES", 10_000)


def test_a_small_bot_needs_one_machine_for_everything() -> None:
    found = planned(1_000)
    assert (found.processes, found.replicas, found.machines) == (1, 1, 1)
    assert found.reached
    assert found.answered_as_it_is == 1
    assert found.cost_a_day == pytest.approx(2.4)
    assert found.cost_a_million == pytest.approx(2.4 / 20_000 * 1e6)


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    assert planned(60_000) == planned(60_000)


def test_there_are_as_many_machines_as_the_goal_takes() -> None:
    found = planned(400_000)
    assert found.reached
    assert found.p95_looks <= 1
    assert found.refused <= 0.001
    assert found.replicas > 2
    too_few = planned(400_000, replicas=found.replicas // 2)
    assert not too_few.reached
    assert too_few.p95_looks > 5 * found.p95_looks
    assert found.machines == found.replicas + found.bot_machines + found.databases
    assert 0.5 < found.load < 1
    assert found.cost_a_million_by_the_hour < found.cost_a_million


def test_discords_limit_of_calls_leaves_most_images_of_a_large_bot_unanswered() -> None:
    found = planned(400_000)
    messages = found.images_a_second / 1.3
    assert found.answered_as_it_is == pytest.approx(
        25 / messages, rel=0.35
    )  # two calls a message, 50 a second
    more = planned(400_000, rest_calls_a_second=10_000)
    assert more.answered_as_it_is > 0.99


def test_a_slice_has_its_share_of_everything_and_all_of_the_largest_server() -> None:
    load = ExpectedLoad(figures=FIGURES, limits=Settings().limits, images_a_day=60, cores=2)
    whole, machines = load.images_a_second(1_000_000), 45
    part = slice_of(load, 1_000_000, machines)
    share = part.machines / machines
    assert part.machines < machines
    assert part.images_a_second == pytest.approx(whole * share)
    assert part.processes == round(1008 * share)
    largest = whole * load.largest_share(1_000_000)
    assert part.images_a_second * part.largest_share == pytest.approx(largest)


def test_a_slice_tells_what_the_whole_would_have_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """24 machines, once all of them for a while, once some of them."""
    monkeypatch.setattr(planning, "SHORTEST", 40.0)
    part = planned(600_000, replicas=24, images_a_day=60)
    monkeypatch.setattr(planning, "SIMULATED_IMAGES", 10**6)
    monkeypatch.setattr(planning, "LONGEST", 60.0)
    whole = planned(600_000, replicas=24, images_a_day=60)
    assert part.simulated < 1 == whole.simulated
    assert part.load == pytest.approx(whole.load, rel=0.08)
    assert part.p50 == pytest.approx(whole.p50, rel=0.1)
    assert part.p95 == pytest.approx(whole.p95, rel=0.2)
    assert part.busiest_images_a_second == pytest.approx(whole.busiest_images_a_second, rel=0.05)
