"""What the classifier gives beside labels: a fingerprint of the picture, and where it saw what it names."""

from __future__ import annotations

import asyncio
import io
from itertools import pairwise

import pytest
from PIL import Image

from inference.results import HASH_BYTES
from inference.serving.client import Classifier
from inference.serving.protocol import MOST_MAPS
from tests.inference.fakes import picture, running


@pytest.fixture
def grey() -> bytes:
    return picture(7, 127, 127, size=(120, 80))


async def test_a_model_without_features_names_the_picture_and_gives_no_fingerprint(grey: bytes) -> None:
    async with running() as classifier:
        answer = await classifier.classify(grey, features=True)
        assert answer.labels[0].name == "shade 7"
        assert answer.fingerprint is None
        assert classifier.info.fingerprints is None


async def test_a_model_without_maps_is_explained_by_covering_parts_of_the_picture(grey: bytes) -> None:
    """The fake model looks at the middle alone."""
    async with running() as classifier:
        explained = await classifier.explain(grey, [7, 200])
    assert explained.method == "occlusion"
    assert explained.size == (120, 80)
    assert len(explained.pixels) == 3 * 120 * 80
    assert explained.pixels[:3] == bytes((7, 127, 127))
    seven, other = explained.maps
    assert len(seven) == len(explained.seen) == explained.rows * explained.columns
    warmest = seven.index(255)
    assert abs(warmest // explained.columns / explained.rows - 0.5) < 0.2
    assert abs(warmest % explained.columns / explained.columns - 0.5) < 0.2
    assert not any(other)
    middle_row = explained.seen[explained.columns * (explained.rows // 2) :][: explained.columns]
    assert middle_row[0] == middle_row[-1] == 0, "the ends of a long picture were not looked at"
    assert sum(before != after for before, after in pairwise(middle_row)) == 2


@pytest.mark.parametrize("classes", [[], [256], [-1], [b"1234"], list(range(MOST_MAPS + 1))])
async def test_what_cannot_be_explained_is_refused_before_the_worker_sees_it(
    grey: bytes, classes: list[int | bytes]
) -> None:
    async with running() as classifier:
        with pytest.raises(ValueError, match=r"class|features"):
            await classifier.explain(grey, classes)
        assert classifier.stats.accepted == 0


async def test_labels_and_explanations_of_one_picture_do_not_get_into_each_others_way(grey: bytes) -> None:
    async with running() as classifier:
        named, explained, again = await asyncio.gather(
            classifier.classify(grey), classifier.explain(grey, [7]), classifier.explain(grey, [8])
        )
        assert named.labels[0].name == "shade 7"
        assert any(explained.maps[0])
        assert not any(again.maps[0])
        assert await books_balance(classifier)


async def books_balance(classifier: Classifier) -> bool:
    stats = classifier.stats
    return stats.accepted == stats.answered + sum(stats.refused.values()) + stats.cancelled == 3


async def test_a_perceptual_hash_is_made_only_for_what_is_to_be_found_again() -> None:
    half = Image.new("RGB", (64, 64), "white")
    half.paste("black", (0, 0, 32, 64))
    file = io.BytesIO()
    half.save(file, "PNG")
    async with running() as classifier:
        for features in ("", "query"):
            assert (await classifier.classify(file.getvalue(), features=features)).perceptual_hash is None
        hashed = (await classifier.classify(file.getvalue(), features="indexed")).perceptual_hash
    assert hashed is not None
    assert len(hashed) == HASH_BYTES
