"""The int8 variant of a model is made from photographs, compared with f32, and kept only if it agrees."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from config.settings import Model, Settings
from inference.models import child_process as child
from inference.models import convert as ready
from inference.models import model_cache as folders
from inference.models import quantize as quantizing
from inference.models.loading import load
from inference.models.quantize import QuantizeReport, quantize
from inference.results import ModelUnavailable
from tests.inference import pictures

pytestmark = pytest.mark.timeout(600)


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


@pytest.fixture
def ready_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model that has been made ready for OpenVINO before: the files stand for it."""
    saved = tmp_path / "mine"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"graph")
    place = ready.place_of(folders.content_hash(saved), tmp_path / "cache")
    place.parent.mkdir(parents=True)

    def fill(folder: Path) -> None:
        folder.mkdir()
        (folder / ready.VERDICT).write_text(json.dumps(ready.ConversionResult(32, 5, None)._asdict()))

    folders.install(place, fill)
    return Model(name=str(saved), cache_dir=tmp_path / "cache")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the child is asked to do, and what it answers instead of doing it for a minute."""
    asked: dict[str, Any] = {"agreement": 0.96}

    def run(_: str, arguments: Mapping[str, Any], **__: object) -> dict[str, float]:
        asked.update(arguments)
        folder = Path(arguments["folder"])
        folder.mkdir()
        (folder / ready.MODEL).write_bytes(b"int8")
        return {"agreement": asked["agreement"], "pictures": 400, "seconds": 0.002, "seconds_f32": 0.004}

    monkeypatch.setattr(child, "run", run)
    return asked


def kept(model: Model) -> Path | None:
    digest = folders.content_hash(Path(model.name))
    return folders.intact(ready.place_of(digest, model.cache_dir, kind=ready.INT8))


def test_a_variant_that_agrees_is_kept_beside_the_model(ready_model: Model, made: dict[str, Any]) -> None:
    report = quantize(ready_model, report=unread, photographs=Path("my/pictures"))
    assert report == QuantizeReport("mine", 0.96, 400, 0.002, 0.004)
    assert str(report).startswith(
        "mine has its int8 version. It gives the same first label as f32 for 96.0% of 400"
    )
    assert "50% of the time" in str(report)
    assert (made["name"], made["size"], made["photographs"]) == ("mine", 32, "my/pictures")
    folder = kept(ready_model)
    assert folder
    assert (folder / ready.MODEL).read_bytes() == b"int8"


def test_a_variant_that_agrees_too_little_is_refused_and_the_old_one_stays(
    ready_model: Model, made: dict[str, Any]
) -> None:
    made["agreement"] = 0.929
    with pytest.raises(ModelUnavailable, match=r"int8 version of mine .*only 92\.9% of 400 .*asks for 93%"):
        quantize(ready_model, report=unread)
    assert kept(ready_model) is None
    made["agreement"] = 0.93
    quantize(ready_model, report=unread)
    made["agreement"] = 0.5
    with pytest.raises(ModelUnavailable):
        quantize(ready_model, report=unread)
    assert kept(ready_model)


@pytest.mark.parametrize("error", [child.ChildJobFailed("RuntimeError: no memory"), child.ChildJobTimedOut()])
def test_a_child_that_fails_is_one_clear_error(
    ready_model: Model, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(child, "run", run)
    with pytest.raises(
        ModelUnavailable, match=r"int8 version of mine (could not be made: .*no memory|took over)"
    ):
        quantize(ready_model, report=unread)


def test_without_nncf_the_extra_is_named(ready_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(quantizing, "find_spec", lambda name: None if name == "nncf" else find(name))
    with pytest.raises(ModelUnavailable, match=r"whatsit\[int8\]"):
        quantize(ready_model, report=unread)


def test_a_model_that_openvino_cannot_run_is_told_so(
    ready_model: Model, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = ready.ConversionResult(32, 5, "OpenVINO cannot read it")
    monkeypatch.setattr(ready, "ensure", lambda *_, **__: (Path(), verdict))
    with pytest.raises(ModelUnavailable, match="mine cannot have an int8 version"):
        quantize(ready_model, report=unread)


@pytest.mark.real_model
def test_int8_of_the_embedded_model_still_names_what_is_known(
    embedded_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the command's own entry point, then through the settings."""
    load(Model(name="efficientnet_lite0"), report=unread)
    digest = folders.content_hash(embedded_model)
    usual = Model().cache_dir
    wanted = Model(name="efficientnet_lite0", precision="int8", cache_dir=tmp_path)
    for source in (embedded_model.parent, ready.place_of(digest, usual)):
        shutil.copytree(source, tmp_path / source.relative_to(usual))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "inference",
            "quantize",
            Settings(model=wanted).model_dump_json(),
            wanted.name,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, said[-1]
    fractions = [words["fraction"] for words in said[:-1]]
    assert fractions == sorted(fractions)
    assert "efficientnet_lite0 has its int8 version" in said[-1]["done"]
    model = load(wanted, report=unread)
    paths = (pictures.GRACE_HOPPER, pictures.CHELSEA, pictures.COFFEE)
    prediction = model.engine.predict(np.concatenate([pictures.stretched(path) for path in paths]))
    assert prediction.features is not None
    hopper, cat, coffee = (model.labels[i] for i in prediction.logits.argmax(axis=1))
    assert hopper == "military uniform"
    assert cat in {"tabby", "tiger cat", "Egyptian cat"}
    assert coffee in {"espresso", "cup"}


def test_an_owners_folder_is_searched_for_photographs(tmp_path: Path) -> None:
    from inference.models import quantize_child  # noqa: PLC0415 - imports NNCF

    (tmp_path / "deep").mkdir()
    Image.new("RGB", (3000, 400), "red").save(tmp_path / "deep/wide.jpg")
    Image.new("L", (300, 300)).save(tmp_path / "grey.PNG")
    Image.new("RGB", (50, 300)).save(tmp_path / "narrow.png")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture")
    found = quantize_child._load(quantize_child._files(tmp_path))
    assert sorted(image.size for image in found) == [(300, 300), (1024, 137)]
    assert {image.mode for image in found} == {"RGB"}
    crops = list(quantize_child._crops(found, 32, 6, np.random.default_rng(1)))
    assert [crop.shape for crop in crops] == [(1, 32, 32, 3)] * 6


def test_a_folder_without_photographs_is_one_clear_error(tmp_path: Path) -> None:
    from inference.models import quantize_child  # noqa: PLC0415 - imports NNCF

    with pytest.raises(ModelUnavailable, match=f"no photographs to calibrate mine on: none in {tmp_path}"):
        quantize_child.make(
            name="mine",
            source="",
            folder="",
            size=32,
            temperature=1.0,
            photographs=str(tmp_path),
            report=unread,
        )
