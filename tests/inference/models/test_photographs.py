"""Photographs are found and cut as a model is calibrated on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inference.models.photographs import load_photographs, random_crops


def test_an_owners_folder_is_searched_for_photographs(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    Image.new("RGB", (3000, 400), "red").save(tmp_path / "deep/wide.jpg")
    Image.new("L", (300, 300)).save(tmp_path / "grey.PNG")
    Image.new("RGB", (50, 300)).save(tmp_path / "narrow.png")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture")
    found = load_photographs(tmp_path)
    assert sorted(image.size for image in found) == [(300, 300), (1024, 137)]
    assert {image.mode for image in found} == {"RGB"}
    crops = list(random_crops(found, 32, 6, np.random.default_rng(1)))
    assert [crop.shape for crop in crops] == [(1, 32, 32, 3)] * 6
