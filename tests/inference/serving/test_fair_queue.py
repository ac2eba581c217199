"""Groups share the work by what it costs, and items may leave."""

from __future__ import annotations

from collections import Counter

import pytest

from inference.serving.fair_queue import MOST_BEHIND, FairQueue


def queue_of(**groups: int) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue()
    for group, items in groups.items():
        for number in range(items):
            queue.put(f"{group}{number}", group)
    return queue


def served(queue: FairQueue[str], items: int, costs: dict[str, float]) -> Counter[str]:
    """Take items one by one and charge what each group's cost; returns how many each group had."""
    had: Counter[str] = Counter()
    for _ in range(items):
        item, estimate = queue.pop()
        queue.charge(item[0], costs[item[0]], estimate=estimate)
        had[item[0]] += 1
    return had


def test_a_fair_queue_forgets_what_is_taken_out() -> None:
    queue = queue_of(a=2, b=1)
    queue.remove("a0", "a")
    queue.remove("b0", "b")
    queue.remove("never", "c")
    assert queue.pop()[0] == "a1"
    assert not queue


def test_groups_whose_items_cost_the_same_take_turns() -> None:
    queue = queue_of(a=3, b=3, c=1)
    assert [queue.pop()[0] for _ in range(7)] == ["a0", "b0", "c0", "a1", "b1", "a2", "b2"]


def test_a_group_whose_items_cost_ten_times_as_much_gets_a_tenth_of_the_turns() -> None:
    queue = queue_of(a=100, b=100)
    had = served(queue, 110, {"a": 0.05, "b": 0.5})
    assert had["a"] == pytest.approx(100, abs=3)
    assert had["b"] == pytest.approx(10, abs=3)


def test_what_is_taken_before_its_cost_is_known_is_charged_by_what_the_group_had_cost() -> None:
    queue = queue_of(a=20, b=20)
    served(queue, 12, {"a": 0.05, "b": 1.0})
    batch = Counter(queue.pop()[0][0] for _ in range(8))
    assert batch == {"a": 8}


def test_a_group_that_was_away_has_saved_nothing_up() -> None:
    queue = queue_of(a=200)
    served(queue, 100, {"a": 1.0})
    for number in range(100):
        queue.put(f"b{number}", "b")
    had = served(queue, 40, {"a": 1.0, "b": 1.0})
    assert had["a"] == pytest.approx(20, abs=1)


def test_a_debt_outlives_an_empty_queue_but_is_never_more_than_a_bound() -> None:
    queue = queue_of(a=1, b=1)
    served(queue, 2, {"a": 1000.0, "b": 1.0})
    for number in range(100):
        queue.put(f"a{number}", "a")
        queue.put(f"b{number}", "b")
    had = served(queue, int(MOST_BEHIND) + 5, {"a": 1.0, "b": 1.0})
    assert had["b"] >= MOST_BEHIND - 1
    assert had["a"] >= 1


def test_all_that_is_put_back_is_served_as_if_it_had_not_been_taken() -> None:
    queue = queue_of(a=4, b=1)
    taken = [queue.pop() for _ in range(5)]
    for item, estimate in reversed(taken):
        queue.put_back(item, item[0], estimate=estimate)
    assert [queue.pop() for _ in range(5)] == taken


def test_groups_that_have_to_wait_are_passed_over_and_keep_their_turn() -> None:
    queue = queue_of(a=2, b=2, c=1)
    assert queue.first(without={"a"}) == "b0"
    assert queue.pop(without={"a", "b"})[0] == "c0"
    assert queue.pop()[0] == "a0"
    assert queue.first(without={"a", "b"}) is None
    with pytest.raises(LookupError):
        queue.pop(without={"a", "b"})
    assert [queue.pop()[0] for _ in range(3)] == ["b0", "a1", "b1"]


def test_what_was_used_stays_known_when_all_items_are_refused() -> None:
    queue = queue_of(a=2, b=2)
    served(queue, 2, {"a": 10.0, "b": 0.1})
    queue.clear()
    assert not queue
    queue.put("a9", "a")
    queue.put("b9", "b")
    assert [queue.pop()[0] for _ in range(2)] == ["b9", "a9"]
