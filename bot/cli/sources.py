"""What `whatsit classify` was asked to look at: files, folders, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STDIN = "-"
EXTENSIONS = (
    *(".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif"),
    *(".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
)
"""What tells a picture among the files of a folder. A file that is named itself may be called anything."""


class Unreadable(Exception):
    """A source whose bytes cannot be had; `code` is its stable, machine-readable name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: OSError) -> Unreadable:
        """Return the operating system's error as one of `not_found`, `permission_denied`, `unreadable`."""
        match error:
            case FileNotFoundError():
                return cls("not_found", "There is no such file.")
            case PermissionError():
                return cls("permission_denied", "This file may not be read by you.")
        return cls("unreadable", f"Cannot be read: {error.strerror or error}.")


@dataclass(frozen=True)
class Source:
    """One picture to read, or (`fault`) one that cannot be."""

    name: str
    fault: Unreadable | None = None

    def size(self) -> int:
        """Return its size in bytes, 0 for what has none (a pipe). Raises `Unreadable`."""
        if self.fault is not None:
            raise self.fault
        try:
            return 0 if self.name == STDIN else Path(self.name).stat().st_size
        except OSError as error:
            raise Unreadable.of(error) from error

    def read(self, most: int) -> bytes:
        """Read at most `most` bytes of it. Blocks; raises `Unreadable`."""
        if self.fault is not None:
            raise self.fault
        try:
            if self.name == STDIN:
                return _read(sys.stdin.buffer, most)
            with Path(self.name).open("rb") as file:
                return _read(file, most)
        except OSError as error:
            raise Unreadable.of(error) from error


def sources_of(names: list[str]) -> Iterator[Source]:
    """Yield the sources that `names` stand for, in order; a folder stands for all pictures below it."""
    for name in names:
        if name != STDIN and Path(name).is_dir():
            yield from _walk(name)
        else:
            yield Source(name)


def _walk(folder: str) -> Iterator[Source]:
    """Yield the pictures below `folder`, in the order of their names, without hidden files and folders."""
    faults: list[OSError] = []
    empty = True
    for parent, folders, files in os.walk(folder, onerror=faults.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS:
                empty = False
                yield Source(os.path.join(parent, name))  # noqa: PTH118  # keeps "./" as it was typed
    for fault in faults:
        yield Source(str(fault.filename), Unreadable.of(fault))
    if empty and not faults:
        yield Source(folder, Unreadable("no_images", "There are no pictures in this folder."))


def _read(file: IO[bytes], most: int) -> bytes:
    """Read until the end or `most` bytes; a pipe gives at once only what it has."""
    chunks: list[bytes] = []
    while most and (chunk := file.read(most)):
        chunks.append(chunk)
        most -= len(chunk)
    return b"".join(chunks)
