"""What the benchmark ran on, in words that name no host and no path."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from inference import cpus

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

INSTRUCTION_SETS = (
    *("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"),
    *("asimd", "asimddp", "i8mm", "bf16", "sve"),  # on ARM
)
"""As Linux calls them. With VNNI, AMX, dot products (asimddp) or i8mm, int8 is at its fastest."""


def describe() -> dict[str, Any]:
    """Describe processor, cores, memory, versions and the date, ready for JSON.

    `busy` is the load of the last minute, in runnable processes, before anything was measured.
    """
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": processor(),
        "cores": cpus.usable(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "busy": round(psutil.getloadavg()[0], 2),
    }


def processor(listing: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor, the instruction sets that decide how fast a convolution is, and the one that the
    environment keeps OpenVINO to, where it does."""
    if not listing.exists():  # only Linux has it
        return platform.processor() or platform.machine()
    lines = [line.split(":", 1) for line in listing.read_text().split("\n\n")[0].splitlines() if ":" in line]
    fields = {key.strip(): value.strip() for key, value in lines}
    flags = fields.get("flags", fields.get("Features", "")).split()
    sets = [flag for flag in INSTRUCTION_SETS if flag in flags]
    cap = os.environ.get("ONEDNN_MAX_CPU_ISA")
    return (
        f"{fields.get('model name', platform.machine())} ({', '.join(sets) or 'no vector instructions'}"
        f"{f'; kept to {cap}' if cap else ''})"
    )


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
