"""The fingerprints and perceptual hashes of pictures and of their changes, from the real worker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.finding.changes import Change, jpeg
from config.settings import Settings
from inference.models.fingerprint import unpack
from inference.results import HASH_BYTES, Classification
from inference.serving.client import Classifier

MODEL = "efficientnet_lite0"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
LONGEST = 1280
"""Pixels along the long side of a picture, as people post them."""
AT_ONCE = 24
ORIGINAL = "as it was"
SEED = 5


class Looks(NamedTuple):
    """What the worker says of n pictures: phi, float32 [n, width], hashes, uint64 [n], and which have one."""

    fingerprints: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    hashed: NDArray[np.bool_]


def pictures_in(folders: Sequence[Path]) -> list[Path]:
    """Return the pictures of folders and of all folders in them, in an order that chance has fixed.

    Raises FileNotFoundError where there are none.
    """
    files = sorted(
        file for folder in folders for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES
    )
    if not files:
        raise FileNotFoundError(f"there are no pictures in {', '.join(map(str, folders))}")
    random.Random(SEED).shuffle(files)  # noqa: S311 - no secret
    return files


async def look_at(files: Sequence[Path], changes: Mapping[str, Change]) -> dict[str, Looks]:
    """Return what the worker says of the pictures as they are (`ORIGINAL`), and after each change."""
    chance = random.Random(SEED)  # noqa: S311 - no secret
    seen: dict[str, list[Classification]] = {name: [] for name in (ORIGINAL, *changes)}
    classifier = Classifier(Settings.model_validate({"model": {"name": MODEL}}))
    turn = asyncio.Semaphore(AT_ONCE)

    async def look(data: bytes) -> Classification:
        async with turn:
            return await classifier.classify(data, features="indexed")

    try:
        await classifier.start()
        for file in files:
            picture = _opened(file)
            made = [jpeg(picture, 92), *(change(picture, chance) for change in changes.values())]
            for name, looked in zip(seen, await asyncio.gather(*map(look, made)), strict=True):
                seen[name].append(looked)
    finally:
        await classifier.close()
    return {name: _gathered(looks) for name, looks in seen.items()}


def _opened(file: Path) -> Image.Image:
    """Return a picture in RGB, on white where it is transparent, and no larger than people post it."""
    with Image.open(file) as image:
        coloured = image.convert("RGBA")
    ground = Image.new("RGBA", coloured.size, "white")
    ground.alpha_composite(coloured)
    picture = ground.convert("RGB")
    picture.thumbnail((LONGEST, LONGEST))
    return picture


def _gathered(looks: Sequence[Classification]) -> Looks:
    fingerprints = np.stack([unpack(look.fingerprint or b"") for look in looks])
    hashes = b"".join(look.perceptual_hash or bytes(HASH_BYTES) for look in looks)
    hashed = np.array([look.perceptual_hash is not None for look in looks])
    lengths = np.linalg.norm(fingerprints, axis=1, keepdims=True)
    return Looks(fingerprints / lengths, np.frombuffer(hashes, ">u8").astype(np.uint64), hashed)
