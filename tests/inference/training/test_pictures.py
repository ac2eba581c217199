"""What a model learns from is what the bot would look at, and variations of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from config.settings import Limits
from inference.images.decode import decode
from inference.training.pictures import LabelledFile, Pictures, as_input
from tests.training.drawn_set import draw_set

SIZE = 32


def test_a_picture_is_seen_as_the_bot_sees_it_first(tmp_path: Path) -> None:
    file = draw_set(tmp_path, ["discs"], 1, seed=1) / "discs" / "000.jpg"
    read = Pictures(SIZE, Limits()).read(LabelledFile(file, 3))
    assert read
    expected = decode(file.read_bytes(), input_size=SIZE, views="auto", limits=Limits()).first[0]
    assert np.array_equal(read.centre, expected)
    assert read.file.label == 3


def test_what_the_bot_could_not_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    pictures = Pictures(SIZE, Limits())
    assert pictures.read(LabelledFile(tmp_path / "broken.jpg", 0)) is None
    assert pictures.read(LabelledFile(tmp_path / "gone.jpg", 0)) is None


def test_variations_differ_and_come_again_from_the_same_seed(tmp_path: Path) -> None:
    file = LabelledFile(draw_set(tmp_path, ["rings"], 1, seed=1) / "rings" / "000.jpg", 0)
    pictures = Pictures(SIZE, Limits())
    once, again = (list(pictures.variations(file, 6, np.random.default_rng(2))) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))
    assert len({crop.tobytes() for crop in once}) == 6
    assert as_input(once).shape == (6, SIZE, SIZE, 3)
    assert 0.0 <= as_input(once).min() < as_input(once).max() <= 1.0
