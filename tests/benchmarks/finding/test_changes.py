"""Each change gives another file of the same picture."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.finding.__main__ import FIGURES, main, write_figures
from benchmarks.finding.changes import CHANGES
from benchmarks.finding.fingerprinting import pictures_in


@pytest.fixture
def photograph() -> Image.Image:
    return Image.effect_noise((300, 200), 60).convert("RGB")


def changed(photograph: Image.Image, name: str) -> Image.Image:
    return Image.open(io.BytesIO(CHANGES[name](photograph, random.Random(1))))  # noqa: S311 - no secret


def test_there_are_eleven() -> None:
    assert len(CHANGES) == 11


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_a_picture_and_the_original_stays(photograph: Image.Image, name: str) -> None:
    before = photograph.tobytes()
    assert changed(photograph, name).size[0] > 0
    assert photograph.tobytes() == before


def test_a_crop_takes_its_share_off_either_side(photograph: Image.Image) -> None:
    assert changed(photograph, "cropped by 25 %").size == (225, 150)
    assert changed(photograph, "half the size").size == (150, 100)
    assert changed(photograph, "caption above it").size == (300, 240)


def test_a_folder_without_pictures_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "there are no pictures" in capsys.readouterr().err


def test_figures_take_the_place_of_earlier_ones_and_the_words_stay(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("# Words\n\n", encoding="utf-8")
    write_figures(file, "old\n")
    write_figures(file, "new\n")
    assert file.read_text(encoding="utf-8") == f"# Words\n\n{FIGURES}new\n"


def test_pictures_are_found_in_folders_in_folders_in_an_order_that_does_not_change(tmp_path: Path) -> None:
    for name in ("a/b.JPG", "c.png", "d.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    found = pictures_in([tmp_path])
    assert {file.name for file in found} == {"b.JPG", "c.png"}
    assert found == pictures_in([tmp_path])
