"""Memory that pictures needed comes back when they are done."""

from __future__ import annotations

import asyncio
import io
import sys

import psutil
import pytest
from PIL import Image

from tests.inference.fakes import running

MiB = 1 << 20


def large_picture(number: int) -> bytes:
    """A picture so large that one such is decoded at a time; the decoder needs some 150 MiB."""
    file = io.BytesIO()
    Image.new("RGB", (7000, 5000 + number), "teal").save(file, "WEBP", quality=0, method=0)
    return file.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator that is told so is glibc's")
async def test_large_pictures_on_many_threads_leave_the_worker_little_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    pictures = [large_picture(number) for number in range(5)]
    async with running() as classifier:
        assert classifier.worker_pid
        worker = psutil.Process(classifier.worker_pid)
        before = worker.memory_info().rss
        await asyncio.gather(*(classifier.classify(data) for data in pictures))
        assert classifier.worker_pid == worker.pid
        assert worker.memory_info().rss - before < 100 * MiB
