"""A session of the benchmark in which Whatsit has a model that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from config.settings import Model
from inference.bench.pictures import draw_originals
from inference.bench.session import BenchSession


def one_original() -> list[Image.Image]:
    return draw_originals()[:1]


def grey_session(
    folder: Path, *, originals: Callable[[], list[Image.Image]] = one_original, **options: Any
) -> BenchSession:
    return BenchSession(
        folder,
        Model(),
        report=lambda _: None,
        originals=originals,
        load="tests.inference.bench.fakes:load",
        **options,
    )
