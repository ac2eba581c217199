"""SHA-256, on the loop for a few small pictures and else on a thread."""

from __future__ import annotations

import asyncio
import hashlib
import threading

import pytest

from inference.serving.image_hash import ImageHasher


async def test_small_and_large_pictures_and_crowds_have_the_same_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_threads: list[bytes] = []
    sha256 = hashlib.sha256
    small = sha256(b"small").digest()

    def counted(data: bytes) -> object:
        if threading.current_thread() is not threading.main_thread():
            on_threads.append(data)
        return sha256(data)

    monkeypatch.setattr(hashlib, "sha256", counted)
    hasher = ImageHasher()
    assert await hasher.digest(b"small") == small
    assert on_threads == []
    crowd = [bytes([n]) * 100_000 for n in range(50)] + [bytes(3_000_000)]
    assert await asyncio.gather(*(hasher.digest(one) for one in crowd)) == [
        sha256(one).digest() for one in crowd
    ]
    assert len(on_threads) == 49  # two of them fitted into that turn of the loop
    await asyncio.sleep(0)
    assert await hasher.digest(b"small") == small
    assert len(on_threads) == 49
