"""What stands in a chart, and that it can be read."""

from __future__ import annotations

import io
import itertools
import json
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from babel.messages.pofile import read_po
from numpy.typing import NDArray
from PIL import Image

from config.loading import DEFAULT_FILE
from inference.charts import palette
from inference.charts.canvas import PIXELS, Canvas
from inference.charts.columns import ticks
from inference.charts.curves import axis_of
from inference.charts.layout import draw_sheet
from inference.charts.sheet import ChartSheet, Panel, most_confused
from inference.charts.typeface import BOLD, REGULAR, Typeface
from tests.inference.charts.sheets import (
    columns,
    confusion,
    curves,
    ranking,
    reliability,
    shares,
    sheet,
    thumbnails,
)

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
    panels = (columns(0, 0), ranking(), shares(0, 0), confusion((0,)), curves(None), thumbnails())
    assert drawn(*panels).width == 550 * PIXELS
    assert drawn(reliability(0, 0), curves(0.0, percent=True)).width == 550 * PIXELS


def coloured(image: Image.Image, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Which pixels, [height, width], have that colour, but for what reducing their number changed."""
    pixels = np.asarray(image)[:, :, :3].astype(int)
    return np.asarray((np.abs(pixels - colour) <= 6).all(axis=2))


def test_a_matrix_shows_what_was_right_in_another_colour_than_what_was_mixed_up() -> None:
    right, wrong, none = (drawn(confusion(*rows)) for rows in [((9, 0), (0, 9)), ((0, 9), (9, 0)), ((0,),)])
    good, bad = palette.TONES["good"], palette.TONES["bad"]
    assert coloured(right, good).sum() > 5_000
    assert coloured(wrong, bad).sum() > 5_000
    assert not coloured(right, bad).any()
    assert not coloured(wrong, good).any()
    assert not (coloured(none, good) | coloured(none, bad)).any()


def test_numbers_in_a_matrix_are_read_on_every_shade() -> None:
    for tone in ("good", "bad"):
        shades = [palette.between(palette.CARD, palette.TONES[tone], share / 20) for share in range(21)]
        assert min(contrast(palette.ink_on(shade), shade) for shade in shades) > 3.5


@pytest.mark.parametrize("rows", [((1, 2),), ((1,), (2,)), ((1, 2, 3), (1, 2))])
def test_a_matrix_that_is_not_square_is_refused(rows: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="counts has to have"):
        confusion(*rows)


def test_answers_that_are_no_label_have_columns_of_their_own() -> None:
    assert drawn(confusion((5, 1, 2), (0, 3, 4), others=("none of these",))).width == 1650


def test_of_many_labels_those_that_were_mixed_up_most_are_shown() -> None:
    counts = [[9, 0, 0, 0], [0, 5, 4, 0], [0, 0, 9, 0], [0, 1, 0, 8]]
    assert most_confused(counts, 2) == [1, 2]
    assert most_confused(counts, 3) == [1, 2, 3]
    assert most_confused(counts) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("low", "high", "percent", "axis"),
    [
        (0.2, 1.4, False, [0, 0.5, 1, 1.5]),
        (0.0, 0.0, True, [0, 0.5, 1]),
        (0.48, 0.99, True, [0.4, 0.6, 0.8, 1]),
        (0.97, 1.0, True, [0.97, 0.98, 0.99, 1]),
        (3, 70, False, [0, 20, 40, 60, 80]),
    ],
)
def test_the_axis_of_curves_has_few_round_numbers(
    low: float, high: float, percent: bool, axis: list[float]
) -> None:
    assert axis_of(low, high, percent=percent) == pytest.approx(axis)


def test_a_curve_that_rises_ends_higher() -> None:
    line = coloured(drawn(curves(0.2, 0.6, 1.0, percent=True)), palette.TONES["good"])
    line[: 110 * PIXELS] = False  # the legend
    across = np.flatnonzero(line.any(axis=0))
    first, last = (int(np.argmax(line[:, x])) for x in (across[20], across[-20]))
    assert last < first - 20 * PIXELS


def test_a_contact_sheet_shows_each_picture_uncut() -> None:
    image = drawn(thumbnails((250, 20, 20), (20, 250, 20)))
    red, green = (int(coloured(image, colour).sum()) for colour in [(250, 20, 20), (20, 250, 20)])
    assert red == pytest.approx(green, rel=0.1)
    assert red > 10_000


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
