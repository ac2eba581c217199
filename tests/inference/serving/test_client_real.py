"""The classifier with the embedded model and real photographs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import matplotlib as mpl
import pytest
import skimage
from PIL import Image

from config import settings
from inference.results import CorruptImage
from inference.serving.client import Classifier
from tests.fuzz.corpus import originals
from tests.inference import icc
from tests.inference.fakes import until
from tests.inference.hostile import encoded

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(600)]

SKIMAGE = Path(skimage.__file__).parent / "data"
GRACE_HOPPER = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
PHOTOGRAPHS = {
    GRACE_HOPPER: {"military uniform"},
    SKIMAGE / "chelsea.png": {"tabby", "Egyptian cat", "tiger cat"},
    SKIMAGE / "coffee.png": {"espresso", "cup"},
}


@pytest.fixture
async def classifier() -> AsyncIterator[Classifier]:
    classifier = Classifier(settings.Settings(model=settings.Model(name="efficientnet_lite0")))
    try:
        await classifier.start()
        yield classifier
    finally:
        await classifier.close()


def with_comment(jpeg: bytes, number: int) -> bytes:
    """The same photograph with bytes of its own."""
    return jpeg[:2] + b"\xff\xfe\0\x06%04d" % number + jpeg[2:]


async def test_photographs_are_named_rightly(classifier: Classifier) -> None:
    answers = await asyncio.gather(*(classifier.classify(photo.read_bytes()) for photo in PHOTOGRAPHS))
    for answer, right in zip(answers, PHOTOGRAPHS.values(), strict=True):
        assert answer.labels[0].name in right
        assert answer.model == "efficientnet_lite0"


def with_profile(description: bytes) -> bytes:
    """A photograph with a colour profile of this description."""
    with Image.open(SKIMAGE / "coffee.png") as photograph:
        profile = icc.profile([(b"desc", description), *icc.matrix_tags()])
        return encoded(photograph, "JPEG", icc_profile=profile)


async def test_whatever_a_picture_is_like_the_worker_needs_no_right_that_it_gave_up(
    classifier: Classifier,
) -> None:
    phones = b"mluc" + "Display P3".encode("utf-16-be")
    pictures = {"profile": with_profile(b"desc Adobe RGB"), "phone's profile": with_profile(phones)}
    pictures |= {file.name: file.read_bytes() for file in (SKIMAGE / "rocket.jpg", SKIMAGE / "color.png")}
    for name, data in (pictures | originals()).items():
        try:
            await classifier.classify(data)
        except CorruptImage as error:
            pytest.fail(f"{name}: {error}")


async def test_an_everyday_name_adds_up_what_all_its_classes_have(classifier: Classifier) -> None:
    answer = await classifier.classify((SKIMAGE / "chelsea.png").read_bytes(), top=10)
    cats = [label.probability for label in answer.labels if label.coarse == "cat"]
    assert answer.coarse[0].name == "cat"
    assert sum(cats) <= answer.coarse[0].probability <= 1
    names = classifier.info
    assert [(names.labels[found.index], names.coarse[found.index]) for found in answer.labels] == [
        (found.name, found.coarse) for found in answer.labels
    ]


async def test_kill_9_with_64_photographs_in_flight_changes_no_label(classifier: Classifier) -> None:
    jpeg = GRACE_HOPPER.read_bytes()
    undisturbed = await classifier.classify(jpeg)
    tasks = [asyncio.create_task(classifier.classify(with_comment(jpeg, n), group=n % 3)) for n in range(64)]
    batches = classifier.stats.batches
    await until(lambda: classifier.stats.batches >= batches + 2 and classifier.worker_pid)
    assert classifier.worker_pid
    os.kill(classifier.worker_pid, signal.SIGKILL)
    for answer in await asyncio.gather(*tasks):
        assert [label.name for label in answer.labels] == [label.name for label in undisturbed.labels]
        assert answer.labels[0].probability == pytest.approx(undisturbed.labels[0].probability, abs=1e-4)
    assert classifier.stats.restarts == 1
    assert classifier.stats.answered == 65
