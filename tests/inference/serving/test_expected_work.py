"""What an image is expected to take is read from its header, before the worker sees it."""

from __future__ import annotations

import threading

import pytest
from PIL import Image

from config.settings import Limits
from inference.results import InferenceError
from inference.serving import expected_work as module
from inference.serving.expected_work import ExpectedWork, expected_work
from tests.inference.hostile import encoded, png


async def test_a_large_picture_is_expected_to_take_more() -> None:
    small = await expected_work(encoded(Image.new("RGB", (640, 480)), "JPEG"), Limits(), 224)
    large = await expected_work(png(6000, 6000), Limits(), 224)
    assert small.core_seconds < 0.01
    assert not small.is_large
    assert large.core_seconds > 1
    assert large.pixels == 36_000_000
    assert large.is_large


@pytest.mark.parametrize("data", [b"no picture", png(60_000, 60_000)])
async def test_what_the_worker_will_refuse_takes_little(data: bytes) -> None:
    assert await expected_work(data, Limits(), 224) == ExpectedWork()


async def test_headers_of_large_files_are_read_on_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def header(*_: object, **__: object) -> object:
        threads.append(threading.current_thread())
        raise InferenceError("not read here")

    monkeypatch.setattr(module, "header", header)
    await expected_work(bytes(module.INLINE_BYTES), Limits(), 224)
    await expected_work(bytes(module.INLINE_BYTES + 1), Limits(), 224)
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()
