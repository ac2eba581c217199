"""Images with bytes of their own, and so many of them in flight."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from inference.bench.measuring import drive, stamp, unique
from inference.bench.pictures import FORMATS, SMALL, PictureKind, make
from tests.inference.bench.sessions import one_original


@pytest.mark.parametrize("form", FORMATS)
def test_every_image_has_bytes_of_its_own_and_the_same_pixels(form: str, tmp_path: Path) -> None:
    files = make(PictureKind(form, 0.3), tmp_path, one_original())  # type: ignore[arg-type] # one of FORMATS
    bases = [file.read_bytes() for file in files]
    images = list(unique(bases, 5, 30))
    assert len(set(images)) == 30
    for number, image in enumerate(images, start=5):
        assert _pixels(image) == _pixels(bases[number % len(bases)])


def test_ten_thousand_images_are_ten_thousand(tmp_path: Path) -> None:
    bases = [file.read_bytes() for file in make(SMALL, tmp_path, one_original())]
    assert len({hash(image) for image in unique(bases, 0, 10_000)}) == 10_000


def test_bytes_that_the_benchmark_did_not_make_cannot_be_numbered() -> None:
    with pytest.raises(ValueError, match="no place for its number"):
        stamp(b"GIF89a", 1)


async def test_no_more_than_so_many_are_in_flight_and_all_are_answered() -> None:
    now, most, seen = 0, 0, []

    async def answer(data: bytes) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        seen.append(data)
        await asyncio.sleep(0)
        now -= 1

    latencies = await drive(answer, iter([b"%d" % number for number in range(20)]), 4)
    assert (most, now, len(latencies)) == (4, 0, 20)
    assert len(set(seen)) == 20


async def test_one_failure_spoils_the_measurement() -> None:
    async def answer(data: bytes) -> None:
        await asyncio.sleep(0)
        if data == b"3":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await drive(answer, iter([b"%d" % number for number in range(20)]), 4)


def _pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()
