"""The classifier with the embedded model and real photographs."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image

from config import settings
from inference.models.fingerprint import unpack
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
    await until(lambda: classifier.stats.answered >= 9 and classifier.worker_pid)
    assert classifier.worker_pid
    os.kill(classifier.worker_pid, signal.SIGKILL)
    for answer in await asyncio.gather(*tasks):
        assert [label.name for label in answer.labels] == [label.name for label in undisturbed.labels]
        assert answer.labels[0].probability == pytest.approx(undisturbed.labels[0].probability, abs=1e-4)
    assert classifier.stats.restarts == 1
    assert classifier.stats.answered == 65


async def test_a_picture_and_its_mirror_image_have_much_the_same_fingerprint(classifier: Classifier) -> None:
    cat, mirrored, coffee = (
        np.asarray(Image.open(SKIMAGE / name).convert("RGB"))
        for name in ("chelsea.png", "chelsea.png", "coffee.png")
    )
    answers = await asyncio.gather(
        *(classifier.classify(png(each), features=True) for each in (cat, mirrored[:, ::-1], coffee))
    )
    own, other, strange = (unpack(answer.fingerprint or b"") for answer in answers)
    assert own.shape == (1280,)
    assert np.linalg.norm(own) == pytest.approx(1, abs=0.01)
    assert own @ other > 0.9 > own @ strange


async def test_an_example_is_made_of_more_crops_than_a_query(classifier: Classifier) -> None:
    photo = (SKIMAGE / "chelsea.png").read_bytes()
    query, example = await asyncio.gather(
        classifier.classify(photo, features=True), classifier.classify(photo, features="example")
    )
    assert example.views == 4
    assert query.fingerprint != example.fingerprint
    assert unpack(query.fingerprint or b"") @ unpack(example.fingerprint or b"") > 0.8


async def test_the_warmest_place_of_a_heat_map_is_in_what_was_named(classifier: Classifier) -> None:
    """A cat in the corner of a wide picture of gravel, where one look at the middle would miss half of it."""
    gravel = np.resize(np.asarray(Image.open(SKIMAGE / "gravel.png").convert("RGB")), (300, 700, 3))
    cat = np.asarray(Image.open(SKIMAGE / "chelsea.png").convert("RGB").resize((190, 126)))
    scene = gravel.copy()
    scene[150:276, 480:670] = cat
    tabby = classifier.info.labels.index("tabby")
    explained = await classifier.explain(png(scene), [tabby])
    assert explained.method == "activation"
    heat = np.frombuffer(explained.maps[0], np.uint8).reshape(explained.rows, explained.columns)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 150 <= (row + 0.5) * 300 / explained.rows <= 276
    assert 480 <= (column + 0.5) * 700 / explained.columns <= 670
    assert all(explained.seen)


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
