"""The tables in `config/labels` fit together."""

from __future__ import annotations

from bot.presentation.articles import FILE, article_of

FOLDER = FILE.parent


def lines(name: str) -> list[str]:
    return [line for line in (FOLDER / name).read_text("utf-8").splitlines() if not line.startswith("#")]


LABELS = lines("imagenet_1000.txt")
EVERYDAY = dict(line.split("\t") for line in lines("coarse.tsv"))
SYNSETS = [line.partition("\t")[0] for line in lines("imagenet_synsets.tsv")]


def test_each_label_and_each_everyday_name_has_one_article_and_nothing_else_has() -> None:
    listed = [line.partition("\t")[0] for line in lines("articles.tsv")]
    assert len(listed) == len(set(listed))
    assert set(listed) == {*LABELS, *EVERYDAY.values()}
    assert {line.partition("\t")[2] for line in lines("articles.tsv")} == {"a", "an", "-"}


def test_articles_follow_the_sound_and_not_the_letter() -> None:
    names = ("hourglass", "unicycle", "European gallinule", "X", "jeans", "velvet", "horse", "acorn")
    assert [article_of(name) for name in names] == ["an", "a", "a", "-", "-", "-", "a", "an"]


def test_a_class_that_is_called_as_an_everyday_name_counts_among_its_classes() -> None:
    left_out = [
        label
        for label, synset in zip(LABELS, SYNSETS, strict=True)
        if label in EVERYDAY.values() and EVERYDAY.get(synset) != label
    ]
    assert left_out == []
