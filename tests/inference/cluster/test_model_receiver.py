"""Models that are pushed to a machine over HTTP, as `whatsit models push` does it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from config.listen_address import ListenAddress
from config.settings import ConfigError, Model
from inference.cluster.model_push import PushFailed, push
from inference.cluster.model_receiver import ModelReceiver
from inference.models import prepared
from tests.inference.cluster.nodes import free_port
from tests.inference.models.test_prepared import FILES, packed

SECRET = "the secret of a test"  # noqa: S105 - of nothing


async def push_file(content: bytes, folder: Path, url: str, *, secret: str | None = SECRET) -> str:
    """Push it as the command does, and return its SHA-256."""
    file = folder / "made"
    file.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with file.open("rb") as stream:
        await asyncio.to_thread(push, stream, digest, url, secret)
    return digest


async def test_a_pushed_model_is_there_for_the_next_start(tmp_path: Path) -> None:
    address = ListenAddress("127.0.0.1", free_port())
    receiver = ModelReceiver(tmp_path / "cache", SECRET)
    async with receiver.listening("ray.models_listen", address):
        digest = await push_file(packed(FILES), tmp_path, f"http://{address}")
    assert prepared.current(Model(name="mine", cache_dir=tmp_path / "cache")) == digest


@pytest.mark.parametrize("secret", [None, "another secret of a test"])
async def test_nobody_pushes_without_the_secret(secret: str | None, tmp_path: Path) -> None:
    address = ListenAddress("127.0.0.1", free_port())
    async with ModelReceiver(tmp_path / "cache", SECRET).listening("ray.models_listen", address):
        with pytest.raises(PushFailed, match=r"401.*cluster\.secret_file"):
            await push_file(packed(FILES), tmp_path, f"http://{address}", secret=secret)
    assert prepared.current(Model(name="mine", cache_dir=tmp_path / "cache")) is None


async def test_what_is_no_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    address = ListenAddress("127.0.0.1", free_port())
    async with ModelReceiver(tmp_path / "cache", SECRET).listening("ray.models_listen", address):
        with pytest.raises(PushFailed, match="no prepared model"):
            await push_file(b"something else", tmp_path, f"http://{address}")


async def test_a_machine_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(PushFailed, match=f"{url} did not take the model"):
        await push_file(packed(FILES), tmp_path, url)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    address = ListenAddress("127.0.0.1", free_port())
    receiver = ModelReceiver(tmp_path, SECRET)
    async with receiver.listening("ray.models_listen", address):
        with pytest.raises(ConfigError, match=f"ray.models_listen is {address}"):
            async with receiver.listening("ray.models_listen", address):
                pass
