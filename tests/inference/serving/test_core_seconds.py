"""What an image cost in processor time stands in its outcome, whatever the outcome is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from config import settings
from inference.results import CorruptImage, HarmfulImage
from tests.inference.fakes import Deed, deed, picture, running


def noise(form: str, side: int) -> bytes:
    """A picture that takes its decoder a while."""
    pixels = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, quality=90)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "AVIF", "HEIF"])
async def test_an_answer_says_what_its_decoding_took_on_whichever_thread(form: str) -> None:
    async with running() as classifier:
        small = await classifier.classify(noise(form, 32))
        large = await classifier.classify(noise(form, 1024))
        assert 0 < small.core_seconds < large.core_seconds < 5


async def test_an_image_that_is_remembered_costs_nothing_more() -> None:
    async with running() as classifier:
        assert (await classifier.classify(picture(3))).core_seconds > 0
        assert (await classifier.classify(picture(3))).core_seconds == 0


async def test_a_refusal_says_what_was_spent_until_then() -> None:
    async with running() as classifier:
        with pytest.raises(CorruptImage) as refused:
            await classifier.classify(noise("PNG", 1024)[:-5000])
        assert refused.value.core_seconds > 0


async def test_an_image_that_hung_its_workers_is_charged_until_they_were_killed() -> None:
    async with running(settings.Settings(worker=settings.Worker(deadline=1.5))) as classifier:
        with pytest.raises(HarmfulImage) as condemned:
            await classifier.classify(deed(Deed.HANG))
        assert 3 <= condemned.value.core_seconds < 30
        with pytest.raises(HarmfulImage) as known:
            await classifier.classify(deed(Deed.HANG))
        assert known.value.core_seconds == 0
