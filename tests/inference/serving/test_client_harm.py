"""The classifier while its worker dies: by a picture, by its own fault, or by somebody's hand."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from config import settings
from inference.results import Classification, HarmfulImage, InferenceError, ModelUnavailable
from inference.serving.client import Classifier
from inference.serving.worker_process import WorkerProcess
from tests.inference.fakes import Deed, deed, picture, running, until

MiB = 1 << 20
HARMLESS = 63


def limits(**worker: float) -> settings.Settings:
    return settings.Settings(
        worker=settings.Worker(**worker),  # type: ignore[arg-type]  # ints and floats alike
        queue=settings.Queue(timeout=100),
    )


Outcome = Classification | InferenceError

PAUSE = 2.0
"""Seconds that the breaker stays open here: more than a busy machine takes between two looks."""


async def answers(classifier: Classifier, pictures: Sequence[bytes]) -> list[Outcome]:
    """What becomes of pictures that come all at once; anything but an answer or a typed error fails."""

    async def one(data: bytes) -> Outcome:
        try:
            return await classifier.classify(data)
        except InferenceError as error:
            return error

    return await asyncio.gather(*(one(data) for data in pictures))


async def kill_when(classifier: Classifier, condition: Callable[[], bool]) -> int:
    """kill -9 the worker as soon as the condition holds; its process id."""
    await until(lambda: condition() and classifier.worker_pid)
    pid = classifier.worker_pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    return pid


def assert_named(outcomes: Sequence[object], reds: Sequence[int]) -> None:
    assert [type(outcome).__name__ for outcome in outcomes] == ["Classification"] * len(reds)
    assert [one.labels[0].index for one in outcomes if isinstance(one, Classification)] == list(reds)


@pytest.mark.parametrize(
    "what", [Deed.CRASH, Deed.KILL, Deed.HANG, Deed.HANG_WITH_GIL, Deed.BLOAT, Deed.NONSENSE]
)
async def test_the_picture_that_did_it_is_found_and_its_63_neighbours_are_named(what: Deed) -> None:
    async with running(limits(deadline=2.5, memory=400 * MiB)) as classifier:
        crowd = [picture(red) for red in range(HARMLESS)]
        crowd.insert(30, deed(what))
        outcomes = await answers(classifier, crowd)
        assert isinstance(outcomes.pop(30), HarmfulImage)
        assert_named(outcomes, range(HARMLESS))

        restarts = classifier.stats.restarts
        assert 2 <= restarts <= 3
        assert isinstance((await answers(classifier, [deed(what)]))[0], HarmfulImage)
        assert classifier.stats.restarts == restarts  # refused by its hash: nobody looked at it
        assert classifier.stats.answered == HARMLESS
        assert classifier.stats.refused == {"harmful_image": 2}


async def test_several_harmful_pictures_in_one_batch_are_all_found() -> None:
    async with running() as classifier:
        crowd = [
            deed(Deed.CRASH, 1),
            picture(1),
            deed(Deed.KILL, 2),
            picture(2),
            deed(Deed.CRASH, 3),
            picture(3),
        ]
        outcomes = await answers(classifier, crowd)
        assert [type(one) is HarmfulImage for one in outcomes] == [True, False] * 3
        assert_named(outcomes[1::2], [1, 2, 3])


async def test_kill_9_with_64_in_flight_loses_nobody_and_blames_nobody() -> None:
    async with running(limits()) as classifier:
        crowd = [deed(Deed.SLOW, red) for red in range(64)]
        work = asyncio.create_task(answers(classifier, crowd))
        killed = await kill_when(classifier, lambda: classifier.stats.answered >= 8)
        assert_named(await work, range(64))
        assert classifier.stats.restarts == 1
        assert classifier.worker_pid != killed
        assert not psutil.pid_exists(killed)
        assert_named(await answers(classifier, crowd), range(64))
        assert classifier.stats.known == 64  # none of them is taken for harmful


async def test_a_lone_image_survives_one_kill_from_outside() -> None:
    async with running(limits()) as classifier:
        work = asyncio.create_task(answers(classifier, [deed(Deed.SLOW, 7)]))
        await kill_when(classifier, lambda: classifier.stats.accepted == 1)
        assert_named(await work, [7])


async def test_images_waiting_for_their_second_look_begin_again() -> None:
    async with running(limits(batch=1)) as classifier:
        unsure = [deed(Deed.UNSURE, red, size=(80, 40)) for red in range(5)]
        work = asyncio.create_task(answers(classifier, [*unsure, deed(Deed.CRASH)]))
        outcomes = await work
        assert isinstance(outcomes.pop(), HarmfulImage)
        assert_named(outcomes, range(5))
        assert {one.views for one in outcomes if isinstance(one, Classification)} == {3}


@pytest.mark.parametrize("seen", ["in time", "late"])
async def test_a_worker_killed_while_idle_is_replaced_by_the_next_image_however_often(
    monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    if seen == "late":  # a busy machine takes a moment to end it, and then it is handed the image
        monkeypatch.setattr(WorkerProcess, "has_ended", property(lambda process: process.is_gone))
    async with running() as classifier:
        for times in range(1, 5):
            assert_named(await answers(classifier, [picture(times)]), [times])
            assert classifier.worker_pid
            os.kill(classifier.worker_pid, signal.SIGKILL)
            # Until it is dead; we do not reap it.
            await asyncio.to_thread(os.waitid, os.P_PID, classifier.worker_pid, os.WEXITED | os.WNOWAIT)
            assert_named(await answers(classifier, [picture(100 + times)]), [100 + times])
            assert classifier.stats.restarts == times


async def test_a_worker_that_has_grown_over_time_is_replaced_and_nobody_blamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as classifier:
        grown = [SimpleNamespace(rss=10**12)]
        size = psutil.Process.memory_info
        monkeypatch.setattr(
            psutil.Process, "memory_info", lambda process: grown.pop() if grown else size(process)
        )
        assert_named(await answers(classifier, [picture(3)]), [3])
        assert classifier.stats.restarts == 1


async def test_three_deaths_without_a_culprit_stop_the_trying_until_a_trial_succeeds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("inference.serving.breaker.FIRST_PAUSE_SECONDS", PAUSE)
    told = tmp_path / "told"
    told.write_text("load")
    wanted = settings.Settings(model=settings.Model(name=str(told)))
    async with running(wanted, load="load_if_told") as classifier:
        told.write_text("abort")
        work = asyncio.create_task(answers(classifier, [deed(Deed.SLOW, red) for red in range(20)]))
        await kill_when(classifier, lambda: classifier.stats.answered >= 1)
        outcomes = await work
        assert {type(one) for one in outcomes} == {Classification, ModelUnavailable}
        deaths = classifier.stats.restarts
        assert deaths in (2, 3)  # after the kill, which counts among the three unless it met an idle worker

        with pytest.raises(ModelUnavailable, match=r"keeps dying.*next try"):
            await classifier.classify(picture(1))
        assert classifier.stats.restarts == deaths

        told.write_text("load")
        await asyncio.sleep(PAUSE + 0.1)
        trial, *others = await answers(classifier, [picture(1), picture(2), picture(3)])
        assert isinstance(trial, Classification)
        assert all("tried again right now" in str(other) for other in others)
        assert_named(await answers(classifier, [picture(2), picture(3)]), [2, 3])


async def test_a_model_that_is_gone_when_the_worker_is_replaced_says_why(tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_text("load")
    wanted = settings.Settings(model=settings.Model(name=str(told)))
    async with running(wanted, load="load_if_told") as classifier:
        told.write_text("refuse")
        assert classifier.worker_pid
        os.kill(classifier.worker_pid, signal.SIGKILL)
        for outcome in await answers(classifier, [picture(1), picture(2)]):
            assert isinstance(outcome, ModelUnavailable)
            assert "put it back" in str(outcome)
        assert classifier.worker_pid is None


async def test_the_note_of_the_first_start_outlives_the_worker(tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_text("note")
    wanted = settings.Settings(model=settings.Model(name=str(told)))
    async with running(wanted, load="load_if_told") as classifier:
        told.write_text("load")
        assert classifier.worker_pid
        os.kill(classifier.worker_pid, signal.SIGKILL)
        await answers(classifier, [picture(1)])
        assert classifier.stats.restarts == 1
        assert classifier.info.note == "The Hub could not be reached."
        assert classifier.info.caveats == ("hub_out_of_reach",)


async def test_what_auto_chose_at_the_start_every_later_worker_takes() -> None:
    wanted = settings.Settings(model=settings.Model(name="auto"))
    async with running(wanted, load="load_by_name") as classifier:
        assert classifier.info.name == "chosen"
        assert classifier.worker_pid
        os.kill(classifier.worker_pid, signal.SIGKILL)
        await answers(classifier, [picture(1)])
        await until(lambda: classifier.info.name == "chosen by its name")


async def test_the_bot_may_go_on_cancelling_while_the_worker_dies() -> None:
    async with running(limits()) as classifier:
        tasks = [asyncio.create_task(classifier.classify(deed(Deed.SLOW, red))) for red in range(32)]
        await kill_when(classifier, lambda: classifier.stats.answered >= 1)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        stats = classifier.stats
        assert stats.accepted == stats.answered + stats.cancelled == 32
        assert stats.refused == {}
