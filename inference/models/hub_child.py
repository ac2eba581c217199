"""Downloads with tensorflow_hub and reports progress: the part of `hub` that runs in a child process."""

from __future__ import annotations

from typing import Any

import tensorflow_hub as hub
from tensorflow_hub import compressed_module_resolver, registry

from inference.models.child_process import Report

STEP = 0.01
"""Progress is reported a hundredth at a time."""


class _CountingResponse:
    """A response that reports how much of it has been read."""

    def __init__(self, response: Any, name: str, report: Report) -> None:
        self._response = response
        self._name = name
        self._report = report
        self._total = int(response.headers.get("Content-Length") or 0)
        self._read = 0
        self._told = 0.0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._response.read(size)
        self._read += len(data)
        fraction = min(self._read / self._total, 1.0) if self._total else None
        if fraction is None or fraction - self._told >= STEP:
            self._told = fraction or 0.0
            self._report(f"downloading {self._name}", fraction)
        return data


class _CountingResolver(compressed_module_resolver.HttpCompressedFileResolver):  # type: ignore[misc] # it comes without types
    def __init__(self, name: str, report: Report) -> None:
        super().__init__()
        self._name = name
        self._report = report

    def _call_urlopen(self, request: Any) -> _CountingResponse:
        return _CountingResponse(super()._call_urlopen(request), self._name, self._report)


def download(*, name: str, handle: str, report: Report) -> None:
    """Let tensorflow_hub download `handle` into its cache, and report the progress under `name`."""
    report(f"downloading {name}", 0.0)
    # The registry asks the newest resolver first.
    registry.resolver.add_implementation(_CountingResolver(name, report))
    hub.resolve(handle)
