"""A folder of pictures with a folder for each class, as `whatsit train` and `whatsit evaluate` take it."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from bot.cli.sources import EXTENSIONS
from bot.cli.terminal import safe

PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})
"""What the parts of a set are usually called, inside of which the classes are."""


class BadFolder(Exception):
    """The folder cannot be used; the message is one sentence that names it and says what to do."""


@dataclass(frozen=True)
class LabelledFolder:
    """The classes that were found, in the order of their names.

    `labels` are the names of their folders, with spaces for underscores, and `pictures` the files of each.
    """

    path: Path
    labels: tuple[str, ...]
    pictures: tuple[tuple[Path, ...], ...]


def labelled_folder(path: Path, *, least_classes: int = 1) -> LabelledFolder:
    """Find the classes in the folder `path`, and all pictures below each. Blocks. Raises BadFolder.

    A picture is told by the end of its name; hidden files and folders are left out.
    """
    shown = safe(str(path))
    if not path.is_dir():
        raise BadFolder(
            f"{shown} is a file: it has to be a folder, with a folder of pictures for each class."
            if path.exists()
            else f"There is no folder {shown}."
        )
    try:
        folders = sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        raise BadFolder(f"The folder {shown} cannot be read: {error.strerror}.") from error
    names = [safe(folder.name) for folder in folders]
    if not folders:
        raise BadFolder(
            f"There are no folders in {shown}: put the pictures of each class into one, and give it the "
            "name of the class."
        )
    if {name.lower() for name in names} <= PARTS:
        raise BadFolder(
            f"{shown} has {' and '.join(names)} in it, which look like parts of a set and not like classes: "
            "name one of these folders."
        )
    if len(folders) < least_classes:
        raise BadFolder(
            f"There is only one class in {shown}, {names[0]}, and nothing to tell it from: add a second "
            "folder, if need be one of all sorts of other pictures."
        )
    labels = [_label(folder, shown) for folder in folders]
    for label, name, folder in zip(labels, names, folders, strict=True):
        first = folders[labels.index(label)]
        if first != folder:
            raise BadFolder(
                f"The folders {safe(first.name)} and {name} in {shown} have the same label, {label}: join "
                "the two, or rename one."
            )
    pictures = tuple(_pictures(folder) for folder in folders)
    for name, found in zip(names, pictures, strict=True):
        if not found:
            raise BadFolder(f"The class {name} in {shown} has no pictures: add some, or remove its folder.")
    return LabelledFolder(path, tuple(labels), pictures)


def spoken(label: str) -> str:
    """Return a label in the form in which two are compared: as written alike, in any case."""
    return unicodedata.normalize("NFC", label).replace("_", " ").strip().casefold()


def _label(folder: Path, shown: str) -> str:
    label = unicodedata.normalize("NFC", folder.name).replace("_", " ").strip()
    if not label or not label.isprintable():
        raise BadFolder(
            f"The folder {safe(folder.name)!r} in {shown} cannot be a label: rename it to a word that can be "
            "printed on one line."
        )
    return label


def _pictures(folder: Path) -> tuple[Path, ...]:
    faults: list[OSError] = []
    found = []
    for parent, folders, files in os.walk(folder, onerror=faults.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in sorted(files)
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS
        ]
    if faults:
        raise BadFolder(f"The folder {safe(str(faults[0].filename))} cannot be read: {faults[0].strerror}.")
    return tuple(found)
