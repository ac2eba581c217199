"""The fingerprints of pictures in general, which a server's labels are told apart from.

The pictures come with Whatsit (`pictures/README.md`). What a model makes of them is computed by its own
worker when it is first needed, in some seconds, and kept in the model cache: a fingerprint belongs to one
model in one number format, so none can be shipped.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from inference.results import SCALE_BYTES, Classification, ModelInfo, ModelUnavailable

log = logging.getLogger(__name__)

PICTURES = Path(__file__).parent / "pictures"

Classify = Callable[[bytes], Awaitable[Classification]]
"""Classifies one picture, with its fingerprint: `Classifier.classify(..., features="query")`."""


class BackgroundPictures(NamedTuple):
    """The bytes of the pictures, in order of their names, and a hash over all of them."""

    pictures: tuple[bytes, ...]
    digest: str


class BackgroundBank:
    """Gives the background of a model's fingerprints, computed once and kept beneath `cache_dir`."""

    def __init__(self, cache_dir: Path, folder: Path = PICTURES) -> None:
        self._cache_dir = cache_dir
        self._folder = folder
        self._computed: dict[str, list[bytes]] = {}
        self._turn = asyncio.Lock()

    async def fingerprints(self, info: ModelInfo, classify: Classify) -> Sequence[bytes]:
        """Return the packed fingerprints of all pictures, by the model `info` that answers `classify`.

        Raises ModelUnavailable where the model gives no fingerprints, and what `classify` raises. After an
        error, the next call goes on where this one stopped.
        """
        kind = info.fingerprints
        if kind is None:
            raise ModelUnavailable(
                f"The model {info.name} cannot be taught: it has no layer of features under its last one."
            )
        async with self._turn:
            bank = await asyncio.to_thread(_read_pictures, self._folder)
            file = self._cache_dir / "background" / f"{kind}-{bank.digest[:16]}"
            size = SCALE_BYTES + info.features
            kept = await asyncio.to_thread(_read, file, len(bank.pictures) * size)
            if kept is None:
                kept = b"".join(await self._compute(kind, bank, classify))
                await asyncio.to_thread(_write, file, kept)
        return [kept[start : start + size] for start in range(0, len(kept), size)]

    async def _compute(self, kind: str, bank: BackgroundPictures, classify: Classify) -> list[bytes]:
        log.info("Computing the background of %d pictures for what servers teach.", len(bank.pictures))
        computed = self._computed.setdefault(kind, [])
        for picture in bank.pictures[len(computed) :]:
            found = await classify(picture)
            if found.fingerprint is None or found.fingerprint_kind != kind:
                raise ModelUnavailable("A picture got no fingerprint, or one of another model.")
            computed.append(found.fingerprint)
        return self._computed.pop(kind)


def _read_pictures(folder: Path) -> BackgroundPictures:
    pictures = tuple(path.read_bytes() for path in sorted(folder.glob("*/*.webp")))
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(hashlib.sha256(picture).digest())
    return BackgroundPictures(pictures, digest.hexdigest())


def _read(file: Path, size: int) -> bytes | None:
    """Return what was kept; None where it is not there, or not whole."""
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("The background that was kept cannot be read, so it is computed again: %s", error)
        return None
    return kept if len(kept) == size else None


def _write(file: Path, kept: bytes) -> None:
    whole = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(kept)
        whole.replace(file)
    except OSError as error:
        log.warning(
            "The background could not be kept, so it is computed again at the next start: %s. Set "
            "model.cache_dir to a folder of your own.",
            error,
        )
