"""Groups take turns, and items may leave."""

from __future__ import annotations

from inference.serving.fair_queue import FairQueue


def test_a_fair_queue_forgets_what_is_taken_out() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1"):
        queue.put(item, item[0])
    queue.remove("a1", "a")
    queue.remove("b1", "b")
    queue.remove("never", "c")
    assert queue.pop() == "a2"
    assert not queue
