"""The folders in the cache: SavedModels, and what is made from them.

A folder is whole or not there. It is put in place in one step, so that no other process ever sees half of
one, and its hash lies beside it, so that damage shows.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from filelock import FileLock, Timeout

from inference.models import child_process
from inference.models.child_process import Report
from inference.results import ModelUnavailable

CONTENT = "model"
"""The folder inside of a place that holds what was put there."""

HASH = "sha256"

LOCK_SECONDS = 240.0
"""Longer than another process takes to build or convert a model, also on a slow machine."""


def is_saved_model(folder: Path) -> bool:
    """Tell whether `folder` looks like a SavedModel."""
    return any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))


def content_hash(folder: Path) -> str:
    """Return the SHA-256, in hex, over the names and bytes of all files in `folder`."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{digest}\0".encode())
    return total.hexdigest()


@contextmanager
def locked(path: Path, *, name: str) -> Iterator[None]:
    """Hold the lock `path`.lock, which the system frees when this process dies.

    Raises ModelUnavailable, which names the model as `name`, where another process holds it for too long.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise ModelUnavailable(
            f"Another process has been getting {name} ready for over {LOCK_SECONDS:.0f} s. End it, and try "
            "again."
        ) from None


def intact(place: Path) -> Path | None:
    """Return the folder that `install` put into `place`, None where it is missing or damaged."""
    folder = place / CONTENT
    try:
        expected = (place / HASH).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return folder if content_hash(folder) == expected else None


def install(place: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` make and fill a new folder, put it into `place` with its hash, and return it.

    Call it inside `locked(place)`, because what killed processes left behind is cleared away.
    """
    for left in place.parent.glob(f"{place.name}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(mkdtemp(".tmp", f"{place.name}.", place.parent))
    try:
        folder = temporary / CONTENT
        fill(folder)
        (temporary / HASH).write_text(content_hash(folder), encoding="ascii")
        temporary.chmod(0o755)
        if place.exists():
            shutil.rmtree(place)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place / CONTENT


@contextmanager
def building(what: str, place: Path) -> Iterator[None]:
    """Hold `place` while a child process makes `what` (such as "the model x") for it.

    Raises ModelUnavailable for a job that fails or takes too long, and where nothing can be written.
    """
    subject = what[0].upper() + what[1:]
    try:
        with locked(place, name=what):
            yield
    except child_process.ChildJobFailed as error:
        raise ModelUnavailable(f"{subject} could not be built: {error}.") from None
    except child_process.ChildJobTimedOut as error:
        raise ModelUnavailable(
            f"Building {what} took {error} and was given up. Try again when the machine has less to do."
        ) from None
    except OSError as error:
        raise ModelUnavailable(
            f"{subject} cannot be written to {place.parent}: {error.strerror or error}. Free some space "
            "there, or set model.cache_dir to another folder."
        ) from None


def ensure_built(
    place: Path,
    what: str,
    job: str,
    arguments: Mapping[str, Any],
    *,
    source: Path,
    deadline: float,
    report: Report,
) -> Path:
    """Return the folder in `place`, made first by the child job `job` where it is missing or damaged.

    The job gets `arguments` and the path of the new `folder`, may read beneath `source`, and may work for
    `deadline` seconds. Several processes may ask at once. Raises ModelUnavailable.
    """
    if folder := intact(place):
        return folder
    report(f"getting {what} ready, once", 0.0)

    def fill(folder: Path) -> None:
        child_process.run(
            job,
            {**arguments, "folder": str(folder)},
            deadline=deadline,
            report=report,
            read=[source],
            write=[folder.parent],
        )

    with building(what, place):
        return intact(place) or install(place, fill)
