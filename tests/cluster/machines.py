"""The machines of a cluster, all on this one: each has an address of its own, 127.0.0.2 and so on."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from config.loading import load
from config.settings import Settings
from inference.subprocesses import ROOT

SECRET, TOKEN = "only-a-test-secret", "only-a-test-token"
START_SECONDS = 240.0
OK = 200
FIRST_PORT = 18720
STEP = 10
HEAD = ("127.0.0.2", FIRST_PORT + 9)
REPLICA, WORKER = "ray::ServeReplica", "inference.serving.worker"


class Machine:
    """One machine. `number` 0 is the head. Its files are in `folder`."""

    def __init__(
        self, folder: Path, number: int, *, load_from: str, places: int, model: str = "fake", **ray: object
    ) -> None:
        self.number = number
        self._folder = folder / f"machine{number}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._load_from = load_from
        self._process: subprocess.Popen[bytes] | None = None
        port = FIRST_PORT + STEP * number
        address = f"127.0.0.{2 + number}"
        self.url = f"http://{address}:{port}"
        self.models_url = f"http://{address}:{port + 1}"
        (folder / "secret").write_text(SECRET)
        (folder / "token").write_text(TOKEN)
        tables: dict[str, dict[str, object]] = {
            "model": {"name": model, **({"cache_dir": self._folder / "cache"} if model == "fake" else {})},
            "data": {"dir": self._folder / "data"},
            "cluster": {"listen": f"{address}:{port}", "secret_file": folder / "secret"},
            "ray": {
                "address": address,
                "head": ":".join(map(str, HEAD)),
                "token_file": folder / "token",
                "models_listen": f"{address}:{port + 1}",
                "run_dir": run_dir_of(self._folder),
                "places": places,
                **ray,
            },
        }
        self.run_dir = run_dir_of(self._folder)
        self._file = self._folder / "whatsit.toml"
        self._file.write_text(
            "".join(
                f"[{table}]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())
                for table, values in tables.items()
            )
        )

    @property
    def settings(self) -> Settings:
        """What this machine is set to."""
        return load(self._file, {})

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._folder / "log").read_text()

    @property
    def process(self) -> psutil.Process:
        """What `whatsit serve` is here."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self) -> None:
        """Start it, and wait for nothing."""
        role = "node" if self.number else "head"
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster.machine", self._file, role, self._load_from],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    async def deployed(self, times: int = 1) -> None:
        """Wait until the head has said so often that the replicas answer."""
        until = time.monotonic() + START_SECONDS
        while self.log.count("Pictures are answered at") < times:
            self.supervise()
            assert time.monotonic() < until, self.log
            await asyncio.sleep(0.1)

    def supervise(self) -> None:
        """Do what systemd does: Ray gives up where it needs half a minute to start, as on a busy machine."""
        assert self._process is not None
        if self._process.poll() is not None:
            print(f"machine {self.number} is started again: {self.log}")
            self.start()

    def left(self) -> list[str]:
        """Return the commands of processes that this machine has left behind."""
        return [command for each in psutil.process_iter() if str(self.run_dir) in (command := _command(each))]

    def stop(self) -> int:
        """End it as an owner does, and return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def kill(self) -> None:
        """Cut the power: all of its processes are killed at once."""
        for process in (*self._below(), self.process):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self._process is not None
        self._process.wait(10)

    def replicas(self) -> list[psutil.Process]:
        """Return the replicas that run here."""
        return [each for each in self._below() if _command(each).startswith(REPLICA)]

    def every_worker(self) -> list[psutil.Process]:
        """Return the children of replicas that look at pictures, those that try suspects too."""
        return [each for replica in self.replicas() for each in _workers_of(replica)]

    def workers(self) -> list[psutil.Process]:
        """Return one worker for each replica that has one."""
        return [own[0] for replica in self.replicas() if (own := _workers_of(replica))]

    def ingress(self) -> psutil.Process | None:
        """Return the HAProxy that runs here now, the newest one where it is being replaced."""
        found = [each for each in self._below() if "haproxy -" in _command(each)]
        return max(found, key=lambda each: each.create_time(), default=None)

    def is_reached(self) -> bool:
        """Tell whether its ingress finds a replica."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 - our own
                return bool(answer.status == OK)
        except OSError:
            return False

    def _below(self) -> list[psutil.Process]:
        try:
            return self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def run_dir_of(folder: Path) -> Path:
    """Return where the machine whose files are in `folder` has its sockets; the path has to be short."""
    return folder.parent / folder.name[-1]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def _workers_of(replica: psutil.Process) -> list[psutil.Process]:
    return [each for each in _children(replica) if WORKER in _command(each)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _toml(value: object) -> str:
    if isinstance(value, (int, float)):
        return str(value)
    return f'"{value}"'
