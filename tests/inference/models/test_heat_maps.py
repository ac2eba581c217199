"""Heat maps are where the model saw something, whatever the shape of the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inference.models.heat_maps import CELLS, LONGEST, MOST_WINDOWS, average, occlusion, windows

sides = st.floats(1, 5000)


def test_a_square_is_looked_at_nine_times_sixteen_pixels_of_256_apart() -> None:
    boxes = windows(256, 256)
    assert sorted({box[:2] for box in boxes}) == [(x, y) for x in (0, 16, 32) for y in (0, 16, 32)]
    assert {(right - left, bottom - top) for left, top, right, bottom in boxes} == {(224, 224)}


@given(sides, sides)
def test_the_windows_are_few_and_inside_the_picture(width: float, height: float) -> None:
    boxes = windows(width, height)
    assert 9 <= len(boxes) <= MOST_WINDOWS
    for left, top, right, bottom in boxes:
        assert right - left == pytest.approx(min(width, height) * 7 / 8)
        assert bottom - top == pytest.approx(right - left)
        assert left > -0.01
        assert top > -0.01
        assert right < width + 0.01
        assert bottom < height + 0.01


@pytest.mark.parametrize("size", [(300, 300), (900, 300), (300, 900), (3000, 100)])
def test_all_of_a_picture_is_seen_and_of_a_banner_its_middle(size: tuple[int, int]) -> None:
    boxes = windows(*size)
    made = average(np.ones((len(boxes), 1, 7, 7), np.float32), boxes, size)
    rows, columns = made.seen.shape
    assert columns / rows == pytest.approx(size[0] / size[1], rel=0.1) or max(size) > LONGEST * min(size)
    share = min(LONGEST * min(size) / max(size), 1)
    assert made.seen.mean() == pytest.approx(share, abs=0.05)
    assert (made.maps[0][made.seen] > 200).all()


@pytest.mark.parametrize("place", [(40, 40), (200, 40), (330, 150), (350, 30)])
def test_the_warmest_place_is_where_the_windows_saw_it(place: tuple[int, int]) -> None:
    size, boxes = (400, 200), windows(400, 200)
    maps = np.zeros((len(boxes), 1, 7, 7), np.float32)
    for (left, top, right, bottom), map_ in zip(boxes, maps, strict=True):
        column, row = 7 * (place[0] - left) / (right - left), 7 * (place[1] - top) / (bottom - top)
        if 0 <= column < 7 and 0 <= row < 7:
            map_[0, int(row), int(column)] = 1
    made = average(maps, boxes, size)
    row, column = np.unravel_index(made.maps[0].argmax(), made.maps[0].shape)
    cell = 200 / CELLS
    assert abs((column + 0.5) * cell - place[0]) < 20
    assert abs((row + 0.5) * cell - place[1]) < 20


def test_what_speaks_against_a_class_is_as_cold_as_what_says_nothing() -> None:
    maps = np.full((9, 1, 7, 7), -1, np.float32)
    assert not average(maps, windows(100, 100), (100, 100)).maps.any()


def test_covering_the_place_that_counts_costs_the_class_most() -> None:
    crop = np.zeros((80, 80, 3), np.uint8)
    crop[10:20, 60:70] = 255

    def brightest(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        bright = (crops == 255).all(axis=3).sum(axis=(1, 2))
        return np.asarray(bright[:, None], np.float32)

    made = occlusion(crop, (0.0, 0.0, 80.0, 80.0), (80, 80), brightest)
    row, column = np.unravel_index(made.maps[0].argmax(), made.maps[0].shape)
    assert abs(column * 80 / CELLS - 65) < 15
    assert abs(row * 80 / CELLS - 15) < 15
