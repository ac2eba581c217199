"""A keyed hash, on the loop for a few small pictures and else on a thread."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading

import pytest

from inference.serving.image_hash import ImageHasher


async def test_small_and_large_pictures_and_crowds_have_the_same_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_threads: list[bytes] = []
    keyed = hmac.digest

    def counted(key: bytes, data: bytes, name: str) -> bytes:
        if threading.current_thread() is not threading.main_thread():
            on_threads.append(data)
        return keyed(key, data, name)

    monkeypatch.setattr(hmac, "digest", counted)
    hasher = ImageHasher()

    def expected(data: bytes) -> bytes:
        return keyed(hasher._key, data, "sha256")

    small = expected(b"small")
    assert await hasher.digest(b"small") == small
    assert on_threads == []
    crowd = [bytes([n]) * 100_000 for n in range(50)] + [bytes(3_000_000)]
    assert await asyncio.gather(*(hasher.digest(one) for one in crowd)) == [expected(one) for one in crowd]
    assert len(on_threads) == 49  # two of them fitted into that turn of the loop
    await asyncio.sleep(0)
    assert await hasher.digest(b"small") == small
    assert len(on_threads) == 49


async def test_who_has_the_picture_cannot_tell_its_hash_and_no_two_starts_agree_on_it() -> None:
    first, second = ImageHasher(), ImageHasher()
    hashes = {await first.digest(b"picture"), await second.digest(b"picture")}
    plain = {hashlib.new(name, b"picture").digest()[:32] for name in ("sha256", "blake2b", "sha512")}
    assert len(hashes) == 2
    assert hashes.isdisjoint(plain)
