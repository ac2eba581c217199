"""From a Hub or Kaggle address, or a `.tar.gz`, to a SavedModel folder on disk.

`tensorflow_hub` downloads and caches, in its own layout. It has no time-out, so it runs in a child process
with a deadline. When it is killed, it leaves files on which the next process would wait for ten minutes:
these are cleared away.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import tarfile
import time
import urllib.parse
from pathlib import Path

import psutil

from inference.models import child_process, model_cache
from inference.models.child_process import Report
from inference.results import ModelUnavailable

REACH_SECONDS = 5.0
"""For the Hub's first answer. Without a network, a start of `auto` waits so long at most."""

REACH_JOB = "inference.models.hub_reach:ask"

ABANDONED_SECONDS = 120.0
"""A download by another program whose files have not changed for so long has been given up."""

KAGGLE = re.compile(
    r"(?P<owner>[\w.-]+)/(?P<model>[\w.-]+)/(?P<framework>tensorflow2)/(?P<variation>[\w.-]+)"
    r"(/(?P<version>\d+))?",
    re.IGNORECASE,
)
"""A model's handle as Kaggle's pages show it."""


class HubOutOfReach(ModelUnavailable):
    """The model could not be downloaded; `why` is the reason alone, without what to do about it."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"The model {name} could not be downloaded: {why}. Check the address and the network, or set "
            "model.name to efficientnet_lite0, which needs none."
        )
        self.why = why


def address(name: str) -> str | None:
    """Return the address that tensorflow_hub loads for `name`, None where it is no address.

    `name` is an address itself or a Kaggle handle, owner/model/tensorFlow2/variation/version.
    """
    if name.startswith(("http://", "https://")):
        return name
    handle = KAGGLE.fullmatch(name)
    if not handle:
        return None
    url = "https://www.kaggle.com/models/{owner}/{model}/frameworks/TensorFlow2/variations/{variation}"
    version = f"/versions/{handle['version']}" if handle["version"] else ""
    return url.format(**handle.groupdict()) + version


def cached(handle: str, cache_dir: Path) -> Path | None:
    """Return the SavedModel folder of a handle that was downloaded before, None without one.

    Any program that shares `TFHUB_CACHE_DIR` may have downloaded it.
    """
    place = _place(handle, cache_dir)
    return place if model_cache.is_saved_model(place) else None


def fetch(name: str, handle: str, cache_dir: Path, *, deadline: float, report: Report) -> Path:
    """Return the SavedModel folder of `handle`, downloaded first where it is not cached.

    `deadline` is for the download, in seconds; a Hub that does not answer is given up on sooner. Raises
    ModelUnavailable, which names the model as `name`.
    """
    if found := cached(handle, cache_dir):
        return found
    place = _place(handle, cache_dir)
    report(f"looking for {name} on {urllib.parse.urlsplit(handle).hostname}", None)
    _reach(name, handle, min(REACH_SECONDS, deadline))
    # tensorflow_hub has a lock of its own, beside the place.
    with model_cache.building(f"the model {name}", place.with_name(f"{place.name}.whatsit")):
        if not (found := cached(handle, cache_dir)):
            _download(name, handle, place, deadline, report)
            found = cached(handle, cache_dir)
    if not found:
        shutil.rmtree(place, ignore_errors=True)
        raise ModelUnavailable(
            f"What {handle} gave for the model {name} is not a SavedModel. Check the address: it has to be "
            "that of a TensorFlow 2 model."
        )
    return found


def unpack(archive: Path, cache_dir: Path, *, report: Report) -> Path:
    """Return the SavedModel folder in a `.tar.gz`, unpacked first under `cache_dir` where it is not yet.

    Raises ModelUnavailable.
    """
    name = archive.name
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        place = cache_dir / "archives" / digest[:32]
        if found := model_cache.intact(place):
            return found
        report(f"unpacking {name}", None)
        with model_cache.locked(place, name=name):
            return model_cache.intact(place) or model_cache.install(
                place, lambda folder: _extract(archive, folder)
            )
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ModelUnavailable(
            f"The model {name} cannot be unpacked: {error}. Is it a whole .tar.gz of a SavedModel?"
        ) from None
    except OSError as error:
        raise ModelUnavailable(
            f"The model {name} cannot be unpacked under {cache_dir}: {error.strerror or error}."
        ) from None


def _extract(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    if model_cache.is_saved_model(folder):
        return
    # It was packed together with its folder.
    inner = [path for path in folder.iterdir() if model_cache.is_saved_model(path)]
    if len(inner) != 1:
        raise ValueError("there is no saved_model.pb in it")
    lifted = folder.with_name("lifted")
    inner[0].rename(lifted)
    shutil.rmtree(folder)
    lifted.rename(folder)


def _place(handle: str, cache_dir: Path) -> Path:
    """Return where tensorflow_hub keeps a handle (`compressed_module_resolver._module_dir`)."""
    shared = os.environ.get("TFHUB_CACHE_DIR")
    folder = Path(shared) if shared else cache_dir / "hub"
    return folder / hashlib.sha1(handle.encode(), usedforsecurity=False).hexdigest()


def _reach(name: str, handle: str, seconds: float) -> None:
    """Raise HubOutOfReach unless the Hub answers for `handle` within `seconds`.

    Importing TensorFlow only to learn that there is no network would make every such start slow. A name
    look-up that hangs cannot be timed out, and the worker may leave no thread behind that speaks to the
    network, so a process of its own asks.
    """
    url = handle + ("&" if urllib.parse.urlsplit(handle).query else "?") + "tf-hub-format=compressed"
    try:
        why = child_process.run(
            REACH_JOB,
            {"url": url, "seconds": seconds},
            deadline=seconds,
            report=lambda _stage, _fraction: None,
            network=True,
        )
    except child_process.ChildJobTimedOut:
        why = f"gave no answer within {seconds:.0f} s"
    except child_process.ChildJobFailed as error:
        why = f"cannot be asked ({error})"
    if why is not None:
        raise HubOutOfReach(name, f"{handle} {why}")


def _download(name: str, handle: str, place: Path, deadline: float, report: Report) -> None:
    pids: list[int] = []
    clear_abandoned(place, pids)
    try:
        child_process.run(
            "inference.models.hub_child:download",
            {"name": name, "handle": handle},
            deadline=deadline,
            report=report,
            environment={"TFHUB_CACHE_DIR": str(place.parent), "TFHUB_MODEL_LOAD_FORMAT": "COMPRESSED"},
            network=True,
            write=[place.parent],
            started=pids.append,
        )
    except child_process.ChildJobTimedOut:
        raise HubOutOfReach(name, f"{handle} was not through after {deadline:.0f} s") from None
    except child_process.ChildJobFailed as error:
        raise HubOutOfReach(name, f"{handle}: {error}") from None
    finally:
        clear_abandoned(place, pids)


def clear_abandoned(place: Path, ours: list[int]) -> None:
    """Remove what killed downloads of this handle left in `place`: the lock, and the half-filled folders.

    `ours` are the process ids of our own downloads. What another program is downloading is left alone.
    """
    lock = place.with_name(f"{place.name}.lock")
    folders = list(place.parent.glob(f"{place.name}.*.tmp"))
    try:
        host, pid, task = lock.read_text(encoding="utf-8").rsplit(".", 2)
        working = _is_working(host, int(pid), ours, [lock, *folders])
    except FileNotFoundError:
        task, working = "", False
    except ValueError:
        task, working = "", False  # a lock cut short by a crash
    for folder in folders:
        if not (working and folder.name == f"{place.name}.{task}.tmp"):
            shutil.rmtree(folder, ignore_errors=True)
    if not working:
        lock.unlink(missing_ok=True)


def _is_working(host: str, pid: int, ours: list[int], files: list[Path]) -> bool:
    if host == socket.gethostname() and (pid in ours or not psutil.pid_exists(pid)):
        return False
    times = [inner.stat().st_mtime for path in files for inner in (path, *path.rglob("*")) if inner.exists()]
    return time.time() - max(times, default=0) < ABANDONED_SECONDS
