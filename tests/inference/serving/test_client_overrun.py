"""The classifier when pictures take too much processor time, whether they mean to or not."""

from __future__ import annotations

import asyncio
import itertools
import random
import zlib
from collections.abc import Iterator, Sequence

from config import settings
from inference.results import Classification, HarmfulImage, InferenceError
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, costly, deed, picture, running, until
from tests.inference.hostile import chunk


def limits(
    *, deadline: float = 20, image_seconds: float = 0.5, large_pixels: int = 10**6
) -> settings.Settings:
    return settings.Settings(
        worker=settings.Worker(deadline=deadline, image_seconds=image_seconds),
        limits=settings.Limits(large_pixels=large_pixels),
        queue=settings.Queue(timeout=100, images_per_guild=256),
    )


async def outcome(classifier: Classifier, data: bytes) -> Classification | InferenceError:
    try:
        return await classifier.classify(data)
    except InferenceError as error:
        return error


async def outcomes(classifier: Classifier, pictures: Sequence[bytes]) -> list[str]:
    found = await asyncio.gather(*(outcome(classifier, data) for data in pictures))
    return [one.labels[0].name if isinstance(one, Classification) else one.code for one in found]


def variants(data: bytes) -> Iterator[bytes]:
    """The PNG with another pixel, comment, time, tail, or order of its chunks, without end."""
    dice = random.Random(5)  # noqa: S311 - mutations, no secret
    end = len(data) - 12
    pixels = data.index(b"IDAT")
    for number in itertools.count():
        noted = chunk(b"tEXt", b"Comment\0" + b"x" * dice.randrange(40))
        dated = chunk(b"tIME", dice.randbytes(7))
        yield data + b"%d" % number
        yield data[: pixels - 4] + noted + dated + data[pixels - 4 :] + dice.randbytes(2)
        yield data[: pixels - 4] + dated + noted + data[pixels - 4 :] + dice.randbytes(2)
        yield data[:end] + noted + data[end:] + dice.randbytes(2)
        rows = bytearray(zlib.decompress(data[pixels + 4 : end - 4]))
        rows[1 + dice.randrange(600)] = dice.randrange(256)
        yield data[: pixels - 4] + chunk(b"IDAT", zlib.compress(bytes(rows))) + data[end:]


async def test_slow_pictures_that_are_decoded_one_after_the_other_are_no_hang() -> None:
    wanted = limits(deadline=3, image_seconds=2, large_pixels=1000)
    async with running(wanted, load="load_costly_decoder") as classifier:
        slow = [costly(0.6, red) for red in range(8)]  # together far over the deadline
        assert await outcomes(classifier, slow) == [f"shade {red}" for red in range(8)]
        assert classifier.stats.restarts == 0


async def test_a_picture_that_overruns_is_found_at_once_and_its_neighbours_are_named() -> None:
    async with running(limits(), load="load_costly_decoder") as classifier:
        crowd = [picture(red) for red in range(8)]
        crowd.insert(3, costly(60))
        expected = [f"shade {red}" for red in range(8)]
        expected.insert(3, "harmful_image")
        assert await outcomes(classifier, crowd) == expected
        await until(lambda: classifier.stats.restarts == 1)


async def test_it_is_charged_for_what_it_was_allowed_to_burn() -> None:
    async with running(limits(), load="load_costly_decoder") as classifier:
        found = await outcome(classifier, costly(60))
        assert isinstance(found, HarmfulImage)
        assert found.core_seconds == 0.5


async def test_any_number_of_overrunning_pictures_leaves_the_others_their_answers() -> None:
    async with running(limits(image_seconds=0.2), load="load_costly_decoder") as classifier:
        for number, height in enumerate((35, 70, 140, 280, 560)):  # each of another structure
            assert await outcomes(classifier, [costly(height), picture(number)]) == [
                "harmful_image",
                f"shade {number}",
            ]
        await until(
            lambda: classifier.stats.restarts == 5
        )  # in less than a minute, and nobody hears "model_unavailable"


async def test_a_hundred_variants_of_a_condemned_picture_cost_the_first_worker_nothing() -> None:
    async with running(limits(), load="load_costly_decoder") as classifier:
        original = costly(60)
        assert await outcomes(classifier, [original]) == ["harmful_image"]
        await until(lambda: classifier.worker_pid)
        pid = classifier.worker_pid

        mutated = [*itertools.islice(variants(original), 100)]
        found = await outcomes(classifier, mutated)
        assert found == ["harmful_image"] * 100
        assert classifier.worker_pid == pid
        assert classifier.stats.restarts <= 1 + 3  # of the first worker one, of the second a few


async def test_others_are_answered_while_suspects_are_tried() -> None:
    async with running(limits(image_seconds=3), load="load_costly_decoder") as classifier:
        assert await outcomes(classifier, [costly(60)]) == ["harmful_image"]
        suspect = asyncio.create_task(outcome(classifier, costly(60, 1)))
        await asyncio.sleep(0)
        for red in range(20):
            assert await outcomes(classifier, [picture(red)]) == [f"shade {red}"]
        assert not suspect.done()
        assert isinstance(await suspect, HarmfulImage)


async def test_a_picture_that_takes_longer_than_its_header_says_holds_nobody_up_and_is_answered() -> None:
    async with running(limits(image_seconds=4), load="load_costly_decoder") as classifier:
        assert await outcomes(classifier, [costly(2, 1), picture(2)]) == ["shade 1", "shade 2"]
        assert classifier.stats.restarts == 1
        assert classifier.stats.condemned == 0


async def test_an_honest_picture_that_is_built_like_a_condemned_one_is_answered() -> None:
    async with running(limits(), load="load_costly_decoder") as classifier:
        hostile = [deed(Deed.CRASH, number) for number in range(2)]
        assert await outcomes(classifier, hostile) == ["harmful_image"] * 2
        assert await outcomes(classifier, [picture(red) for red in range(9)]) == [
            f"shade {red}" for red in range(9)
        ]
