"""Everyday names: what people would say, with the probabilities of all classes that have the name added."""

from __future__ import annotations

import numpy as np
import pytest

from inference.models.coarse_names import CoarseNames, coarse_names
from inference.models.labels import FOLDER, IMAGENET


def shipped(classes: int) -> tuple[str, ...]:
    return tuple((FOLDER / IMAGENET[classes]).read_text("utf-8").splitlines())


def test_every_line_of_the_file_is_a_class_of_imagenet() -> None:
    known = {line.partition("\t")[0] for line in (FOLDER / "imagenet_synsets.tsv").read_text().splitlines()}
    lines = [line for line in (FOLDER / "coarse.tsv").read_text().splitlines() if not line.startswith("#")]
    ids = [line.partition("\t")[0] for line in lines]
    assert set(ids) <= known
    assert len(ids) == len(set(ids)) == sum(name is not None for name in coarse_names(shipped(1000)))


@pytest.mark.parametrize("classes", [1000, 1001])
@pytest.mark.parametrize(
    ("label", "everyday"),
    [("tabby", "cat"), ("Egyptian cat", "cat"), ("Granny Smith", "fruit"), ("espresso", None)],
)
def test_each_class_has_its_name_with_and_without_background(
    classes: int, label: str, everyday: str | None
) -> None:
    labels = shipped(classes)
    assert coarse_names(labels)[labels.index(label)] == everyday


def test_a_class_that_is_called_by_an_everyday_name_has_that_name() -> None:
    """Else the corn of "corn 81 %, ear of corn 10 %" would be left out of what is called corn."""
    labels = shipped(1000)
    everyday = coarse_names(labels)
    for name in set(labels) & {*everyday}:
        assert everyday[labels.index(name)] == name


def test_background_has_none() -> None:
    assert coarse_names(shipped(1001))[0] is None


@pytest.mark.parametrize("labels", [("tabby", "mouse"), ("tabby",) * 1000])
def test_other_labels_have_none_though_a_word_were_the_same(labels: tuple[str, ...]) -> None:
    assert coarse_names(labels) == (None,) * len(labels)


def test_probabilities_of_one_name_are_added_over_all_classes() -> None:
    everyday = CoarseNames(("cat", None, "dog", "cat", "fox", "owl"))
    best = everyday.best(np.array([0.2, 0.3, 0.1, 0.25, 0.12, 0.03]))
    assert [(name, round(total, 9), classes) for name, total, classes in best] == [
        ("cat", 0.45, 2),
        ("fox", 0.12, 1),
        ("dog", 0.1, 1),
    ]


def test_where_no_class_has_a_name_none_is_told() -> None:
    assert CoarseNames((None, None)).best(np.array([0.6, 0.4])) == ()
