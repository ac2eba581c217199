"""Folders of pictures as fingerprints, made by the classifier that the bot uses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models.fingerprint import unpack
from inference.results import InferenceError
from inference.serving.client import Classifier

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}
MOST_OF_A_LABEL = 60
MOST_STRANGERS = 1000
AHEAD = 8
"""Pictures that are with the classifier at once."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TaughtKind:
    """Pictures of one kind: `labels`, int64 [n], and the fingerprints of each picture as an example and as a
    question, float32 [n, width]."""

    name: str
    labels: NDArray[np.int64]
    examples: Vectors
    questions: Vectors


@dataclass(frozen=True, slots=True)
class Strangers:
    """Fingerprints, as questions, of pictures that were never taught: float32 [n, width]."""

    name: str
    questions: Vectors


async def load_kind(classifier: Classifier, folder: Path) -> TaughtKind:
    """Look at a folder that has a folder for each label. Raises ValueError where it has not two."""
    found = [(label, file) for label, files in enumerate(_labels(folder)) for file in files]
    if len({label for label, _ in found}) < 2:  # noqa: PLR2004 - one label is no choice
        raise ValueError(f"{folder} has to have a folder of pictures for each of two labels or more")
    looked = await _fingerprints(classifier, [file for _, file in found], ("example", "query"))
    whole = [(label, pair) for (label, _), pair in zip(found, looked, strict=True) if pair]
    return TaughtKind(
        folder.name,
        np.array([label for label, _ in whole]),
        np.stack([pair[0] for _, pair in whole]),
        np.stack([pair[1] for _, pair in whole]),
    )


async def load_strangers(classifier: Classifier, folder: Path) -> Strangers:
    """Look at every picture in a folder. Raises ValueError where there is none."""
    looked = await _fingerprints(classifier, list(_files(folder))[:MOST_STRANGERS], ("query",))
    if not any(looked):
        raise ValueError(f"{folder} has no pictures")
    return Strangers(folder.name, np.stack([each[0] for each in looked if each]))


def _labels(folder: Path) -> Iterator[list[Path]]:
    for label in sorted(path for path in folder.iterdir() if path.is_dir()):
        if files := list(_files(label))[:MOST_OF_A_LABEL]:
            yield files


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


async def _fingerprints(
    classifier: Classifier, files: Sequence[Path], wanted: Sequence[str]
) -> list[list[Vectors]]:
    """Return the fingerprints of each picture; none of one that cannot be read, which is said."""
    room = asyncio.Semaphore(AHEAD)

    async def look(file: Path) -> list[Vectors]:
        async with room:
            data = await asyncio.to_thread(file.read_bytes)
            try:
                looks = [await classifier.classify(data, features=each) for each in wanted]  # type: ignore[arg-type]
            except InferenceError as error:
                print(f"{file} is left out: {error}", file=sys.stderr)
                return []
        return [unpack(look.fingerprint) for look in looks if look.fingerprint]

    return list(await asyncio.gather(*(look(file) for file in files)))
