"""The processes of Ray on one machine: how they are started, and that none of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from config.settings import Settings
from inference.cluster.ray_nodes.environment import PLACE, PLACES_EACH
from inference.sandbox.kernel import prctl
from inference.subprocesses import module_command

PR_SET_CHILD_SUBREAPER = 36
OBJECT_STORE_BYTES = 80 * 1024 * 1024
"""The least that Ray takes. Pictures do not go through it."""
KILL_SECONDS = 10.0
TICK_SECONDS = 0.05


def adopt_orphans() -> None:
    """Become the parent of what our processes leave behind when they die, so that it can be ended too."""
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def start_ray(
    wanted: Settings, *, head: bool, environment: dict[str, str], run_dir: Path
) -> subprocess.Popen[bytes]:
    """Start Ray on this machine, as the head of a cluster or as a node that joins one; it ends if a part
    dies."""
    address = wanted.ray.head_address
    role = [f"--address={address}"]
    if head:
        role = ["--head", f"--port={address.port}", "--include-dashboard=false", "--no-monitor"]
    command = [
        *module_command("inference.cluster.ray_nodes.ray_start", "start", "--block", *role),
        f"--node-ip-address={wanted.ray.address}",
        f"--temp-dir={run_dir / 'ray'}",
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        "--num-cpus=1",  # so that one worker waits to become a replica, and not one a core
        f'--resources={{"{PLACE}": {PLACES_EACH * wanted.ray.places}}}',
        "--include-log-monitor=false",
        "--disable-usage-stats",
        "--dashboard-agent-listen-port=0",
        "--min-worker-port=0",
        "--max-worker-port=0",
    ]
    # What a head that was killed has left: a new one would take it for a head that still runs.
    (run_dir / "ray" / "ray_current_cluster").unlink(missing_ok=True)
    with (run_dir / "ray.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own words
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def reap(own: set[int]) -> None:
    """Take note of adopted processes that have ended; those in `own` are somebody else's to wait for."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, ChildProcessError):
            if child.pid not in own and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)


def end_all() -> int:
    """Kill every process below this one, and return how many would not die within `KILL_SECONDS`."""
    until = time.monotonic() + KILL_SECONDS
    while left := [each for each in _below() if each.is_running()]:
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if time.monotonic() > until:
            return len(left)
        time.sleep(TICK_SECONDS)
    return 0


def _below() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
