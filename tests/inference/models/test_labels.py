"""Every class has one readable label of its own, and labels that do not fit are one clear error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inference.models.labels import BESIDE_MODEL, FOLDER, labels_for
from inference.results import ModelUnavailable


def test_imagenet_has_its_1000_labels_and_background_before_them() -> None:
    with_background = labels_for("mobilenet_v2", 1001, None)
    without = labels_for("efficientnet_lite0", 1000, None)
    assert with_background == ("background", *without)
    assert len(without) == 1000


@pytest.mark.parametrize(
    ("index", "label"),
    [
        (0, "tench"),
        (281, "tabby"),
        (285, "Egyptian cat"),
        (652, "military uniform"),
        (948, "Granny Smith"),
        (967, "espresso"),
        (968, "cup"),
        (999, "toilet tissue"),
    ],
)
def test_a_label_stands_at_its_index(index: int, label: str) -> None:
    assert labels_for("x", 1000, None)[index] == label


def test_no_two_classes_have_the_same_label() -> None:
    labels = [label.casefold() for label in labels_for("x", 1001, None)]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((134, "crane (bird)"), (517, "crane (machine)")),
        ((638, "maillot (tights)"), (639, "maillot (swimsuit)")),
        ((264, "Cardigan Welsh corgi"), (474, "cardigan (jacket)")),
    ],
)
def test_words_that_mean_two_classes_are_told_apart(first: tuple[int, str], second: tuple[int, str]) -> None:
    labels = labels_for("x", 1000, None)
    assert (labels[first[0]], labels[second[0]]) == (first[1], second[1])


def test_labels_are_readable() -> None:
    for label in labels_for("x", 1001, None):
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9' ().-]*", label), label


def test_every_class_has_its_wordnet_synset() -> None:
    lines = (FOLDER / "imagenet_synsets.tsv").read_text(encoding="utf-8").splitlines()
    synsets = [line.split("\t") for line in lines]
    assert len(synsets) == 1000
    assert len({synset for synset, _ in synsets}) == 1000
    assert all(re.fullmatch(r"n\d{8}", synset) and words for synset, words in synsets)
    assert synsets[285] == ["n02124075", "Egyptian cat"]


@pytest.mark.parametrize("text", ["cat\ndog\nBär", "cat\ndog\nBär\n\n", "\ufeffcat\r\ndog \r\nBär\r\n"])
def test_an_owners_file_is_read_one_label_a_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "labels.txt"
    file.write_bytes(text.encode())
    assert labels_for("mine", 3, file) == ("cat", "dog", "Bär")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat\ndog\n", r"model mine has 3 classes, and .*labels\.txt has 2 labels"),
        (b"a\nb\nc\nd", r"model mine has 3 classes, and .*labels\.txt has 4 labels"),
        (b"a\n\nc\n", r"line 2 of .*labels\.txt is empty"),
        (b"", r"line 1 of .*labels\.txt is empty"),
        (b"\xff\xfea\x00", r"labels\.txt is not UTF-8"),
        (None, r"labels\.txt: No such file"),
    ],
)
def test_labels_that_cannot_be_used_are_one_clear_error(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "labels.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=message) as caught:
        labels_for("mine", 3, file)
    assert "mine" in str(caught.value)


def test_a_model_of_other_classes_needs_a_file() -> None:
    with pytest.raises(ModelUnavailable, match=r"mine has 7 classes.*set model\.labels"):
        labels_for("mine", 7, None)


def test_a_model_carries_its_own_labels_and_a_named_file_wins(tmp_path: Path) -> None:
    (tmp_path / BESIDE_MODEL).parent.mkdir()
    (tmp_path / BESIDE_MODEL).write_text("ants\nbees\n", encoding="utf-8")
    (tmp_path / "other.txt").write_text("Ameisen\nBienen\n", encoding="utf-8")
    assert labels_for("mine", 2, None, folder=tmp_path) == ("ants", "bees")
    assert labels_for("mine", 2, tmp_path / "other.txt", folder=tmp_path) == ("Ameisen", "Bienen")
    with pytest.raises(ModelUnavailable, match=r"mine has 3 classes, and .*labels\.txt has 2 labels"):
        labels_for("mine", 3, None, folder=tmp_path)
