"""A new Debian with systemd, booted in a container: what `docs/operations.md` begins with."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

SUITE = "bookworm"
PACKAGES = "ca-certificates,dbus,systemd-sysv"
"""What a Debian that somebody has installed brings, over the smallest one."""
SANDBOX = "landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp"
"""System calls that a Debian outside of a container has, and that systemd-nspawn 252 takes away."""
BOOT = 60.0
"""Seconds that it may take to start."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


class CommandFailed(Exception):
    """A command ended with another exit status than 0."""


class Debian:
    """A running system; commands are run in it as its root would run them."""

    def __init__(self, first_process: int) -> None:
        self._enter = ["nsenter", f"--target={first_process}", "--all", "--", "env", "--ignore-environment"]

    def run(self, commands: str, *, typed: str = "", variables: Mapping[str, str] | None = None) -> None:
        """Run commands of a shell, which ends at the first that fails. `typed` is its standard input.

        What they print goes to this process's own output. Raises `CommandFailed`.
        """
        done = subprocess.run(self._command(commands, variables or {}), input=typed, text=True, check=False)
        if done.returncode:
            raise CommandFailed(f"exit status {done.returncode} of:\n{commands}")

    def output(self, commands: str) -> str:
        """Return what commands print, whatever their exit status."""
        done = subprocess.run(
            self._command(commands, {}), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def _command(self, commands: str, variables: Mapping[str, str]) -> list[str]:
        env = [f"{name}={value}" for name, value in (ENVIRONMENT | dict(variables)).items()]
        return [*self._enter, *env, "bash", "-euo", "pipefail", "-c", commands]


def install(root: Path) -> None:
    """Make the files of a new Debian, which trusts whom this machine trusts.

    A registry of packages may be reached only through a proxy with a certificate of its own.
    """
    options = ["--quiet", "--variant=minbase", f"--include={PACKAGES}"]
    subprocess.run(["mmdebstrap", *options, SUITE, root], check=True)
    shutil.copy(CERTIFICATES, root / CERTIFICATES.relative_to("/"))


@contextmanager
def booted(root: Path, log: Path, *, read: Mapping[Path, str], write: Mapping[Path, str]) -> Iterator[Debian]:
    """Start it, and stop it at the end.

    `read` and `write` are folders of this machine that it may read and write, and where they are in it. It
    shares this machine's network, and so the loopback addresses. Its console is written to `log`.
    """
    binds = [f"--bind-ro={here}:{there}" for here, there in read.items()]
    binds += [f"--bind={here}:{there}" for here, there in write.items()]
    options = [
        "--quiet",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--console=read-only",
        f"--directory={root}",
    ]
    options.append(f"--system-call-filter={SANDBOX}")
    with log.open("wb") as console:
        container = subprocess.Popen(
            ["systemd-nspawn", *options, *binds],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
        try:
            debian = Debian(_first_process(container))
            deadline = time.monotonic() + BOOT
            while debian.output("systemctl is-system-running").strip() not in ("running", "degraded"):
                if time.monotonic() > deadline:
                    raise CommandFailed(f"Debian did not start: {log.read_text(errors='replace')}")
                time.sleep(0.5)
            yield debian
        finally:
            container.terminate()
            try:
                container.wait(20)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()


def _first_process(container: subprocess.Popen[bytes]) -> int:
    """Return the process id, on this machine, of the container's systemd."""
    deadline = time.monotonic() + BOOT
    while time.monotonic() < deadline and container.poll() is None:
        for child in psutil.Process(container.pid).children():
            if child.name() == "systemd":
                return child.pid
        time.sleep(0.1)
    raise CommandFailed("systemd-nspawn did not start a systemd")
