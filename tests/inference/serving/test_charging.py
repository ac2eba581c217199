"""What an image took is charged to whoever asked for it, whatever becomes of the image or of the asker."""

from __future__ import annotations

import asyncio

import pytest

from config import settings
from inference.results import CorruptImage, HarmfulImage, TimedOut
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, deed, picture, running, until


async def costs(classifier: Classifier, data: bytes) -> list[float]:
    """Have a picture classified and return what was charged for it."""
    charged: list[float] = []
    async with classifier.admit(len(data)) as admission:
        await admission.classify(data, on_cost=charged.append)
    return charged


async def test_an_answer_is_charged_once_and_a_remembered_one_not_at_all() -> None:
    async with running() as classifier:
        (cost,) = await costs(classifier, picture(3))
        assert cost > 0
        assert await costs(classifier, picture(3)) == []


async def test_an_answer_after_a_second_look_is_charged_for_both() -> None:
    async with running() as classifier:
        assert len(await costs(classifier, deed(Deed.UNSURE, 3, size=(80, 40)))) == 1


async def test_of_two_who_ask_for_the_same_image_at_once_one_pays() -> None:
    async with running() as classifier:
        both = await asyncio.gather(*(costs(classifier, deed(Deed.SLOW, 3)) for _ in range(2)))
        assert sorted(len(charged) for charged in both) == [0, 1]


async def test_a_refusal_and_a_condemnation_are_charged() -> None:
    charged: list[float] = []
    async with running() as classifier:
        for data, error in ((picture(3)[:-30], CorruptImage), (deed(Deed.CRASH), HarmfulImage)):
            async with classifier.admit(len(data)) as admission:
                with pytest.raises(error):
                    await admission.classify(data, on_cost=charged.append)
        corrupt, harmful = charged
        assert corrupt > 0
        assert harmful > 0


async def test_an_image_that_timed_out_is_charged_when_its_cost_is_known() -> None:
    charged: list[float] = []
    data = deed(Deed.HANG)
    wanted = settings.Settings(queue=settings.Queue(timeout=1), worker=settings.Worker(deadline=2, batch=1))
    async with running(wanted) as classifier:
        async with classifier.admit(len(data)) as admission:
            with pytest.raises(TimedOut):
                await admission.classify(data, on_cost=charged.append)
        await until(lambda: charged)
        assert sum(charged) >= 1


@pytest.mark.parametrize("what", [Deed.SLOW, Deed.UNSURE])
async def test_deleting_a_picture_while_it_is_looked_at_saves_nothing(what: Deed) -> None:
    charged: list[float] = []
    data = deed(what, 3, size=(2000, 1500))
    async with running() as classifier:

        async def ask() -> None:
            async with classifier.admit(len(data)) as admission:
                await admission.classify(data, on_cost=charged.append)

        asking = asyncio.create_task(ask())
        await until(lambda: classifier.stats.accepted == 1)
        await asyncio.sleep(0.01)
        asking.cancel()
        await until(lambda: charged)
        assert charged[0] > 0
