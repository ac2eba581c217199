"""The image of the Dockerfile answers a picture: `python -m tests.deployment.image`, as root on Debian.

It is built by `build_image.sh`, and its root file system is entered as a container's engine would enter it:
as its own user, without capabilities, read-only. The bot in it finds the wire stub in Discord's place. What
is measured is printed; the exit status is 0 if everything was as it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

import matplotlib as mpl

from tests.wire.wire import Wire

HERE = Path(__file__).parent
PHOTOGRAPH = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
LABEL = "military uniform"
HEALTH = "http://127.0.0.1:9464/healthz"
PATIENCE = 300.0
"""Seconds for a first start, which makes the model."""
NO_DEVELOPERS_TOOLS = (
    "from importlib.util import find_spec as find; import sys;"
    "sys.exit(any(map(find, ('pip', 'pytest', 'mypy', 'nncf', 'simcord', 'skimage', 'tests', 'benchmarks'))))"
)


@dataclass(frozen=True)
class Image:
    """A root file system, and what its Dockerfile says of how it is run."""

    root: Path
    config: dict[str, Any]
    volumes: Path
    """The folder of its volumes, each under its own name."""

    @classmethod
    def unpacked(cls, folder: Path) -> Self:
        """Read what `build_image.sh` has left in a folder, and make the volumes as Docker makes new ones."""
        config = json.loads((folder / "image.json").read_text(encoding="utf-8"))["Docker"]["config"]
        image = cls(folder / "root", config, folder / "volumes")
        for name in config["Volumes"]:
            model = image.root / name.lstrip("/")
            volume = image.volumes / name.lstrip("/")
            volume.mkdir(parents=True, exist_ok=True)
            status = model.stat()
            os.chown(volume, status.st_uid, status.st_gid)
            volume.chmod(status.st_mode & 0o777)
        return image

    def command(self, *command: str, variables: dict[str, str] | None = None) -> list[str]:
        """Return what runs a command in it, by default its own one."""
        env = [*self.config["Env"], *(f"{name}={value}" for name, value in (variables or {}).items())]
        own = [*self.config["Entrypoint"], *self.config["Cmd"]]
        enter = ["unshare", "--mount", str(HERE / "enter_root.sh")]
        return [*enter, str(self.root), self.config["User"], str(self.volumes), *env, *(command or own)]

    def succeeds(self, *command: str) -> bool:
        """Run a command in it, and return whether its exit status was 0."""
        return subprocess.run(self.command(*command), check=False, stderr=subprocess.DEVNULL).returncode == 0

    def is_healthy(self) -> bool:
        """Run its health check."""
        kind, *command = self.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.succeeds(*command)

    @property
    def size(self) -> int:
        """Bytes on disk, each file once."""
        out = subprocess.run(["du", "-s", "--block-size=1", self.root], check=True, capture_output=True)
        return int(out.stdout.split()[0])


def main() -> int:
    """Build the image where no folder with one is given, and try it."""
    parser = argparse.ArgumentParser(prog="python -m tests.deployment.image")
    parser.add_argument("--folder", type=Path, help="an image that `build_image.sh` has left there")
    folder = parser.parse_args().folder
    if folder is not None:
        return asyncio.run(_try(Image.unpacked(folder)))
    with tempfile.TemporaryDirectory(prefix="whatsit-image-") as made:
        started = time.perf_counter()
        subprocess.run([HERE / "build_image.sh", made], check=True)
        print(f"built in {time.perf_counter() - started:.0f} s")
        return asyncio.run(_try(Image.unpacked(Path(made))))


async def _try(image: Image) -> int:
    print(f"root file system: {image.size / 1e9:.2f} GB")
    assert image.config["User"].split(":")[0] not in ("", "0", "root")
    assert image.succeeds("python", "-c", NO_DEVELOPERS_TOOLS)
    assert not image.succeeds("touch", "/opt/whatsit/new")
    assert image.succeeds("touch", "/data/new", "/cache/new", "/tmp/new")  # noqa: S108 - of the image
    assert not image.is_healthy()
    async with Wire(strict=True) as wire:
        for start in ("first start, which makes the model", "second start"):
            await _start_and_stop(image, wire, start)
    return 0


async def _start_and_stop(image: Image, wire: Wire, title: str) -> None:
    variables = {
        "DISCORD_TOKEN": wire.world.token,
        "WHATSIT_DISCORD__API_URL": wire.api_url,
        "WHATSIT_DISCORD__GATEWAY_URL": wire.gateway_url,
        "WHATSIT_MODEL__NAME": "efficientnet_lite0",  # the one that needs no download
    }
    started = time.perf_counter()
    bot = await asyncio.create_subprocess_exec(*image.command(variables=variables), stdin=subprocess.DEVNULL)
    ended = asyncio.create_task(bot.wait())
    ended.add_done_callback(lambda _: wire.world.changed())
    before = len(wire.world.answers())
    try:
        await asyncio.to_thread(_wait_until_served)
        healthy = time.perf_counter() - started
        await wire.world.until(lambda: wire.gateway.ready or ended.done(), patience=PATIENCE)
        assert not ended.done(), f"the bot ended with {bot.returncode}"
        ready = time.perf_counter() - started
        posted = time.perf_counter()
        await wire.post(("photograph.jpg", PHOTOGRAPH.read_bytes() + str(before).encode()))
        await wire.world.until(lambda: len(wire.world.answers()) > before or ended.done(), patience=PATIENCE)
        assert not ended.done(), f"the bot ended with {bot.returncode}"
        answered = time.perf_counter() - posted
        assert LABEL in str(wire.world.answers()[-1])
        assert await asyncio.to_thread(image.is_healthy)
        assert await asyncio.to_thread(_has_read_only_root, bot.pid)
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(ended, 20) == 0
    finally:
        if not ended.done():
            bot.kill()
        await ended
    print(
        f"{title}: /healthz after {healthy:.1f} s, on the gateway after {ready:.1f} s, a picture answered "
        f"{answered:.1f} s after it was posted, stopped in good order"
    )


def _wait_until_served() -> None:
    """Return when the bot answers at all; raises OSError if it still does not after a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(HEALTH, timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _has_read_only_root(pid: int) -> bool:
    lines = Path(f"/proc/{pid}/mountinfo").read_text(encoding="ascii").splitlines()
    options = [line.split()[5].split(",") for line in lines if line.split()[4] == "/"]
    return bool(options) and "ro" in options[-1]


if __name__ == "__main__":
    sys.exit(main())
