"""Models come from the Hub as tensorflow_hub brings them, and nothing a server does holds Whatsit up."""

from __future__ import annotations

import hashlib
import io
import os
import random
import socket
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from inference.models import hub, model_cache
from inference.results import ModelUnavailable
from tests.inference.server import Answer, Hub, archive, drip, serving, silence, status

pytestmark = pytest.mark.timeout(300)  # each download imports TensorFlow in its child


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("TFHUB_CACHE_DIR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


def packed(**files: bytes) -> bytes:
    """A .tar.gz of these files; `__` stands for a slash, `_pb` for the end `.pb`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            if "__" in name:
                folder = tarfile.TarInfo(name.partition("__")[0])
                folder.type = tarfile.DIRTYPE
                folder.mode = 0o755
                tar.addfile(folder)
            info = tarfile.TarInfo(name.replace("__", "/").replace("_pb", ".pb"))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


# Noise does not compress, so that half of it is more than the first block that tensorflow_hub reads.
NOISE = random.Random(0).randbytes(200_000)  # noqa: S311 - no secret
MODEL = packed(saved_model_pb=b"graph", variables__data=NOISE)


def fetch(served: Hub, cache: Path, *, deadline: float = 60, path: str = "/google/model/5") -> Path:
    return hub.fetch("mobilenet_v2", served.url + path, cache, deadline=deadline, report=unread)


def sha1(handle: str) -> str:
    """The name of a handle's folder in tensorflow_hub's cache."""
    return hashlib.sha1(handle.encode()).hexdigest()  # noqa: S324 - the name is theirs, and no secret


def leftovers(cache: Path) -> list[str]:
    return [
        path.name
        for path in cache.rglob("*")
        if path.suffix in {".lock", ".tmp"} and "whatsit" not in path.name
    ]


def test_a_model_is_downloaded_once_where_tensorflow_hub_keeps_it(tmp_path: Path) -> None:
    stages: list[tuple[str, float | None]] = []
    with serving(archive(MODEL)) as served:
        handle = served.url + "/google/model/5"
        assert hub.cached(handle, tmp_path) is None
        folder = hub.fetch("m", handle, tmp_path, deadline=60, report=lambda *s: stages.append(s))
        asked = len(served.requests)
        assert hub.fetch("m", handle, tmp_path, deadline=60, report=unread) == folder
        assert len(served.requests) == asked
    assert folder == tmp_path / "hub" / sha1(handle)
    assert folder == hub.cached(handle, tmp_path)
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    assert "Module: " + handle in folder.with_name(folder.name + ".descriptor.txt").read_text()
    assert served.requests[-1] == "/google/model/5?tf-hub-format=compressed"
    assert ("downloading m", 1.0) in [(stage, fraction and round(fraction, 1)) for stage, fraction in stages]
    assert leftovers(tmp_path) == []


def test_tfhub_cache_dir_is_honoured_and_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "shared"))
    handle = "https://tfhub.invalid/google/model/5"
    place = tmp_path / "shared" / sha1(handle)
    place.mkdir(parents=True)
    (place / "saved_model.pb").write_bytes(b"graph")
    assert hub.fetch("m", handle, tmp_path, deadline=60, report=unread) == place


@pytest.mark.parametrize(
    ("misbehaviour", "message"),
    [
        ((silence,), "gave no answer within"),
        ((archive(MODEL), silence), "was not through after"),
        ((drip(MODEL),), "was not through after"),
    ],
    ids=["never-answers", "never-answers-the-download", "drips"],
)
def test_a_server_that_holds_on_is_given_up_and_a_retry_succeeds_at_once(
    tmp_path: Path, misbehaviour: tuple[Answer, ...], message: str
) -> None:
    with serving(*misbehaviour) as served:
        with pytest.raises(ModelUnavailable, match=f"mobilenet_v2 could not.*{message}") as caught:
            fetch(served, tmp_path, deadline=0.5)
        assert "efficientnet_lite0, which needs none" in str(caught.value)
        assert leftovers(tmp_path) == []
        served.answers[:] = [archive(MODEL)]
        assert model_cache.is_saved_model(fetch(served, tmp_path))


def test_a_killed_downloads_leftovers_are_in_nobodys_way(tmp_path: Path) -> None:
    """tensorflow_hub, when killed, leaves a lock naming a process that is gone, and half a folder."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    with serving(archive(MODEL)) as served:
        place = tmp_path / "hub" / sha1(served.url + "/google/model/5")
        half = place.with_name(f"{place.name}.abc.tmp")
        half.mkdir(parents=True)
        (half / "saved_model.pb").write_bytes(b"gra")
        place.with_name(f"{place.name}.lock").write_text(f"{socket.gethostname()}.{gone.pid}.abc")
        assert (fetch(served, tmp_path) / "saved_model.pb").read_bytes() == b"graph"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("lock", "age", "kept"),
    [
        (f"{socket.gethostname()}.{os.getpid()}.abc", 0, True),
        ("another-host.1.abc", 0, True),
        ("another-host.1.abc", 3600, False),
        ("nonsense", 0, False),
        ("", 0, False),
    ],
    # Not by value: that is another in each of xdist's processes.
    ids=["ours, alive", "another host's", "another host's, long ago", "nonsense", "empty"],
)
def test_only_abandoned_downloads_are_cleared_away(
    tmp_path: Path, lock: str, age: float, *, kept: bool
) -> None:
    """Another program may share the cache folder: what it has going is left alone."""
    place = tmp_path / "model"
    working, old = (place.with_name(f"model.{task}.tmp") for task in ("abc", "def"))
    for folder in (working, old):
        folder.mkdir()
    file = place.with_name("model.lock")
    file.write_text(lock)
    for path in (file, working, old):
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    hub.clear_abandoned(place, [])
    assert (file.exists(), working.exists(), old.exists()) == (kept, kept, False)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (status(404), "answered 404"),
        (status(503), "answered 503"),
        (archive(b"<html>no such model</html>"), "valid module"),
        (archive(MODEL[: len(MODEL) // 2]), "ended before the end-of-stream|valid module"),
        (archive(packed(readme=b"no model")), "is not a SavedModel"),
    ],
    ids=["404", "503", "html", "half", "no-model"],
)
def test_a_download_that_is_no_model_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, answer: Answer, message: str
) -> None:
    with serving(answer) as served:
        with pytest.raises(ModelUnavailable, match=message) as caught:
            fetch(served, tmp_path)
        assert "mobilenet_v2" in str(caught.value)
        assert "Traceback" not in str(caught.value)
        assert hub.cached(served.url + "/google/model/5", tmp_path) is None
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://hub.invalid"])
def test_a_hub_that_cannot_be_reached_is_one_clear_error(tmp_path: Path, host: str) -> None:
    with pytest.raises(
        ModelUnavailable, match=r"mobilenet_v2 could not be downloaded.*(cannot be reached|no answer)"
    ):
        hub.fetch("mobilenet_v2", f"{host}/model", tmp_path, deadline=60, report=unread)


