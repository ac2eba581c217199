"""The table of words against odds: what is counted, and that its truth names only what can be said."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.naming_certainty import STAMPS, NamedPicture, main, read_truth, table
from bot.presentation.naming import Finding
from inference.models.coarse_names import coarse_names
from inference.models.labels import FOLDER, IMAGENET
from tests.world import classified


def named(label: str, probability: float, *right: str) -> NamedPicture:
    return NamedPicture(Finding.of(classified((label, probability)), 0.3), frozenset(right))


def test_each_word_is_counted_with_how_often_it_was_right() -> None:
    pictures = [
        named("tabby", 0.95, "tabby", "cat"),
        named("lynx", 0.92, "tabby"),
        named("lynx", 0.75, "lynx"),
        named("lynx", 0.1, "hare"),
    ]
    assert list(table(pictures))[2:] == [
        "| sure | 2 (50%) | 50% |",
        "| probably | 1 (25%) | 100% |",
        "| maybe | 0 (0%) | - |",
        "| not sure | 1 (25%) | 0% |",
        "| sure or probably | 3 (75%) | 67% |",
    ]


def test_what_the_stamps_show_is_said_in_names_that_an_answer_can_say() -> None:
    labels = tuple((FOLDER / IMAGENET[1000]).read_text("utf-8").splitlines())
    sayable = {*labels, *filter(None, coarse_names(labels))}
    truth = read_truth(STAMPS[1])
    assert set().union(*truth.values()) <= sayable
    assert any(truth.values())
    assert not all(truth.values())


def test_without_the_pictures_it_says_where_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "apt-get install tuxpaint-stamps-default" in capsys.readouterr().err
