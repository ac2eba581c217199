"""The benchmark of taught labels counts rightly what it is given, and says what it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.teaching import __main__, speed
from benchmarks.teaching.naming import mean_of, measure, measure_unequal
from benchmarks.teaching.pictures import Strangers, TaughtKind
from benchmarks.teaching.table import naming_table
from tests.inference.teaching.clusters import background, cluster


def kind(*things: int, count: int = 20, spread: float = 0.5) -> TaughtKind:
    def seen(seed: int) -> NDArray[np.float32]:
        return np.concatenate([cluster(thing, count, spread=spread, seed=seed) for thing in things])

    return TaughtKind("things", np.repeat(things, count), seen(1), seen(2))


STRANGERS = Strangers("strangers", np.concatenate([cluster(number, 1) for number in range(100, 200)]))


def test_things_apart_are_all_right_and_strangers_get_no_name() -> None:
    figures = measure(kind(3, 7, 11), 5, background(), [STRANGERS], draws=2)
    assert figures is not None
    assert (figures.labels, figures.examples, figures.right) == (3, 5, 1)
    assert figures.named > 0.7
    assert figures.wrong == 0
    assert figures.strangers["strangers"] < 0.1
    assert figures.same_kind is not None


def test_a_label_that_cannot_be_told_from_another_is_right_half_the_time() -> None:
    same = kind(3, 3)
    twice = TaughtKind("same", np.repeat([1, 2], 20), same.examples, same.questions)
    figures = measure(twice, 5, background(), [], draws=10)
    assert figures is not None
    assert abs(figures.right - 0.5) < 0.2
    assert figures.same_kind is None


def test_labels_with_too_few_pictures_do_not_take_part() -> None:
    assert measure(kind(3, 7, count=8), 5, background(), [], draws=1) is None


def test_unequal_counts_and_means_stand_in_the_table() -> None:
    figures = measure_unequal(kind(3, 7, 11), background(), [STRANGERS], draws=2)
    assert figures.examples == 0
    table = naming_table([figures, mean_of([figures, figures])])
    assert "| things | 3 | 1 to 20 |" in table
    assert "| mean of 2 kinds | 6 |" in table


def test_without_folders_it_measures_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, small in {"QUESTIONS": 3, "TIMES": 1, "LABELS": 5, "SERVERS": 2, "FITS": (20, 50)}.items():
        monkeypatch.setattr(speed, name, small)
    assert __main__.main(["--json", str(tmp_path / "found.json")]) == 0
    assert "| fit of 50 examples |" in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["speed"]["example_bytes"] == 1284
    assert found["naming"] == []


@pytest.mark.parametrize("arguments", [["nowhere"], ["--strangers", "nowhere"]])
def test_a_folder_that_is_not_there_is_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        __main__.main(arguments)
    assert "nowhere is not a folder" in capsys.readouterr().err