def test_a_name_look_up_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "REACH_JOB", f"{__name__}:hang_for_ever")
    with pytest.raises(ModelUnavailable, match="gave no answer"):
        hub.fetch("m", "http://hub.invalid/model", tmp_path, deadline=0.2, report=unread)


def hang_for_ever(**_: object) -> None:
    threading.Event().wait()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("https://tfhub.dev/google/x/5", "https://tfhub.dev/google/x/5"),
        ("https://www.kaggle.com/models/a/b/frameworks/c/variations/d/versions/1",) * 2,
        (
            "google/mobilenet-v2/tensorFlow2/100-224-classification/2",
            "https://www.kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/100-224-classification/versions/2",
        ),
        (
            "google/mobilenet-v2/TensorFlow2/100-224-classification",
            "https://www.kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/100-224-classification",
        ),
        ("mobilenet_v2", None),
        ("models/mine", None),
        ("gs://bucket/model.tar.gz", None),
        ("google/mobilenet-v2/pyTorch/default/1", None),
    ],
)
def test_hub_and_kaggle_handles_are_addresses(name: str, url: str | None) -> None:
    assert hub.address(name) == url


@pytest.mark.parametrize("files", [{"saved_model_pb": b"graph"}, {"model__saved_model_pb": b"graph"}])
def test_an_archive_is_unpacked_once(tmp_path: Path, files: dict[str, bytes]) -> None:
    file = tmp_path / "mine.tar.gz"
    file.write_bytes(packed(**files))
    folder = hub.unpack(file, tmp_path / "cache", report=unread)
    assert (folder / "saved_model.pb").read_bytes() == b"graph"
    stages: list[str] = []
    assert hub.unpack(file, tmp_path / "cache", report=lambda stage, _: stages.append(stage)) == folder
    assert stages == []


@pytest.mark.parametrize(
    "data",
    [b"", b"not an archive", MODEL[:5000], packed(readme=b"no model"), packed(up=b"")],
    ids=["empty", "no archive", "half of one", "no model in it", "climbs out"],
)
def test_an_archive_that_cannot_be_used_is_one_clear_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "mine.tar.gz"
    file.write_bytes(data)
    with pytest.raises(ModelUnavailable, match=r"mine\.tar\.gz cannot be unpacked"):
        hub.unpack(file, tmp_path / "cache", report=unread)


def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "mine.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("saved_model.pb"))
        tar.addfile(tarfile.TarInfo("../outside"))
    with pytest.raises(ModelUnavailable, match=r"mine\.tar\.gz cannot be unpacked"):
        hub.unpack(file, tmp_path / "cache", report=unread)
    assert not list(tmp_path.rglob("outside"))
