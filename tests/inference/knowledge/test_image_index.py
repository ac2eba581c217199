"""Pictures that look alike are found again, and only those that may be."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.knowledge import image_index
from inference.knowledge.image_index import ImageIndex, IndexRows, PicturePlace, cosines

WIDTH = 64


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def phi(random: np.random.Generator, count: int, kinds: int = 1000) -> NDArray[np.float32]:
    """Make fingerprints of pictures of many kinds, with more or less of what is common to all."""
    usual = np.abs(np.random.default_rng(1).standard_normal((kinds, WIDTH)))
    own = np.abs(random.standard_normal((count, WIDTH)))
    vectors = (usual[random.integers(kinds, size=count)] + 0.4 * own).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def rows(
    fingerprints: NDArray[np.float32], *, first: int = 0, place: int = 1, hashes: list[int] | None = None
) -> IndexRows:
    count = len(fingerprints)
    return IndexRows(
        messages=np.arange(first, first + count),
        positions=np.zeros(count, np.uint8),
        places=np.full(count, place),
        fingerprints=fingerprints,
        hashes=np.array(hashes or [0] * count, np.uint64),
        hashed=np.full(count, hashes is not None),
    )


def messages(found: list[PicturePlace]) -> list[int]:
    return [picture.message for picture in found]


def test_an_index_without_pictures_finds_none(random: np.random.Generator) -> None:
    index = ImageIndex(WIDTH)
    index.add(rows(phi(random, 0)))
    index.remove_messages([5])
    assert index.nearest(phi(random, 1)[0]) == []
    assert index.copies(0, 64) == []


def test_the_ten_nearest_are_those_of_an_exact_comparison(random: np.random.Generator) -> None:
    known = phi(random, 3000)
    index = ImageIndex(WIDTH)
    index.add(rows(known))
    for query in phi(random, 20):
        candidates = np.array(messages(index.nearest(query)))
        ranked = candidates[np.argsort(-cosines(query, known[candidates]))]
        assert ranked[:10].tolist() == np.argsort(-(known @ query))[:10].tolist()


def test_a_cosine_does_not_depend_on_lengths_and_is_none_to_nothing(random: np.random.Generator) -> None:
    one, other = phi(random, 2)
    np.testing.assert_allclose(
        cosines(3 * one, np.stack([2 * other, one, 0 * one])), [one @ other, 1, 0], atol=1e-6
    )


def test_where_there_are_many_the_signs_pick_those_that_are_compared(
    random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_index, "PICKED", 300)
    known = phi(random, 3000)
    index = ImageIndex(WIDTH)
    index.add(rows(known[:1500]))
    index.add(rows(known[1500:], first=1500, place=2))
    for number in (0, 1499, 1500, 2999):
        assert messages(index.nearest(known[number]))[0] == number
    assert set(messages(index.nearest(known[0], [2]))) <= set(range(1500, 3000))
    assert len(index.nearest(known[0], [2], 1000)) >= 300


def test_only_pictures_of_the_channels_asked_for_are_found(random: np.random.Generator) -> None:
    known = phi(random, 10)
    index = ImageIndex(WIDTH)
    index.add(rows(known, place=1, hashes=[0] * 10))
    index.add(rows(known, first=10, place=2, hashes=[0] * 10))
    assert messages(index.nearest(known[3]))[:2] == [3, 13]
    assert sorted(messages(index.nearest(known[3], [2]))) == list(range(10, 20))
    assert sorted(messages(index.copies(0, 0, [1, 99]))) == list(range(10))
    assert index.nearest(known[3], []) == index.nearest(known[3], [99]) == index.copies(0, 64, []) == []


def test_what_is_taken_out_is_not_found_any_more_and_the_rest_is(random: np.random.Generator) -> None:
    known = phi(random, 300)
    index = ImageIndex(WIDTH)
    index.add(rows(known))
    gone = set(range(0, 300, 7)) | {299, 298}
    index.remove_messages(gone | {12345})
    assert len(index) == 300 - len(gone)
    for number in range(300):
        nearest = messages(index.nearest(known[number]))
        assert (nearest[0] == number) is (number not in gone)
        assert gone.isdisjoint(nearest)


def test_a_picture_that_is_added_again_is_replaced(random: np.random.Generator) -> None:
    before, after = phi(random, 2)
    index = ImageIndex(WIDTH)
    index.add(rows(before[None]))
    index.add(rows(after[None], place=9))
    assert len(index) == 1
    assert messages(index.nearest(after, [9])) == [0]
    assert index.nearest(before, [1]) == []


def test_several_pictures_of_a_message_are_kept_apart_and_leave_together(random: np.random.Generator) -> None:
    known = phi(random, 3)
    index = ImageIndex(WIDTH)
    index.add(rows(known)._replace(messages=np.full(3, 8), positions=np.arange(3, dtype=np.uint8)))
    assert index.nearest(known[2])[0] == PicturePlace(8, 2)
    index.remove_messages([8])
    assert len(index) == 0


def test_copies_are_found_by_hashes_that_differ_in_few_bits(random: np.random.Generator) -> None:
    index = ImageIndex(WIDTH)
    index.add(rows(phi(random, 4), hashes=[0b1111, 0b0111, 2**64 - 1, 0]))
    index.add(rows(phi(random, 1), first=4))  # of one flat colour: it has no hash
    assert messages(index.copies(0b1111, 4)) == [0, 1, 3]
    assert messages(index.copies(2**64 - 1, 0)) == [2]


def test_its_memory_is_what_its_pictures_take(random: np.random.Generator) -> None:
    index = ImageIndex(WIDTH)
    empty = index.bytes
    index.add(rows(phi(random, 20_000)))
    assert 300 < (index.bytes - empty) / 20_000 < 400
