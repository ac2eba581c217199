"""Would Discord take what the bot sends? Node asks Discord's own description of its interface."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from simcord.types import HttpLogEntry

__all__ = ["Schema", "missing"]

FOLDER = Path(__file__).parent


def missing() -> str | None:
    """What keeps bodies from being checked on this machine, and the way out."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (FOLDER / "node_modules" / "discord-api-spec").is_dir():
        return f"discord-api-spec is not installed: npm ci --prefix {FOLDER.relative_to(Path.cwd())}"
    return None


class Schema:
    """A node process that takes requests and answers with what Discord would refuse in them."""

    def __init__(self) -> None:
        self._node = subprocess.Popen(
            ["node", "check.mjs"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def problems(self, requests: Iterable[HttpLogEntry]) -> list[str]:
        """One line for each request with a body that Discord would refuse."""
        return [
            f"{request.method} {request.path}: {problem}\n{request.json}"
            for request in requests
            if request.json is not None and (problem := self._ask(request)) is not None
        ]

    def close(self) -> None:
        """Ends the process."""
        self._node.communicate()

    def _ask(self, request: HttpLogEntry) -> str | None:
        told, heard = _pipe(self._node.stdin), _pipe(self._node.stdout)
        told.write(json.dumps({"method": request.method, "path": request.path, "body": request.json}) + "\n")
        told.flush()
        answer = heard.readline()
        if not answer:
            raise RuntimeError(f"node ended with {self._node.wait()}")
        problem = json.loads(answer)
        return None if problem is None else str(problem)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("node has no pipe")
    return pipe
