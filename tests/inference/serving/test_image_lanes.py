"""Which images the worker may have at the same time."""

from __future__ import annotations

import itertools

from inference.serving.expected_work import ExpectedWork
from inference.serving.image_job import ImageJob
from inference.serving.image_lanes import CHEAP_PIXELS, HEAVY_SECONDS, ImageLanes
from inference.serving.verdict_cache import ImageKey

MEGA = 1_000_000
NUMBERS = itertools.count()


def job(
    seconds: float = 0.05, megapixels: float = 1, *, group: str | None = "a", is_large: bool = False
) -> ImageJob:
    number = next(NUMBERS)
    expected = ExpectedWork(seconds, int(megapixels * MEGA), is_large)
    return ImageJob(number, ImageKey(b"%d" % number, 1), b"", group, expected=expected)


def lanes(*jobs: ImageJob, crops: int = 8, cores: int = 2) -> ImageLanes:
    found = ImageLanes(crops=crops, pixels=50 * MEGA, cores=cores)
    for each in jobs:
        found.put(each)
    return found


def taken(found: ImageLanes, present: list[ImageJob] | None = None) -> list[ImageJob]:
    """Take all that may go now."""
    there = list(present or [])
    while each := found.take(there):
        there.append(each)
    return there[len(present or []) :]


def test_costly_images_leave_one_core_to_the_others() -> None:
    costly = [job(2.0, 10) for _ in range(5)]
    assert taken(lanes(*costly)) == costly[:1]
    assert taken(lanes(*costly, cores=4)) == costly[:3]
    assert taken(lanes(*costly, cores=1)) == costly[:1]


def test_cheap_images_do_not_wait_for_costly_ones_of_their_own_server() -> None:
    costly, cheap = [job(2.0) for _ in range(3)], [job() for _ in range(3)]
    assert taken(lanes(*costly, *cheap)) == [costly[0], *cheap]


def test_of_large_images_there_is_one_and_of_costly_ones_so_many_pixels() -> None:
    large = [job(1.0, 20, is_large=True) for _ in range(2)]
    assert taken(lanes(*large, cores=8)) == large[:1]
    wide = [job(1.0, 15) for _ in range(4)]
    assert taken(lanes(*wide, cores=8)) == wide[:3]


def test_cheap_images_are_bounded_by_their_core_seconds_and_pixels() -> None:
    dear = [job(0.25) for _ in range(4)]
    assert taken(lanes(*dear, cores=2)) == dear[:2]
    wide = [job(0.05, 0.4 * CHEAP_PIXELS / MEGA) for _ in range(4)]
    assert taken(lanes(*wide)) == wide[:2]


def test_an_image_that_would_be_alone_may_always_go() -> None:
    monster = job(100.0, 1000)
    assert taken(lanes(monster)) == [monster]


def test_a_second_look_needs_room_for_its_crops_beside_those_of_cheap_images() -> None:
    there, second = [job(0.5, 49), job(), job()], job(0.5, 49)
    second.second, second.crops = True, 2
    assert lanes(crops=4).fits(second, there)
    assert not lanes(crops=3).fits(second, there)
    second.crops = 9  # more than there is ever room for: it waits for the cheap ones, and for no costly one
    assert not lanes(crops=8).fits(second, there)
    assert lanes(crops=8).fits(second, there[:1])


def test_heat_maps_do_not_wait_until_nobody_else_comes() -> None:
    number = next(NUMBERS)
    explained = ImageJob(number, ImageKey(b"%d" % number, 1, explain=(1,)), b"", "a")
    assert lanes().fits(explained, [job() for _ in range(8)])
    assert not lanes().fits(explained, [job(2.0)])


def test_servers_take_turns_in_both_lanes() -> None:
    first, second = [job(2.0, group="a") for _ in range(2)], job(2.0, group="b")
    found = lanes(*first, second)
    assert taken(found) == [first[0]]
    found.charge(first[0], 2.0)
    assert taken(found) == [second]


def test_where_each_server_may_have_one_image_others_of_the_line_go_first() -> None:
    jobs = [job(group="a"), job(group="a"), job(group="b"), job(group=None), job(group=None)]
    found = lanes(*jobs)
    there: list[ImageJob] = []
    while each := found.take(there, one_each=True):
        there.append(each)
    assert there == [jobs[0], jobs[2], jobs[3], jobs[4]]  # of those without a server nothing is known
    assert found.take(there[1:], one_each=True) is jobs[1]


def test_what_is_put_back_is_first_again_and_costs_nothing() -> None:
    jobs = [job(group="a"), job(group="a"), job(group="b")]
    found = lanes(*jobs)
    one = found.take([])
    assert one is jobs[0]
    found.put_back(one)
    assert taken(found) == [jobs[0], jobs[2], jobs[1]]


def test_what_is_removed_or_cleared_is_not_taken() -> None:
    jobs = [job(), job(2.0)]
    found = lanes(*jobs)
    assert found
    found.remove(jobs[1])
    assert taken(found) == jobs[:1]
    found.put(jobs[1])
    found.clear()
    assert not found


def heavy(found: ImageLanes, group: str) -> None:
    """Have a group use much of the processor."""
    one = job(HEAVY_SECONDS + 1, group=group)
    found.put(one)
    assert found.take([]) is one
    found.charge(one, HEAVY_SECONDS + 1)


def test_whoever_has_used_much_takes_no_room_from_the_others() -> None:
    found = lanes()
    heavy(found, "attacker")
    dear, honest = [job(0.25, group="attacker") for _ in range(4)], job(0.25, group="honest")
    for each in (*dear, honest):
        found.put(each)
    assert taken(found) == [honest, *dear[:2]]
    assert [each.is_heavy for each in (*dear, honest)] == [True] * 4 + [False]


def test_what_a_burst_is_expected_to_take_counts_before_it_has_been_taken() -> None:
    burst = [job(0.25) for _ in range(20)]
    lanes(*burst)
    assert not burst[0].is_heavy
    assert burst[-1].is_heavy


def test_what_was_expected_is_replaced_by_what_it_took_or_forgotten() -> None:
    burst = [job(0.25) for _ in range(40)]
    found = lanes(*burst[:10])
    for each in taken(found):
        found.charge(each, 0.01)
    for each in burst[2:10]:
        found.remove(each)
    found.put(burst[10])
    assert not burst[10].is_heavy


def test_nobody_is_heavy_where_nobody_knows_who_asks() -> None:
    unknown = [job(2.0, group=None) for _ in range(9)]
    lanes(*unknown)
    assert not any(each.is_heavy for each in unknown)


def test_a_group_that_is_forgotten_is_not_heavy_any_more() -> None:
    found, one = lanes(), job()
    heavy(found, "a")
    found.forget_group("a")
    found.put(one)
    assert not one.is_heavy
