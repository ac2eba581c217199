"""Where in a picture the model saw what it names: a map for each of some classes.

A model that averages a map and multiplies the average with weights has said, before the averaging, how much
each place adds to a class: the map times the class's weights (Zhou et al. 2016, "Learning Deep Features for
Discriminative Localization"). That is exact, and needs no gradient. One map has only 7 x 7 places, so the
maps of several shifted windows are averaged, which also leaves out what depends on the window's edge. For a
model of another kind, parts of the picture are covered one after the other, and a place counts as much as
covering it costs the class (Zeiler and Fergus 2014, occlusion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Window = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the picture; the edges may fall between pixels."""

SHARE = 7 / 8
"""Of the short side, the side of a window: what the first look takes."""
SHIFTS = 3
"""Windows along the short side: at the edges and in the middle, which are 16 of 256 pixels apart."""
STEP = 1 / 8
"""Of the short side, how far windows are apart along the long side, where there is room for few enough."""
MOST_WINDOWS = 24
LONGEST = 4
"""Of a banner, the middle is looked at: so many times as long as its short side."""

CELLS = 56
"""Cells of a finished map along the short side of the picture."""
PATCHES = 8
"""Places along each side that occlusion covers, each with a square of two places' width."""
GREY = 127
EDGE = 0.02
"""What the edge of a window counts beside its middle."""


class HeatMaps(NamedTuple):
    """`maps`, uint8 [k, rows, columns], cover the whole picture; 0 is "adds nothing", 255 the most of its own
    map. `seen`, bool [rows, columns], is what was looked at at all."""

    maps: NDArray[np.uint8]
    seen: NDArray[np.bool_]


def windows(width: float, height: float) -> list[Window]:
    """Return the squares to look at, so that all of the picture counts, at most `MOST_WINDOWS`."""
    short = min(width, height)
    side = short * SHARE
    across, along = np.linspace(0, short - side, SHIFTS).tolist(), _along(max(width, height), short, side)
    if width >= height:
        return [(x, y, x + side, y + side) for x in along for y in across]
    return [(x, y, x + side, y + side) for x in across for y in along]


def _along(long: float, short: float, side: float) -> list[float]:
    used = min(long, LONGEST * short)
    room = used - side
    count = min(max(round(room / (STEP * short)) + 1, SHIFTS), MOST_WINDOWS // SHIFTS)
    first = (long - used) / 2
    return [first + start for start in np.linspace(0, room, count).tolist()]


def average(activations: NDArray[np.float32], boxes: Sequence[Window], size: tuple[float, float]) -> HeatMaps:
    """Lay the maps of windows over the picture, and average where they overlap.

    `activations`, float32 [n, k, rows, columns], are the maps of n windows for k classes; `boxes` are the
    windows, and `size` is the picture's width and height in pixels.
    """
    columns, rows, cell = _grid(size)
    classes = activations.shape[1]
    total = np.zeros((classes, rows, columns), np.float64)
    count = np.zeros((rows, columns), np.float64)
    for window, own in zip(boxes, activations, strict=True):
        left, top, right, bottom = (round(edge / cell) for edge in window)
        right, bottom = min(max(right, left + 1), columns), min(max(bottom, top + 1), rows)
        place = np.s_[top:bottom, left:right]
        weight = np.outer(_fading(bottom - top), _fading(right - left))
        for each, map_ in zip(total, own, strict=True):
            scaled = Image.fromarray(map_).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
            each[place] += weight * np.asarray(scaled)
        count[place] += weight
    return HeatMaps(_scaled(total / np.where(count == 0, 1, count)), count > 0)


def _fading(cells: int) -> NDArray[np.float64]:
    """Return what each of so many cells in a row counts: less near the edges, or these would show."""
    return np.asarray(EDGE + np.sin(np.pi * (np.arange(cells) + 0.5) / cells) ** 2)


def _grid(size: tuple[float, float]) -> tuple[int, int, float]:
    """Return columns, rows, and the side of a cell in pixels of the picture."""
    width, height = size
    cell = max(min(size) / CELLS, max(size) / (LONGEST * CELLS))
    return max(round(width / cell), 1), max(round(height / cell), 1), cell


def _scaled(maps: NDArray[np.float64]) -> NDArray[np.uint8]:
    positive = np.maximum(maps, 0)
    most = positive.max(axis=(1, 2), keepdims=True)
    return np.rint(255 * positive / np.where(most == 0, 1, most)).astype(np.uint8)


def covered(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `crop`, uint8 [s, s, 3], once for each place, with a grey square there: [places, s, s, 3]."""
    side = len(crop)
    edges = np.linspace(0, side, PATCHES + 1).astype(int)
    copies = np.repeat(crop[None], PATCHES * PATCHES, axis=0)
    for place, copy in enumerate(copies):
        row, column = divmod(place, PATCHES)
        top, left = edges[max(row - 1, 0)], edges[max(column - 1, 0)]
        bottom, right = edges[min(row + 2, PATCHES)], edges[min(column + 2, PATCHES)]
        copy[top:bottom, left:right] = GREY
    return copies


def occlusion(
    crop: NDArray[np.uint8],
    window: Window,
    size: tuple[float, float],
    score: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
) -> HeatMaps:
    """Map how much a class loses when a part of the only window, `crop`, is covered.

    `score` gives for crops, uint8 [n, s, s, 3], the score of each of k classes, float32 [n, k].
    """
    whole = score(crop[None])[0]
    lost = whole - score(covered(crop))
    maps = lost.T.reshape(1, len(whole), PATCHES, PATCHES).astype(np.float32)
    return average(maps, [window], size)
