"""One job in a process of its own that can be given up on: `python -m inference.models.child_process`.

Everything that needs TensorFlow to get a model ready (download, build, check, convert) runs this way. So the
worker stays small and starts fast, and a download that hangs can be killed.

The parent writes one line of JSON (the job) and keeps the pipe open; the child writes lines of JSON
(progress, then the result). When the pipe closes, also because the parent died, the child ends itself.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import site
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from inference import cpus
from inference.results import ModelUnavailable
from inference.sandbox import keep_only
from inference.subprocesses import ROOT, module_command, own_environment

Report = Callable[[str, float | None], None]
"""Is told what is being done, and how much of it is done: 0 to 1, or None where that is not known."""

SYSTEM = (
    *("/usr", "/lib", "/lib64", "/proc", "/sys", "/dev"),
    *("/etc/localtime", "/etc/ld.so.cache", "/etc/mime.types", "/etc/services"),
    *("/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates"),
)
"""What libraries read of a Linux system: themselves, the processor, names of hosts, and certificates."""

IMPORT_SECONDS = 120.0
"""TensorFlow takes 3 s to import; 25 were seen with every core busy."""


class ChildJobFailed(Exception):
    """The job raised an error of an unforeseen kind, or its process died; the message says which."""


class ChildJobTimedOut(Exception):
    """The job was killed because it took too long; the message says how many seconds it had."""


def run(
    job: str,
    arguments: Mapping[str, Any],
    *,
    deadline: float,
    report: Report,
    environment: Mapping[str, str] | None = None,
    network: bool = False,
    read: Iterable[Path] = (),
    write: Iterable[Path] = (),
    started: Callable[[int], None] | None = None,
) -> Any:
    """Call `job` ("module:function") with `arguments` and `report=` in a new process, and return its result.

    Arguments and result are JSON. Where the kernel has a sandbox, the job reads only what programs need, what
    is beneath `read` and `write`, writes beneath `write`, starts no program, and has the network only with
    `network`. `started` is told the child's process id.
    Raises the job's own `ModelUnavailable`, `ChildJobFailed`, or `ChildJobTimedOut` after `deadline` seconds
    of work (importing what the job needs has a deadline of its own). No process is left behind.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own module
            module_command("inference.models.child_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=own_environment(forced={**tensorflow_environment(), **(environment or {})}, network=network),
        )
        try:
            if started:
                started(process.pid)
            rights = {
                "network": network,
                "read": [str(path.absolute()) for path in read],
                "write": [str(path.absolute()) for path in write],
            }
            task = {"job": job, "arguments": dict(arguments), "rights": rights}
            return _follow(process, task, deadline, report, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()


def _follow(
    process: subprocess.Popen[bytes], task: object, deadline: float, report: Report, errors: IO[bytes]
) -> Any:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a child without pipes")
    process.stdin.write(json.dumps(task).encode() + b"\n")
    process.stdin.flush()
    for line in _lines(process.stdout, deadline):
        match json.loads(line):
            case {"ready": True}:
                pass
            case {"stage": stage, "fraction": fraction}:
                report(stage, fraction)
            case {"result": result}:
                return result
            case {"unavailable": message}:
                raise ModelUnavailable(message)
            case {"failed": message}:
                raise ChildJobFailed(message)
    status = process.wait()
    errors.seek(0)
    last = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
    raise ChildJobFailed(f"its process ended with status {status}" + (f": {last}" if last else ""))


def _lines(stream: IO[bytes], deadline: float) -> Iterator[bytes]:
    """Yield lines as they come, until the stream ends or `deadline` seconds after the first line."""
    left = b""
    until = time.monotonic() + IMPORT_SECONDS
    ready = False
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(max(until - time.monotonic(), 0)):
                raise ChildJobTimedOut(f"over {deadline if ready else IMPORT_SECONDS:.0f} s")
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                return
            if not ready:
                ready, until = True, time.monotonic() + deadline
            *lines, left = (left + piece).split(b"\n")
            yield from lines


def tensorflow_environment() -> dict[str, str]:
    """Return the variables that TensorFlow reads when it is imported: the cores this process may use, no GPU
    (a job is done before one would be ready), and less to print."""
    return {
        "TF_NUM_INTRAOP_THREADS": str(cpus.usable()),
        "TF_NUM_INTEROP_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",  # its threads would be older than the sandbox
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "GRPC_VERBOSITY": "ERROR",
    }


def _main() -> None:
    # What libraries print goes to standard error: the pipe is for our lines alone.
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        task = json.loads(sys.stdin.buffer.readline())
        # The telemetry of OpenVINO and NNCF asks a server, from a process that would outlive this one.
        # Without the package, both do nothing.
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # the way to forbid an import

        def say(message: Mapping[str, Any]) -> None:
            replies.write(json.dumps(message).encode() + b"\n")
            replies.flush()

        def report(stage: str, fraction: float | None) -> None:
            say({"stage": stage, "fraction": fraction})

        try:
            module, _, name = task["job"].partition(":")
            function = getattr(importlib.import_module(module), name)
            _keep_only(**task["rights"])
            threading.Thread(target=_leave_with_the_parent, daemon=True).start()
            say({"ready": True})
            result = function(**task["arguments"], report=report)
        except ModelUnavailable as error:
            say({"unavailable": str(error)})
        except Exception as error:  # noqa: BLE001 - the parent is told of any error
            traceback.print_exc()
            say({"failed": f"{type(error).__name__}: {error}"})
        else:
            say({"result": result})


def _keep_only(*, network: bool, read: list[str], write: list[str]) -> None:
    """Give up all rights but the named ones, and reading what the interpreter and the libraries read."""
    usual = (
        *SYSTEM,
        sys.prefix,
        sys.base_prefix,
        *sysconfig.get_paths().values(),
        site.getusersitepackages(),
    )
    own = (ROOT / "inference", ROOT / "config")
    keep_only(
        read=[*map(Path, usual), *own, *map(Path, read)],
        write=[Path(os.devnull), *map(Path, write)],
        network=network,
    )


def _leave_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    _main()
