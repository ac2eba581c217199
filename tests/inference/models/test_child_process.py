"""A job in a child process: its result, its errors, and its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from inference.models import child_process
from inference.models.child_process import ChildJobFailed, ChildJobTimedOut, Report
from inference.results import ModelUnavailable


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


def double(*, number: int, report: Report) -> int:
    print("libraries print where they like")
    report("doubling", 0.5)
    return 2 * number


def unavailable(*, report: Report) -> None:
    raise ModelUnavailable("The model x is not there.")


def broken(*, report: Report) -> None:
    raise RuntimeError("out of luck")


def crash(*, report: Report) -> None:
    print("the last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def hang(*, report: Report) -> None:
    report("hanging", None)
    time.sleep(3600)


def try_everything(*, own: str, other: str, port: int, report: Report) -> dict[str, str]:
    tries = {
        "write its own": lambda: Path(own, "made").write_text("x"),
        "read its own": lambda: Path(own, "made").read_text(),
        "read another": lambda: Path(other).read_text(),
        "write another": lambda: Path(other).write_text("x"),
        "connect": lambda: socket.create_connection(("127.0.0.1", port)).close(),
        "start a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 - the bare call
        "signal its parent": lambda: os.kill(os.getppid(), 0),
    }
    done = {}
    for name, do in tries.items():
        try:
            do()  # type: ignore[no-untyped-call]
            done[name] = "done"
        except OSError as error:
            done[name] = type(error).__name__
    return done


@pytest.mark.parametrize("network", [True, False])
def test_a_job_has_the_rights_that_it_needs_and_no_more(tmp_path: Path, *, network: bool) -> None:
    own, secret = tmp_path / "own", tmp_path / "secret"
    own.mkdir()
    secret.write_text("the token")
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = {"own": str(own), "other": str(secret), "port": server.getsockname()[1]}
        given = child_process.run(
            f"{__name__}:try_everything",
            arguments,
            deadline=60,
            report=unread,
            network=network,
            write=[own],
        )
    allowed = {"write its own", "read its own"} | ({"connect"} if network else set())
    assert given == {name: "done" if name in allowed else "PermissionError" for name in given}
    assert secret.read_text() == "the token"


def test_a_job_reports_and_gives_its_result() -> None:
    seen: list[tuple[str, float | None]] = []
    result = child_process.run(
        f"{__name__}:double", {"number": 21}, deadline=60, report=lambda *stage: seen.append(stage)
    )
    assert result == 42
    assert seen == [("doubling", 0.5)]


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        ("unavailable", ModelUnavailable, "The model x is not there"),
        ("broken", ChildJobFailed, "RuntimeError: out of luck"),
        ("crash", ChildJobFailed, "status -9: the last words"),
    ],
)
def test_a_job_that_fails_says_how(job: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        child_process.run(f"{__name__}:{job}", {}, deadline=60, report=unread)


def test_a_job_past_its_deadline_is_killed() -> None:
    pids: list[int] = []
    with pytest.raises(ChildJobTimedOut):
        child_process.run(f"{__name__}:hang", {}, deadline=0.2, report=unread, started=pids.append)
    assert not psutil.pid_exists(pids[0])


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from inference.models import child_process\n"
        f"child_process.run('{__name__}:hang', {{}}, deadline=3600, "
        "          started=lambda pid: print(pid, end=' ', flush=True), "
        "          report=lambda *_: print('reported', flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid, reported = parent.stdout.readline().split()
        assert reported == "reported"
        hanging = psutil.Process(int(pid))
        parent.kill()
    psutil.wait_procs([hanging], timeout=30)
    assert not hanging.is_running() or hanging.status() == psutil.STATUS_ZOMBIE
