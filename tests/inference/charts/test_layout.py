"""What stands in a chart, and that it can be read."""

from __future__ import annotations

import io
import itertools
import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from PIL import Image

from config.loading import DEFAULT_FILE
from inference.charts import palette
from inference.charts.canvas import PIXELS, Canvas
from inference.charts.columns import ticks
from inference.charts.layout import draw_sheet
from inference.charts.sheet import ChartSheet, Panel
from inference.charts.typeface import BOLD, REGULAR, Typeface
from tests.inference.charts.sheets import columns, ranking, shares, sheet

LOCALES = DEFAULT_FILE.with_name("locales")


def drawn(*panels: Panel, **words: str) -> Image.Image:
    return Image.open(io.BytesIO(draw_sheet(sheet(*panels, **words)))).convert("RGBA")


def luminance(colour: tuple[int, int, int]) -> float:
    """As WCAG 2 defines it."""
    parts = (value / 255 for value in colour)
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_letters_and_shapes_stand_out_from_the_card() -> None:
    assert min(contrast(ink, palette.CARD) for ink in (palette.INK, palette.MUTED)) >= 4.5
    shapes = [palette.COLUMN, *palette.TONES.values()]
    assert min(contrast(shape, palette.CARD) for shape in shapes) >= 3


def test_right_and_wrong_differ_also_without_their_hue() -> None:
    assert contrast(palette.TONES["good"], palette.TONES["bad"]) > 1.08
    certainties = [luminance(palette.TONES[tone]) for tone in ("good", "fair", "faint", "fainter")]
    assert all(abs(one - other) > 0.1 for one, other in itertools.pairwise(certainties))


@pytest.mark.parametrize(
    ("most", "axis"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (2, [0, 1, 2]),
        (4, [0, 2, 4]),
        (7, [0, 5, 10]),
        (88, [0, 50, 100]),
        (100, [0, 50, 100]),
        (301, [0, 200, 400]),
        (6_000, [0, 2_000, 4_000, 6_000]),
    ],
)
def test_an_axis_has_few_whole_numbers_and_room_for_the_highest(most: int, axis: list[int]) -> None:
    assert ticks(most) == axis


def test_a_higher_value_is_a_higher_column() -> None:
    image = drawn(columns(0, 10, 20))
    colours = Counter(
        x for x in range(image.width) for y in range(image.height) if is_close(image, x, y, palette.COLUMN)
    )
    heights = sorted(colours.values())
    assert heights[-20] == pytest.approx(2 * heights[20], abs=6)


def is_close(image: Image.Image, x: int, y: int, colour: tuple[int, int, int]) -> bool:
    """Whether a pixel has a colour, but for what reducing the number of colours changed."""
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= 6 for one, other in zip(pixel, colour, strict=False))


def test_every_kind_of_panel_can_be_empty() -> None:
    assert drawn(columns(0, 0), ranking(), shares(0, 0)).width == 550 * PIXELS


def test_numbers_are_written_as_in_the_locale() -> None:
    english, german, japanese = (
        drawn(shares(1, 2), locale=locale).tobytes() for locale in ("en", "de", "ja")
    )
    assert english != german  # 1,234 and 33% against 1.234 and 33 %
    assert english == japanese


@pytest.mark.parametrize("file", sorted(LOCALES.glob("*.po")), ids=lambda file: file.stem)
def test_every_sentence_of_every_language_can_be_drawn(file: Path) -> None:
    with file.open("rb") as source:
        said = [message.string for message in read_po(source) if message.id]
    texts = [each for one in said for each in ([one] if isinstance(one, str) else one or ())]
    words = {"".join(each for each in text if each.isalnum()) for text in texts}
    assert {word for word in words if Typeface(1).legible(word) != word} == set()


@pytest.mark.parametrize(
    "title", ["Die letzten 30 Tage: größer", "過去30日間の画像と評価", "Ostatnie 30 dni", "Последние 30 дней"]
)
def test_titles_are_bold(title: str) -> None:
    assert Typeface(1).font(17, title, bold=True).path in BOLD


def test_a_title_that_the_bold_fonts_lack_is_drawn_all_the_same() -> None:
    assert Typeface(1).font(17, "鬱", bold=True).path == REGULAR[0]


@pytest.mark.parametrize("text", ["고양이", "🐱", "\U0002000b", "\x00"])
def test_what_no_font_has_is_a_question_mark_and_never_a_box(text: str) -> None:
    legible = Typeface(1).legible(text)
    assert "?" in legible
    assert Typeface(1).legible(legible) == legible


@pytest.mark.parametrize(
    "text",
    ["猫 犬 エスプレッソ 汁椀 鬱 々", "Äpfel, Çiçek “¡niño!”", "żółw", "gấu", "кіт", "γάτα", "A\u030apfel"],
)
def test_japanese_and_european_languages_are_drawn_as_they_are(text: str) -> None:
    assert Typeface(1).legible(text) == unicodedata.normalize("NFC", text)


def test_a_long_name_is_cut_and_its_bar_keeps_its_room() -> None:
    face = Canvas(10, 10).typeface
    fitted = face.fitted("Süßwasser-Großkrebs" * 10, 12, 100)
    assert fitted.endswith("…")
    assert face.width(fitted, 12) <= 100
    assert drawn(ranking("ラブラドール・レトリバー" * 10, "cat")).width == 1650


def test_a_sheet_that_is_not_one_is_refused() -> None:
    content = json.loads(sheet(columns(1)).model_dump_json())
    changes: list[dict[str, object]] = [{"locale": "../de"}, {"rows": []}, {"unknown": 1}, {"figure": -1}]
    for change in changes:
        with pytest.raises(ValueError, match=next(iter(change))):
            ChartSheet.model_validate({**content, **change})
