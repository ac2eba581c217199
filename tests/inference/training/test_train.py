"""A training is put in place in one step, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config.settings import Model, Settings
from inference.models import child_process
from inference.results import ModelUnavailable
from inference.training.train import TrainingTask, train

RESULT: dict[str, Any] = {
    "learnt": 8,
    "held_back": 2,
    "right": 1,
    "temperature": 1.2,
    "epochs": 9,
    "tuned": False,
    "unreadable": [],
    "repeated": [],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "saved_model.pb").write_bytes(b"graph")
    return Settings(model=Model(name=str(tmp_path / "base"), cache_dir=tmp_path / "cache"))


@pytest.fixture
def task(tmp_path: Path) -> TrainingTask:
    files = [[f"/set/{label}/{number}.jpg" for number in range(5)] for label in ("a", "b")]
    return TrainingTask("/set", ["a", "b"], files, str(tmp_path / "out"), fine_tune=False, epochs=None)


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


def child(monkeypatch: pytest.MonkeyPatch, result: dict[str, Any], error: Exception | None = None) -> None:
    """Let a child write half a model and end with the error, or all of it and give the result."""

    def run(_: str, arguments: Mapping[str, Any], **__: object) -> dict[str, Any]:
        model = Path(arguments["folder"], "model")
        model.mkdir()
        if error:
            raise error
        (model / "saved_model.pb").write_bytes(b"trained")
        return dict(result)

    monkeypatch.setattr(child_process, "run", run)


def test_what_was_trained_is_put_in_place_and_told_of(
    settings: Settings, task: TrainingTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, RESULT)
    made = train(settings, task, report=unread)
    assert (tmp_path / "out" / "saved_model.pb").read_bytes() == b"trained"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "out"]
    assert str(made) == (
        f"{task.out} tells 2 classes. It learnt from 8 pictures in 9 epochs, and names 50.0% of 2 others "
        f"right. How it learnt, and what it mixes up, is drawn in {task.out}/assets.extra. Try it: whatsit "
        f"classify --model {task.out} PICTURE"
    )
    assert made.notes == ()


def test_what_was_left_out_is_named(
    settings: Settings, task: TrainingTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [f"/{number}.jpg" for number in range(4)]
    child(monkeypatch, RESULT | {"unreadable": broken, "repeated": ["/set/b/1.jpg"]})
    made = train(
        settings,
        TrainingTask(task.folder, task.labels, task.files, task.out, fine_tune=True, epochs=3),
        report=unread,
    )
    assert made.notes == (
        "4 pictures were left out (unreadable): /0.jpg, /1.jpg, /2.jpg and 1 more.",
        "1 picture was left out (copies): /set/b/1.jpg.",
        "Training the top layers did not help, so they are as they were.",
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            child_process.ChildJobFailed("MemoryError: none left"),
            "made: MemoryError: none left.",
        ),
        (child_process.ChildJobTimedOut("over 9 s"), "took over 9 s and was given up"),
        (ModelUnavailable("The class a is empty."), "The class a is empty."),
    ],
)
def test_after_an_error_nothing_is_left(
    settings: Settings, task: TrainingTask, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    child(monkeypatch, RESULT, error)
    with pytest.raises(ModelUnavailable, match=said):
        train(settings, task, report=unread)
    assert [path.name for path in Path(task.out).parent.iterdir()] == ["base"]


def test_what_appeared_meanwhile_is_not_overwritten(
    settings: Settings, task: TrainingTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(monkeypatch, RESULT)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(ModelUnavailable, match="out cannot be written"):
        train(settings, task, report=unread)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
