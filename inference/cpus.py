"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable(cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the cores of the affinity mask, and no more than the control group's quota, rounded up.

    A container with `--cpus 1.5` on a machine of 32 cores gets 2. The arguments are for tests.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [cores, *map(math.ceil, _quotas(cgroups, own))]
    return max(1, min(quotas))


def _quotas(cgroups: Path, own: Path) -> list[float]:
    """Return every limit from the process's own group up to the root, in cores."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    quotas: list[float | None] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = cgroups / controllers if controllers else cgroups
        place = root / group.lstrip("/")
        folders = (place, *(p for p in place.parents if p.is_relative_to(root)))
        quotas += [_version_1(folder) if controllers else _version_2(folder) for folder in folders]
    return [quota for quota in quotas if quota]


def _version_2(folder: Path) -> float | None:
    match _text(folder / "cpu.max").split():
        case [quota, period] if quota.isdigit():
            return int(quota) / int(period)
    return None


def _version_1(folder: Path) -> float | None:
    quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
