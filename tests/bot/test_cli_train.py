"""`whatsit train` and `whatsit evaluate`: what is said of folders that cannot be used, and what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from bot.cli import main
from bot.cli.evaluate import class_numbers
from bot.cli.labelled_folder import BadFolder, labelled_folder
from tests.e2e.command import ROOT, WHATSIT, environment
from tests.training.drawn_set import draw_set


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two classes of five pictures, which only look like pictures."""
    for label in ("ants", "black_bees"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "set" / label / f"{number}.jpg").write_bytes(b"\xff\xd8")
    return tmp_path / "set"


def test_a_class_is_a_folder_and_its_label_the_name(pictures: Path) -> None:
    (pictures / ".hidden").mkdir()
    (pictures / "notes.txt").touch()
    (pictures / "ants" / "notes.txt").touch()
    (pictures / "ants" / "more").mkdir()
    (pictures / "ants" / "more" / "6.PNG").touch()
    found = labelled_folder(pictures)
    assert found.labels == ("ants", "black bees")
    assert [len(files) for files in found.pictures] == [6, 5]


def _without(pictures: Path, label: str) -> Path:
    for file in (pictures / label).iterdir():
        file.unlink()
    return pictures


def _one_class(pictures: Path) -> Path:
    (_without(pictures, "ants") / "ants").rmdir()
    return pictures


def _same_label(pictures: Path) -> Path:
    (pictures / "black bees").mkdir()
    return pictures


def _parts(pictures: Path) -> Path:
    (pictures / "ants").rename(pictures / "train")
    (pictures / "black_bees").rename(pictures / "val")
    return pictures


def _unprintable(pictures: Path) -> Path:
    (pictures / "ants").rename(pictures / "an\nts")
    return pictures


BAD = [
    (lambda path: path / "nowhere", "There is no folder"),
    (lambda path: path / "ants" / "0.jpg", "is a file: it has to be a folder"),
    (lambda path: path / "ants", "There are no folders in"),
    (_one_class, "There is only one class in"),
    (lambda path: _without(path, "ants"), "The class ants in .* has no pictures"),
    (_same_label, "have the same label, black bees"),
    (_parts, "has train and val in it, which look like parts of a set"),
    (_unprintable, r"The folder 'an\\+nts' in .* cannot be a label"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_a_folder_that_cannot_be_used_is_one_sentence(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], spoil: object, said: str
) -> None:
    assert callable(spoil)
    folder, out = spoil(pictures), tmp_path / "model"
    assert main(["train", str(folder), "--out", str(out)]) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("whatsit: ")
    with pytest.raises(BadFolder, match=said) as caught:
        labelled_folder(folder, least_classes=2)
    assert str(caught.value) in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_one_class_is_enough_to_evaluate(pictures: Path) -> None:
    assert labelled_folder(_one_class(pictures)).labels == ("black bees",)


def test_too_few_pictures_are_refused_before_anything_is_loaded(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in (3, 4):
        (pictures / "ants" / f"{number}.jpg").unlink()
    assert main(["train", str(pictures), "--out", str(tmp_path / "model")]) == 1
    assert capfd.readouterr().err == (
        f"whatsit: The class ants in {pictures} has 3 pictures, and training takes at least 5 of each class: "
        "add some, better a hundred.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("set", "exists already: name another place for --out, or remove it."),
        ("set/ants/0.jpg", "exists already"),
        ("set/model", "would be inside"),
        ("nowhere/model", "There is no folder"),
    ],
)
def test_a_place_that_cannot_be_used_is_one_sentence(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], out: str, said: str
) -> None:
    assert main(["train", str(pictures), "--out", str(tmp_path / out)]) == 2
    shown = capfd.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_a_dangling_link_is_not_written_through(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").symlink_to(tmp_path / "gone")
    assert main(["train", str(pictures), "--out", str(tmp_path / "model")]) == 2
    assert "exists already" in capfd.readouterr().err


def test_charts_are_not_put_into_a_file(
    pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["evaluate", str(pictures), "--out", str(tmp_path / "file")]) == 2
    assert "is a file: name a folder for --out." in capfd.readouterr().err


def test_labels_are_the_same_in_any_case_and_may_be_there_twice(pictures: Path) -> None:
    labels = ["background", "Black Bees", "crane", "ants", "ANTS"]
    assert class_numbers(labelled_folder(pictures), labels, "mine") == {1: 1, 3: 0, 4: 0}


def test_a_class_that_the_model_does_not_know_is_one_sentence(pictures: Path) -> None:
    with pytest.raises(BadFolder) as caught:
        class_numbers(labelled_folder(pictures), ["ants", "cats", "dogs", "cows"], "mine")
    assert str(caught.value) == (
        f"The model mine does not know black bees, of which there are pictures in {pictures}: give folders "
        "the names of its classes (ants, cats, dogs, ...), or name another --model."
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_what_is_ended_leaves_nothing(tmp_path: Path, ended_by: signal.Signals) -> None:
    """Ctrl-C, and a death that nobody can prepare for."""
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    base = tiny.save(tmp_path / "base")
    pictures = draw_set(tmp_path / "set", ["discs", "rings"], 5, seed=1)
    out = tmp_path / "models" / "mine"
    out.parent.mkdir()
    process = subprocess.Popen(
        [*WHATSIT, "train", str(pictures), "--out", str(out), "--model", str(base)],
        env=environment(),
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    _until(lambda: any(out.parent.iterdir()))
    processes = psutil.Process(process.pid).children(recursive=True)
    assert processes
    os.kill(process.pid, ended_by)
    _, said = process.communicate(timeout=100)
    assert process.returncode == (130 if ended_by == signal.SIGINT else -signal.SIGKILL)
    assert b"Traceback" not in said
    _until(lambda: not any(out.parent.iterdir()))
    _until(lambda: not any(each.is_running() for each in processes))


def _until(met: object) -> None:
    assert callable(met)
    until = time.monotonic() + 100
    while not met():
        assert time.monotonic() < until
        time.sleep(0.05)
