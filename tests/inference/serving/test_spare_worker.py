"""What takes the first worker's place when it dies; with workers that do as the test says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from inference.results import HarmfulImage, ModelUnavailable
from inference.serving.protocol import AnsweredReply
from inference.serving.worker_death import DeathCause
from tests.inference.fakes import picture, until
from tests.inference.scripted_worker import BatchingScene


@pytest.fixture
async def scene() -> AsyncIterator[BatchingScene]:
    scene = BatchingScene()
    for worker in scene.workers:
        worker.cause = DeathCause.OVERRAN
        worker.deadly = {b"bad1", b"bad2", b"bad3"}
        worker.go.release(99)
    yield scene
    await scene.batcher.close()


async def outcome(scene: BatchingScene, image: str | bytes, group: object = None) -> type:
    (found,) = await asyncio.gather(*scene.send(image, group=group), return_exceptions=True)
    return type(found)


async def test_in_peace_there_is_no_spare(scene: BatchingScene) -> None:
    for name in ("a", "b"):
        assert await outcome(scene, name) is AnsweredReply
    assert scene.spare.starts == 0


async def test_after_the_first_trouble_a_spare_is_loaded_and_the_next_death_waits_for_no_load(
    scene: BatchingScene,
) -> None:
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.alive)
    assert scene.worker.starts == 1  # for the first death there was no spare yet

    scene.worker.loads.clear()  # from now on a load takes for ever
    assert await outcome(scene, "bad2") is HarmfulImage
    assert await outcome(scene, "a") is AnsweredReply
    assert scene.spare.seen == [b"a"]


async def test_the_one_that_died_becomes_the_next_spare(scene: BatchingScene) -> None:
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.alive)
    assert await outcome(scene, "bad2") is HarmfulImage
    await until(lambda: scene.worker.starts == 2)
    assert await outcome(scene, "bad3") is HarmfulImage
    assert await outcome(scene, "a") is AnsweredReply
    assert scene.worker.seen[-1] == b"a"
    assert scene.batcher.restarts == 3


async def test_a_death_while_the_spare_loads_waits_for_that_load_alone(scene: BatchingScene) -> None:
    scene.spare.loads.clear()
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.starts)
    assert await outcome(scene, "bad2") is HarmfulImage
    waiting = scene.send("a")
    await asyncio.sleep(0.01)
    assert scene.worker.starts == 1
    scene.spare.loads.set()
    assert isinstance(await waiting[0], AnsweredReply)
    assert scene.spare.seen == [b"a"]


async def test_where_the_spare_does_not_load_the_first_is_started_again(scene: BatchingScene) -> None:
    scene.spare.broken = ["no luck"]
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.starts)
    assert await outcome(scene, "bad2") is HarmfulImage
    assert await outcome(scene, "a") is AnsweredReply
    assert scene.worker.seen[-1] == b"a"


async def test_where_neither_loads_the_breaker_opens(scene: BatchingScene) -> None:
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.alive)
    scene.spare.deadly = {b"a"}
    scene.worker.broken, scene.spare.broken = ["no luck"] * 9, ["no luck"] * 9
    assert await outcome(scene, "bad2") is HarmfulImage
    assert await outcome(scene, "a") is HarmfulImage
    with pytest.raises(ModelUnavailable, match="keeps dying"):
        await scene.send("b")[0]
    assert scene.batcher.breaker_open


async def test_after_some_quiet_minutes_the_spare_is_ended(
    scene: BatchingScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.serving.spare_worker.KEPT_SECONDS", 0.05)
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.starts)
    await until(lambda: not scene.spare.alive)
    assert await outcome(scene, "bad2") is HarmfulImage
    assert await outcome(scene, "a") is AnsweredReply
    assert scene.worker.starts == 2


async def test_closing_while_a_death_waits_for_the_spare_keeps_nobody_waiting(scene: BatchingScene) -> None:
    scene.spare.loads.clear()
    assert await outcome(scene, "bad1") is HarmfulImage
    await until(lambda: scene.spare.starts)
    waiting = scene.send("bad2")
    await asyncio.gather(*waiting, return_exceptions=True)
    later = scene.send("a")
    await asyncio.sleep(0.01)
    await scene.batcher.close()
    (found,) = await asyncio.gather(*later, return_exceptions=True)
    assert isinstance(found, ModelUnavailable)
    assert scene.worker.starts == 1


async def test_what_else_had_taken_long_when_one_overran_is_tried_apart(scene: BatchingScene) -> None:
    scene.worker.slow_too = {b"c"}
    tasks = scene.send("bad1", "b", "c")
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in outcomes] == [HarmfulImage, AnsweredReply, AnsweredReply]
    assert scene.second.seen == [b"c"]
    assert scene.worker.seen == [b"bad1", b"b", b"c", b"b"]


async def test_for_some_minutes_what_comes_from_the_same_server_goes_to_the_second_worker(
    scene: BatchingScene,
) -> None:
    assert await outcome(scene, "bad1", "attacked") is HarmfulImage
    assert await outcome(scene, "bad2", "attacked") is HarmfulImage
    assert await outcome(scene, "a", "attacked") is AnsweredReply
    assert await outcome(scene, "b", "another") is AnsweredReply
    assert scene.second.seen == [b"bad2", b"a"]
    assert scene.worker.seen == [b"bad1", b"b"]  # it has died once


async def test_a_server_that_is_known_to_be_harmless_does_not_wait_for_trials_of_what_is_built_alike(
    scene: BatchingScene,
) -> None:
    alike = [picture(red) for red in range(4)]
    for number in range(3):
        assert await outcome(scene, f"harmless{number}", "known") is AnsweredReply
    for worker in scene.workers:
        worker.deadly = {alike[0]}
    assert await outcome(scene, alike[0], "attacker") is HarmfulImage
    assert await outcome(scene, alike[1], "unknown") is AnsweredReply
    assert await outcome(scene, alike[2], "known") is AnsweredReply
    assert scene.second.seen == [alike[1]]
    assert scene.worker.seen[-1] == alike[2]


async def test_what_was_surprisingly_slow_is_tried_apart_and_condemned_for_nothing(
    scene: BatchingScene,
) -> None:
    scene.worker.cause, scene.second.deadly = DeathCause.SLOW, set()
    scene.worker.beside = {b"bad2"}
    tasks = scene.send("bad1", "bad2", "c")
    assert all(isinstance(one, AnsweredReply) for one in await asyncio.gather(*tasks))
    assert scene.second.seen == [b"bad1", b"bad2"]
    assert scene.worker.seen == [b"bad1", b"bad2", b"c", b"c"]


async def test_where_a_picture_was_surprisingly_slow_the_next_ones_are_tried_apart(
    scene: BatchingScene,
) -> None:
    scene.worker.cause = DeathCause.SLOW
    assert await outcome(scene, "bad1", "slow") is HarmfulImage  # as the second worker found out
    assert await outcome(scene, "a", "slow") is AnsweredReply
    assert await outcome(scene, "b", "another") is AnsweredReply
    assert scene.second.seen == [b"bad1", b"a"]
    assert scene.worker.seen == [b"bad1", b"b"]


async def test_slow_pictures_from_any_number_of_servers_open_no_breaker(scene: BatchingScene) -> None:
    slow = [b"slow%d" % number for number in range(5)]
    for worker in (scene.worker, scene.spare):
        worker.cause, worker.deadly = DeathCause.SLOW, set(slow)
    for number, image in enumerate(slow):
        assert await outcome(scene, image, number) is AnsweredReply
    assert not scene.batcher.breaker_open
    assert scene.batcher.condemned == 0


async def test_after_a_death_each_server_has_one_picture_in_work_on_a_thread_of_its_own(
    scene: BatchingScene,
) -> None:
    assert await outcome(scene, "bad1", "attacker") is HarmfulImage
    await until(lambda: scene.spare.alive)
    scene.worker.go = threading.Semaphore(0)
    tasks = scene.send("a1", "a2", "a3", group="a") + scene.send("b1", group="b")
    await until(lambda: len(scene.worker.batches) == 2)
    await asyncio.sleep(0.01)
    assert scene.worker.batches[1:] == [[b"a1", b"b1"]]
    assert [look.alone for look in scene.worker.requests[1].looks] == [True, True]
    scene.worker.go.release(9)
    await asyncio.gather(*tasks)
    assert scene.worker.batches[2:] == [[b"a2"], [b"a3"]]
