"""The tables in `config/labels` fit together, and every language has a word for everything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bot.i18n import ENGLISH, LOCALES, LabelTable, languages
from bot.i18n import LABELS as FOLDER


def lines(name: str) -> list[str]:
    return [line for line in (FOLDER / name).read_text("utf-8").splitlines() if not line.startswith("#")]


LABELS = lines("imagenet_1000.txt")
EVERYDAY = dict(line.split("\t") for line in lines("coarse.tsv"))
SYNSETS = [line.partition("\t")[0] for line in lines("imagenet_synsets.tsv")]
NAMES = {*lines("imagenet_1001.txt"), *EVERYDAY.values()}


@pytest.mark.parametrize("name", ["en", *(file.stem for file in LOCALES.glob("*.po"))])
def test_each_label_and_each_everyday_name_has_its_words_and_nothing_else_has(name: str) -> None:
    table = LabelTable.read(FOLDER / f"{name}.tsv")
    assert NAMES - table.rows.keys() == set(), f"add these to config/labels/{name}.tsv"
    assert table.rows.keys() - NAMES == set(), f"take these out of config/labels/{name}.tsv"


@pytest.mark.parametrize("name", list(languages))
def test_no_two_labels_are_called_the_same(name: str) -> None:
    """An answer lists several of them, one below the other."""
    table = languages.of(name).labels
    words = Counter(table.form(label) for label in LABELS)
    assert [word for word, times in words.items() if times > 1] == []


@pytest.mark.parametrize("name", [name for name in languages if name != "en"])
def test_hardly_a_word_is_left_in_english(name: str) -> None:
    """Some are: a speaker says "Golden Retriever" in German, too."""
    table = languages.of(name).labels
    same = sum(table.form(label).casefold() == label.casefold() for label in LABELS)
    assert same < 0.2 * len(LABELS)


def test_articles_follow_the_sound_and_not_the_letter() -> None:
    names = ("hourglass", "unicycle", "European gallinule", "X", "jeans", "velvet", "horse", "acorn")
    said = [ENGLISH.labels.form(name, "indefinite") for name in names]
    assert said == [
        "an hourglass",
        "a unicycle",
        "a European gallinule",
        "X",
        "jeans",
        "velvet",
        "a horse",
        "an acorn",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must name the columns"),
        ("word\tname\nTisch\ttable\n", "must name the columns"),
        ("name\tword\ntable\tTisch\textra\n", "line 2"),
        ("name\tword\ntable\n", "line 2"),
        ("name\tword\ntable\t \n", "line 2"),
        ("# a comment\nname\tword\ntable\tTisch\ntable\tTafel\n", "line 4"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_with_the_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "de.tsv"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=complaint):
        LabelTable.read(file)


def test_a_class_that_is_called_as_an_everyday_name_counts_among_its_classes() -> None:
    left_out = [
        label
        for label, synset in zip(LABELS, SYNSETS, strict=True)
        if label in EVERYDAY.values() and EVERYDAY.get(synset) != label
    ]
    assert left_out == []
