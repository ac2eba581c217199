"""From a class's index to its label."""

from __future__ import annotations

from pathlib import Path

from config import settings
from inference.results import ModelUnavailable

FOLDER = Path(settings.__file__).with_name("labels")

IMAGENET = {1000: "imagenet_1000.txt", 1001: "imagenet_1001.txt"}
"""Label files by number of classes; with 1001 the first is `background`."""


BESIDE_MODEL = Path("assets", "labels.txt")
"""Where a SavedModel carries its own labels, within its folder."""


def labels_for(model: str, classes: int, file: Path | None, *, folder: Path | None = None) -> tuple[str, ...]:
    """Return one label for each of the model's `classes`, in order.

    They come from `file` (UTF-8, one label a line), or without one from the model's own `folder`, or where
    that has none from ImageNet, if their number fits. Raises ModelUnavailable.
    """
    if file is None and folder is not None and (folder / BESIDE_MODEL).is_file():
        file = folder / BESIDE_MODEL
    if file is None:
        if classes not in IMAGENET:
            raise ModelUnavailable(
                f"The model {model} has {classes} classes, and Whatsit knows labels only for the 1000 or "
                "1001 of ImageNet: set model.labels to a file with one label a line."
            )
        file = FOLDER / IMAGENET[classes]
    labels = _read(model, file)
    if len(labels) != classes:
        raise ModelUnavailable(
            f"The labels do not fit: the model {model} has {classes} classes, and {file} has {len(labels)} "
            "labels. Set model.labels to the file that belongs to this model, one label a line."
        )
    return labels


def _read(model: str, file: Path) -> tuple[str, ...]:
    try:
        # utf-8-sig also takes the mark that Windows editors put first.
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelUnavailable(
            f"The labels of the model {model} cannot be read: {file}: {error.strerror}. Check model.labels."
        ) from None
    except UnicodeDecodeError:
        raise ModelUnavailable(
            f"The labels of the model {model} cannot be read: {file} is not UTF-8 text. Save it as UTF-8, "
            "one label a line."
        ) from None
    labels = tuple(line.strip() for line in text.rstrip().split("\n"))
    if "" in labels:
        raise ModelUnavailable(
            f"The labels of the model {model} cannot be used: line {labels.index('') + 1} of {file} is empty."
        )
    return labels
