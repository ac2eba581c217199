"""A downloaded model stays the one that it was: its SHA-256 is kept at its first use, and compared later."""

from __future__ import annotations

import hashlib
from pathlib import Path

from inference.results import ModelUnavailable


def check(name: str, handle: str, folder: Path, digest: str, cache_dir: Path, *, pinned: str | None) -> None:
    """Raise ModelUnavailable unless `digest`, the content hash of `folder`, is the one expected of `handle`.

    That is `pinned`, or where it is None the one of the first use, kept beneath `cache_dir`.
    """
    file = cache_dir / "first-use" / hashlib.sha256(handle.encode()).hexdigest()
    try:
        if pinned is None and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{digest} {handle}\n", encoding="utf-8")
        expected = pinned or file.read_text(encoding="utf-8").partition(" ")[0]
    except OSError as error:
        raise ModelUnavailable(
            f"Whether the model {name} is still the one that it was cannot be told, because {file} cannot be "
            f"used: {error.strerror}. Set model.cache_dir to a folder of your own."
        ) from None
    if digest != expected:
        kept = "config/models.toml names" if pinned else f"{file} has kept since its first use"
        raise ModelUnavailable(
            f"The model {name} in {folder} is not the one whose SHA-256 {kept}: it has {digest}, and "
            f"{expected} is expected. Remove that folder to download the model again"
            + ("." if pinned else "; if you know why it changed, remove that file too.")
        )
