"""What the benchmark ran on, in words that name no host and no path."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from inference import cpus

__all__ = ["describe", "sentence"]

PACKAGES = (
    "whatsit",
    "tensorflow",
    "tf_keras",
    "openvino",
    "pillow",
    "numpy",
    "ai-edge-litert",
    "onnxruntime",
    "nncf",
)


def describe() -> dict[str, Any]:
    """Describe processor, cores, memory, versions and the date, ready for JSON.

    `busy` is the load of the last minute, in runnable processes, before anything was measured.
    """
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": _cpu(),
        "cores": cpus.usable(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "busy": round(psutil.getloadavg()[0], 2),
    }


def sentence(machine: dict[str, Any]) -> str:
    """Put the description on one line, for tables, the plot and README."""
    versions = ", ".join(
        f"{name} {machine['versions'][name]}"
        for name in ("openvino", "tensorflow")
        if name in machine["versions"]
    )
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}, Python {machine['python']}, "
        f"{versions}, {machine['date']}"
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """Name the processor and the vector extensions that decide how fast a convolution is."""
    listing = Path("/proc/cpuinfo")
    if sys.platform != "linux" or not listing.exists():
        return platform.processor() or platform.machine()
    lines = [line.split(":", 1) for line in listing.read_text().split("\n\n")[0].splitlines() if ":" in line]
    fields = {key.strip(): value.strip() for key, value in lines}
    flags = fields.get("flags", "").split()
    vectors = [
        flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8") if flag in flags
    ]
    return " ".join(
        [fields.get("model name", platform.machine()), f"({', '.join(vectors)})" if vectors else ""]
    )
