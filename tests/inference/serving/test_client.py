"""The classifier as the rest of the program sees it, while nothing goes wrong."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections import Counter

import pytest
from PIL import Image

from config import settings
from inference.results import (
    Busy,
    CorruptImage,
    ImageTooLarge,
    ModelUnavailable,
    NotAnImage,
    TimedOut,
    UnsupportedFormat,
)
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, deed, picture, running


def queue(**values: float) -> settings.Settings:
    return settings.Settings(queue=settings.Queue(**values))  # type: ignore[arg-type]  # ints and floats alike


def animation(*reds: int) -> bytes:
    frames = [Image.new("RGB", (40, 40), (red, 0, 0)) for red in reds]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    return file.getvalue()


async def test_an_image_gets_the_labels_asked_for_best_first() -> None:
    async with running() as classifier:
        answer = await classifier.classify(picture(7, size=(60, 40)), top=3)
    assert answer.labels[0].name == "shade 7"
    assert len(answer.labels) == 3
    assert answer.labels[0].index == 7
    assert answer.labels[0].probability > 0.99 > answer.labels[1].probability
    assert (answer.model, answer.engine, answer.size, answer.views) == ("fake", "fake", (60, 40), 1)
    assert answer.decode_ms > 0
    assert answer.predict_ms > 0


async def test_the_model_is_described_once_it_is_loaded() -> None:
    stages = []
    classifier = Classifier(settings.Settings(), load="tests.inference.fakes:load")
    with pytest.raises(ModelUnavailable, match="not been started"):
        _ = classifier.info
    try:
        info = await classifier.start(lambda stage, fraction: stages.append((stage, fraction)))
        assert await classifier.start() is info is classifier.info
    finally:
        await classifier.close()
    assert (info.name, info.engine, info.input_size, info.classes, info.note) == (
        "fake",
        "fake",
        32,
        256,
        None,
    )
    assert stages == [("loading", 0.5)]


async def test_many_images_at_once_each_get_their_own_labels() -> None:
    async with running(queue(images=500, images_per_guild=500)) as classifier:
        answers = await asyncio.gather(*(classifier.classify(picture(red)) for red in range(256)))
        assert [answer.labels[0].index for answer in answers] == list(range(256))
        assert classifier.stats.answered == 256
        assert classifier.stats.batches <= 256 // 2


async def test_an_unsure_image_gets_a_second_look_at_both_ends() -> None:
    async with running() as classifier:
        sure, unsure = await asyncio.gather(
            classifier.classify(picture(7, size=(80, 40))),
            classifier.classify(deed(Deed.UNSURE, 9, size=(80, 40))),
        )
    assert (sure.views, sure.labels[0].index) == (1, 7)
    assert (unsure.views, unsure.labels[0].index) == (3, 9)
    assert unsure.labels[0].probability < 0.8


async def test_one_look_where_the_owner_wants_one() -> None:
    async with running(settings.Settings(model=settings.Model(views="1"))) as classifier:
        answer = await classifier.classify(deed(Deed.UNSURE, 9, size=(80, 40)))
    assert answer.views == 1


async def test_the_frames_of_an_animation_are_averaged() -> None:
    async with running(settings.Settings(worker=settings.Worker(batch=2))) as classifier:
        answer = await classifier.classify(animation(1, 2, 3), top=3)
    assert {label.index for label in answer.labels} == {1, 2, 3}
    assert answer.labels[0].probability == pytest.approx(1 / 3, abs=0.01)
    assert answer.views >= 3


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotAnImage),
        (b"Hello, I am a text.", NotAnImage),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormat),
        (picture(1, size=(200, 200)), ImageTooLarge),
        (picture(1)[:60], CorruptImage),
    ],
)
async def test_what_cannot_be_decoded_is_refused_by_kind_and_spoils_nothing(
    data: bytes, error: type[Exception]
) -> None:
    limits = settings.Limits(image_pixels=10_000)
    async with running(settings.Settings(limits=limits)) as classifier:
        good, bad = await asyncio.gather(
            classifier.classify(picture(5)), classifier.classify(data), return_exceptions=True
        )
        assert type(bad) is error
        assert not isinstance(good, BaseException)
        assert good.labels[0].index == 5
        assert classifier.stats.refused == {error.code: 1}  # type: ignore[attr-defined]  # every one of them has it
        assert classifier.stats.restarts == 0


async def test_a_known_image_is_not_looked_at_again() -> None:
    async with running() as classifier:
        first = await classifier.classify(picture(7), top=2)
        batches = classifier.stats.batches
        again = await classifier.classify(picture(7), top=9)
        assert again.labels[:2] == first.labels
        assert len(again.labels) == 9
        assert classifier.stats.batches == batches
        assert classifier.stats.known == 1

        await classifier.classify(picture(7), top=200)  # more than is remembered
        assert classifier.stats.batches > batches


async def test_only_so_many_verdicts_are_remembered_the_oldest_go_first() -> None:
    async with running(queue(verdicts=2)) as classifier:
        for red in (1, 2, 1, 3, 1, 2):
            await classifier.classify(picture(red))
        assert classifier.stats.known == 2  # both times that 1 came back; 2 had made room for 3


async def test_identical_images_in_flight_are_one_request() -> None:
    async with running() as classifier:
        answers = await asyncio.gather(*(classifier.classify(deed(Deed.SLOW, 4)) for _ in range(20)))
        assert {answer.labels[0].index for answer in answers} == {4}
        assert classifier.stats.batches == 1
        assert classifier.stats.answered == 20


async def test_who_leaves_does_not_take_a_shared_image_along() -> None:
    async with running() as classifier:
        first = asyncio.create_task(classifier.classify(deed(Deed.SLOW, 4)))
        second = asyncio.create_task(classifier.classify(deed(Deed.SLOW, 4)))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second).labels[0].index == 4
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (classifier.stats.answered, classifier.stats.cancelled) == (1, 1)


async def test_a_full_queue_says_busy_at_once_and_a_full_group_does_not_shut_out_the_others() -> None:
    async with running(queue(images=5, images_per_guild=3)) as classifier:
        calls = [classifier.classify(deed(Deed.SLOW, n), group="loud") for n in range(4)]
        calls += [classifier.classify(deed(Deed.SLOW, n), group="quiet") for n in range(4, 7)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(outcome, Busy) for outcome in outcomes] == [False] * 3 + [True] + [False] * 2 + [
            True
        ]
        assert classifier.stats.turned_away == {"busy": 2}
        assert classifier.stats.accepted == 5
        await classifier.classify(picture(1), group="loud")  # their places were given back


async def test_two_classifiers_that_share_a_queue_are_full_together() -> None:
    async with running(queue(images=1)) as usual, running(queue(images=1), sharing=usual) as another:
        async with usual.admit(1):
            with pytest.raises(Busy):
                await another.classify(picture(1))
        assert (await another.classify(picture(1))).labels
        async with running(queue(images=1)) as apart, usual.admit(1):
            assert (await apart.classify(picture(2))).labels


async def test_bytes_that_do_not_fit_wait_outside() -> None:
    async with running(queue(bytes=1000)) as classifier:
        inside = asyncio.Event()

        async def second() -> None:
            async with classifier.admit(600):
                inside.set()

        async with classifier.admit(600) as admission:
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.01)
            assert not inside.is_set()
            await admission.classify(picture(3))  # smaller than announced: the rest is given back at once
            await asyncio.wait_for(inside.wait(), 5)
        await waiting


async def test_an_image_larger_than_the_whole_queue_is_refused_not_waited_for() -> None:
    async with running(queue(bytes=1000)) as classifier:
        with pytest.raises(ImageTooLarge, match=r"queue\.bytes"):
            await classifier.classify(bytes(1001))


async def test_a_cancelled_image_leaves_the_queue_and_gives_back_its_bytes() -> None:
    async with running(queue(bytes=2000)) as classifier:
        slow = [classifier.classify(deed(Deed.SLOW, number)) for number in range(10, 18)]
        busy = asyncio.gather(*slow)  # as many as the worker has at once
        await asyncio.sleep(0.02)
        leaving = [asyncio.create_task(classifier.classify(picture(n))) for n in range(2)]
        await asyncio.sleep(0.02)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await busy
        batches = classifier.stats.batches
        async with classifier.admit(1000):
            pass
        assert classifier.stats.batches == batches  # nobody looked at them
        assert classifier.stats.cancelled == 2


async def test_an_image_that_waits_too_long_is_told_so() -> None:
    async with running(queue(timeout=0.3, bytes=1000)) as classifier:
        with pytest.raises(TimedOut, match=r"0\.3 seconds"):
            await classifier.classify(deed(Deed.HANG))
        async with classifier.admit(1000):
            with pytest.raises(TimedOut):
                async with classifier.admit(1000):
                    pytest.fail("there was no room")
        assert classifier.stats.refused == {"timed_out": 1}
        assert classifier.stats.turned_away == {"timed_out": 1}


async def test_before_the_start_and_after_the_end_there_is_no_model() -> None:
    wanted = settings.Settings(
        worker=settings.Worker(batch=1)
    )  # so that the others wait for the one that hangs
    classifier = Classifier(wanted, load="tests.inference.fakes:load")
    with pytest.raises(ModelUnavailable, match="not been started"):
        await classifier.classify(picture(1))
    await classifier.start()
    hung = asyncio.create_task(classifier.classify(deed(Deed.HANG)))
    queued = [asyncio.create_task(classifier.classify(picture(n))) for n in range(20)]
    await asyncio.sleep(0.1)
    await classifier.close()
    await classifier.close()
    for outcome in await asyncio.gather(hung, *queued, return_exceptions=True):
        assert isinstance(outcome, ModelUnavailable)
        assert "closed" in str(outcome)
    with pytest.raises(ModelUnavailable, match="closed"):
        await classifier.classify(picture(1))
    with pytest.raises(ModelUnavailable, match="closed"):
        await classifier.start()


async def test_every_image_is_counted_once() -> None:
    async with running(queue(images=8)) as classifier:
        kinds = [picture(1), picture(2), b"no image", deed(Deed.SLOW, 3), deed(Deed.SLOW, 4)]
        tasks = [asyncio.create_task(classifier.classify(data)) for data in kinds * 2]
        await asyncio.sleep(0.01)
        tasks[4].cancel()
        outcomes = Counter(type(one).__name__ for one in await asyncio.gather(*tasks, return_exceptions=True))
        stats = classifier.stats
        assert stats.accepted == stats.answered + sum(stats.refused.values()) + stats.cancelled
        assert stats.answered == outcomes["Classification"]
        assert stats.cancelled == outcomes["CancelledError"] == 1
        assert stats.refused["not_an_image"] == outcomes["NotAnImage"]
        assert stats.turned_away["busy"] == outcomes["Busy"] == 2


async def test_its_load_is_what_it_holds_now() -> None:
    async with running() as classifier:
        assert classifier.load.worker_bytes > 1e6
        async with classifier.admit(600), classifier.admit(300):
            assert (classifier.load.images, classifier.load.bytes) == (2, 900)
        assert (classifier.load.images, classifier.load.bytes) == (0, 0)
        assert not classifier.load.breaker_open
    assert classifier.load.worker_bytes == 0


async def test_batches_are_counted_by_their_size() -> None:
    async with running() as classifier:
        await asyncio.gather(*(classifier.classify(picture(n)) for n in range(9)))
        sizes = classifier.stats.batch_sizes
        assert sum(size * times for size, times in sizes.items()) == 9
        assert sum(sizes.values()) == classifier.stats.batches
        assert max(sizes) <= 8


async def test_top_must_be_one_or_more() -> None:
    async with running() as classifier:
        with pytest.raises(ValueError, match="top is 0"):
            await classifier.classify(picture(1), top=0)


def test_the_process_that_calls_it_imports_no_pixels_and_no_tensors() -> None:
    heavy = ("numpy", "PIL", "tensorflow", "tensorflow_hub", "openvino", "pillow_heif")
    code = f"import sys, inference.serving.client; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
