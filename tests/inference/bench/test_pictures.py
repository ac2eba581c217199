"""The pictures that are measured with."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from inference.bench.pictures import ASPECTS, PictureKind, draw_originals, make


def test_pictures_have_the_three_aspect_ratios_in_equal_parts_and_the_size_asked_for(tmp_path: Path) -> None:
    sizes = [
        Image.open(io.BytesIO(file.read_bytes())).size
        for file in make(PictureKind("jpeg", 2.0), tmp_path, draw_originals()[:2])
    ]
    assert [round(width / height, 2) for width, height in sizes] == [
        round(width / height, 2) for width, height in ASPECTS
    ] * 2
    assert all(width * height == pytest.approx(2e6, rel=0.01) for width, height in sizes)


def test_originals_are_always_the_same_and_all_different() -> None:
    first, again = ({one.tobytes() for one in draw_originals()} for _ in range(2))
    assert first == again
    assert len(first) == len(draw_originals())
