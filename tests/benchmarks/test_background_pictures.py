"""The pictures that come with Whatsit are those that the program beside them makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.background_pictures import drawings, main, photographs
from inference.knowledge.background_bank import PICTURES


def test_every_picture_is_made_again_the_same_but_for_what_webp_loses() -> None:
    made = [("drawings", *each) for each in drawings()] + [("photographs", *each) for each in photographs()]
    files = sorted(file.relative_to(PICTURES).as_posix() for file in PICTURES.glob("*/*.webp"))
    assert sorted(f"{folder}/{name}.webp" for folder, name, _ in made) == files
    for folder, name, picture in made:
        with Image.open(PICTURES / folder / f"{name}.webp") as kept:
            difference = np.asarray(kept.convert("RGB"), int) - np.asarray(picture, int)
        assert np.abs(difference).mean() < 12, name


def test_the_program_writes_them_into_a_folder(tmp_path: Path) -> None:
    main([str(tmp_path)])
    assert len(list(tmp_path.glob("*/*.webp"))) == len(list(PICTURES.glob("*/*.webp")))
