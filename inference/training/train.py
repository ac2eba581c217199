"""From a folder of pictures to a model that tells its classes. The work is done in a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from inference.models import child_process
from inference.models.child_process import Report
from inference.models.loading import locate
from inference.results import ModelUnavailable
from inference.training.holding_back import check_counts

TRAIN_SECONDS = 7 * 24 * 3600.0
"""The owner waits for it, and can end it at any time."""
NAMED = 3
"""Files that are named of those that were left out."""
MODEL = "model"
"""The folder that the child makes the trained model in."""
EXTRA = "assets.extra"
"""The folder inside a SavedModel for what TensorFlow does not read."""


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """What is to be made of what.

    `files` has a list of absolute paths for each of `labels`; they come from `folder`. The model is written
    to the new folder `out`. `fine_tune`: the top layers of the network are trained too. `epochs` is how often
    the pictures are gone through at most, None for what usually suffices.
    """

    folder: str
    labels: Sequence[str]
    files: Sequence[Sequence[str]]
    out: str
    fine_tune: bool
    epochs: int | None


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What came of it: as text, one sentence. `notes` are sentences on what is not as one would expect.

    Of `learnt` pictures it was made, and `right` of `held_back` others are named right. Its logits were
    divided by `temperature`. `tuned`: the top layers were changed as well.
    """

    out: str
    labels: int
    learnt: int
    held_back: int
    right: int
    temperature: float
    epochs: int
    tuned: bool
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.out} tells {self.labels} classes. It learnt from {self.learnt:,} pictures in "
            f"{self.epochs} epochs, and names {self.right / self.held_back:.1%} of {self.held_back:,} others "
            f"right. How it learnt, and what it mixes up, is drawn in {Path(self.out, EXTRA)}. Try it: "
            f"whatsit classify --model {self.out} PICTURE"
        )


def train(settings: Settings, task: TrainingTask, *, report: Report) -> TrainReport:
    """Train a model on top of the one that the settings name, and put it to `task.out` in one step.

    Raises ModelUnavailable, which says what can be done, where the set or the model cannot be used. Whatever
    happens, nothing half-made is left.
    """
    check_counts(task.folder, task.labels, [len(files) for files in task.files], readable=False)
    located = locate(settings.model, report=report)
    located.content_hash(settings.model.cache_dir)  # a download that has changed is refused
    out = Path(task.out)
    report("starting TensorFlow", None)
    try:
        with tempfile.TemporaryDirectory(".tmp", f".{out.name}.", out.parent) as folder:
            result = child_process.run(
                "inference.training.train_child:make",
                {
                    "base": located.name,
                    "saved_model": str(located.folder),
                    "default_size": located.default_size,
                    "name": out.name,
                    "set_folder": task.folder,
                    "labels": task.labels,
                    "files": task.files,
                    "limits": settings.limits.model_dump(),
                    "fine_tune": task.fine_tune,
                    "epochs": task.epochs,
                    "folder": folder,
                },
                deadline=TRAIN_SECONDS,
                report=report,
                read=[located.folder, *_folders(task.files)],
                write=[Path(folder)],
            )
            Path(folder, MODEL).rename(out)
    except child_process.ChildJobFailed as error:
        raise ModelUnavailable(f"{out} could not be made: {error}.") from None
    except child_process.ChildJobTimedOut as error:
        raise ModelUnavailable(f"Training {out} took {error} and was given up.") from None
    except OSError as error:
        raise ModelUnavailable(f"{out} cannot be written: {error.strerror or error}.") from None
    notes = [located.caveat.sentence] if located.caveat else []
    notes += _left_out(result.pop("unreadable"), "unreadable")
    notes += _left_out(result.pop("repeated"), "copies")
    if task.fine_tune and not result["tuned"]:
        notes.append("Training the top layers did not help, so they are as they were.")
    return TrainReport(out=task.out, labels=len(task.labels), notes=tuple(notes), **result)


def _folders(files: Sequence[Sequence[str]]) -> set[Path]:
    """Return the folders that the files really lie in, wherever links lead."""
    return {Path(file).resolve().parent for own in files for file in own}


def _left_out(files: Sequence[str], what: str) -> list[str]:
    """Return a sentence on files that were left out, if there are any."""
    if not files:
        return []
    named = ", ".join(file if file.isprintable() else ascii(file)[1:-1] for file in files[:NAMED])
    more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    noun = "picture was" if len(files) == 1 else "pictures were"
    return [f"{len(files)} {noun} left out ({what}): {named}{more}."]
