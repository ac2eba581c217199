"""Follow `docs/operations.md` word for word: `python -m tests.deployment.operations`, as root on Debian.

A new Debian is made and booted with its own systemd, and what the page says is done in it, so the unit's
hardening is in force. In place of Discord there is the wire stub. Where the page says that the bot runs, a
picture is posted, and has to be answered. Needs Debian's `git`, `mmdebstrap` and `systemd-container`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import matplotlib as mpl

from inference.sandbox import landlock
from tests.deployment import debian
from tests.deployment.debian import CommandFailed, Debian
from tests.deployment.guide import ANSWERS, PAGE, TOKEN_IS_RESET, Step, steps
from tests.wire.gateway import Session
from tests.wire.wire import Wire

PHOTOGRAPH = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
LABEL = "military uniform"
REPOSITORY = "/srv/whatsit.git"
DROP_IN = "/etc/systemd/system/whatsit.service.d/stub.conf"
UPGRADE = "Upgrade"
"""The section before which there is something new to pull."""
PATIENCE = 300.0
"""Seconds for a first start, which makes the model."""


@dataclass
class Follower:
    """Somebody who does what the page says, and watches whether the bot does what it promises."""

    debian: Debian
    wire: Wire
    repository: Path
    answered: int = 0

    async def follow(self, step: Step) -> None:
        """Do one step. Raises `CommandFailed`, or AssertionError where the bot does not answer."""
        if TOKEN_IS_RESET in step.notes:
            self.wire.world.token = "wire.second.token"  # noqa: S105 - of no account anywhere
            await self.wire.gateway.end_sessions()
        if step.section == UPGRADE:
            await asyncio.to_thread(_commit, self.repository)
        before = list(self.wire.gateway.sessions)
        await asyncio.to_thread(
            self.debian.run,
            step.commands,
            typed=f"{self.wire.world.token}\n",
            variables={"REPOSITORY": REPOSITORY},
        )
        if ANSWERS in step.notes:
            await self._see_it_answer(before)

    async def _see_it_answer(self, before: list[Session]) -> None:
        world, gateway = self.wire.world, self.wire.gateway
        try:
            await world.until(
                lambda: any(session not in before for session in gateway.ready), patience=PATIENCE
            )
            self.answered += 1
            await self.wire.post(("photograph.jpg", PHOTOGRAPH.read_bytes() + bytes([self.answered])))
            await world.until(lambda: len(world.answers()) == self.answered, patience=PATIENCE)
        except AssertionError:
            raise CommandFailed(
                self.debian.output("systemctl status whatsit; journalctl -u whatsit")
            ) from None
        assert LABEL in str(world.answers()[-1])
        said = await asyncio.to_thread(self.debian.output, "journalctl --unit whatsit --lines 30")
        assert f"The worker is held by Landlock (ABI {landlock.abi()}) and a seccomp filter." in said, said


def main() -> int:
    """Return 0 if the whole page could be followed."""
    parser = argparse.ArgumentParser(prog="python -m tests.deployment.operations")
    parser.add_argument(
        "--root", type=Path, help="a new Debian to work in, which is changed (default: one is made)"
    )
    given = parser.parse_args().root
    missing = [tool for tool in ("git", "mmdebstrap", "nsenter", "systemd-nspawn") if which(tool) is None]
    if missing or os.geteuid() != 0:
        print(f"Needs root, and programs that are missing here: {', '.join(missing) or 'none'}. All of them")
        print("come with: apt-get install git mmdebstrap systemd-container util-linux")
        return 1
    todo = [step for step in steps(PAGE.read_text(encoding="utf-8")) if step.is_followed]
    with tempfile.TemporaryDirectory(prefix="whatsit-operations-") as name:
        folder = Path(name)
        root = given or folder / "root"
        if given is None:
            with _timed("a new Debian"):
                debian.install(root)
        repository = _published(folder)
        downloads = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")
        downloads.mkdir(parents=True, exist_ok=True)
        with debian.booted(
            root,
            folder / "console.log",
            read={repository: REPOSITORY},
            write={downloads: "/root/.cache/pip"},
        ) as running:
            asyncio.run(_follow(todo, running, repository))
    return 0


async def _follow(todo: list[Step], running: Debian, repository: Path) -> None:
    async with Wire(strict=True) as wire:
        follower = Follower(running, wire, repository)
        variables = {
            "WHATSIT_DISCORD__API_URL": wire.api_url,
            "WHATSIT_DISCORD__GATEWAY_URL": wire.gateway_url,
            "WHATSIT_MODEL__NAME": "efficientnet_lite0",  # the one that needs no download
        }
        lines = "\n".join(f"Environment={key}={value}" for key, value in variables.items())
        write = f"mkdir -p {Path(DROP_IN).parent}; cat > {DROP_IN}; systemctl daemon-reload"
        running.run(write, typed=f"[Service]\n{lines}\n")
        for number, step in enumerate(todo, 1):
            with _timed(f"{number} of {len(todo)}, {step.section}"):
                await follower.follow(step)
        assert follower.answered == sum(ANSWERS in step.notes for step in todo) > 0
        left = running.output(
            "find / -xdev -name '*whatsit*' -not -path '/tmp/*' -not -path '/var/log/*'"
        ).split()
        assert set(left) <= {str(Path(DROP_IN).parent), REPOSITORY}, left


def _published(folder: Path) -> Path:
    """Make a repository to clone from, with the commit that is checked out here."""
    here, there = PAGE.parents[1], folder / "whatsit.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", here, there], check=True)
    head = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    git = ["git", "-C", str(there)]
    subprocess.run([*git, "update-ref", "refs/heads/published", head.stdout.strip()], check=True)
    subprocess.run([*git, "symbolic-ref", "HEAD", "refs/heads/published"], check=True)
    return there


def _commit(repository: Path) -> None:
    """Publish one more commit, so that there is something to upgrade to."""
    git = ["git", "-C", str(repository), "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    commit = [*git, "commit-tree", "-p", "HEAD", "-m", "Something new", "HEAD^{tree}"]
    made = subprocess.run(commit, check=True, capture_output=True, text=True)
    subprocess.run([*git, "update-ref", "HEAD", made.stdout.strip()], check=True)


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    print(f"== {what}", flush=True)
    yield
    print(f"== {what}: {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
