"""The English article of each name that an answer can say comes from a table, in which none is missing."""

from __future__ import annotations

from typing import get_args

import pytest

from bot.presentation.articles import FILE, Article, article_of
from inference.models.coarse_names import coarse_names
from inference.models.labels import FOLDER, IMAGENET

LABELS = tuple((FOLDER / IMAGENET[1000]).read_text("utf-8").splitlines())


def test_each_label_and_each_everyday_name_has_one_line_and_nothing_else_has() -> None:
    lines = [line.split("\t") for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    names = [name for name, _ in lines]
    assert len(names) == len(set(names))
    assert set(names) == {*LABELS, *filter(None, coarse_names(LABELS))}
    assert {article for _, article in lines} == set(get_args(Article))


@pytest.mark.parametrize(
    ("article", "names"),
    [
        (
            "a",
            ["horse", "unicycle", "European fire salamander", "Yorkshire terrier", "CRT screen", "T-shirt"],
        ),
        ("an", ["acorn", "hourglass", "iPod", "upright piano", "umbrella", "ocarina", "EntleBucher"]),
        (
            "-",
            [
                *("binoculars", "jeans", "pajamas", "parallel bars", "sunglasses", "swimming trunks"),
                *("chain mail", "wool", "dough", "hair spray", "face powder", "velvet", "corn", "bread"),
            ],
        ),
    ],
)
def test_an_article_goes_by_the_sound_and_plurals_and_what_cannot_be_counted_have_none(
    article: Article, names: list[str]
) -> None:
    assert {name: article_of(name) for name in names} == dict.fromkeys(names, article)
