"""The int8 variant of a model is made from photographs, compared with f32, and kept only if it agrees."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from config.settings import Model, Settings
from inference.models import child_process, convert, model_cache
from inference.models import quantize as quantizing
from inference.models.loading import load
from inference.models.quantize import QuantizeReport, quantize
from inference.results import ModelUnavailable
from tests.inference import pictures

pytestmark = pytest.mark.timeout(600)

OTHER_ROUNDING = 0.5
"""The most that int8 may differ between processors, as a part of what it differs from f32.

AVX2, AVX-512 and VNNI give the same logits. AMX rounds differently, and differs from them by 0.17 of that.
"""


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


@pytest.fixture
def ready_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model that has been made ready for OpenVINO before: the files stand for it."""
    saved = tmp_path / "mine"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"graph")
    place = convert.place_of(model_cache.content_hash(saved), tmp_path / "cache")
    place.parent.mkdir(parents=True)

    def fill(folder: Path) -> None:
        folder.mkdir()
        (folder / convert.VERDICT).write_text(json.dumps(convert.ConversionResult(32, 5, None)._asdict()))

    model_cache.install(place, fill)
    return Model(name=str(saved), cache_dir=tmp_path / "cache")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the child is asked to do, and what it answers instead of doing it for a minute."""
    asked: dict[str, Any] = {"lost": 0.004, "seconds": 0.002}

    def run(_: str, arguments: Mapping[str, Any], **__: object) -> dict[str, float]:
        asked.update(arguments)
        folder = Path(arguments["folder"])
        folder.mkdir()
        (folder / convert.MODEL).write_bytes(b"int8")
        judged = {"agreement": 0.96, "crops": 400, "photographs": 9, "seconds_f32": 0.004}
        return judged | {key: asked[key] for key in ("lost", "seconds")}

    monkeypatch.setattr(child_process, "run", run)
    return asked


def kept(model: Model) -> Path | None:
    digest = model_cache.content_hash(Path(model.name))
    return model_cache.intact(convert.place_of(digest, model.cache_dir, kind=convert.INT8))


def test_a_variant_that_loses_little_is_kept_beside_the_model(
    ready_model: Model, made: dict[str, Any]
) -> None:
    report = quantize(ready_model, report=unread, photographs=Path("my/pictures"))
    assert report == QuantizeReport("mine", 0.004, 0.96, 400, 9, 0.002, 0.004)
    assert str(report) == (
        "mine has its int8 version. Compared with f32, it loses 0.4 points of top-1 accuracy, as estimated "
        "on 400 crops of 9 photographs that it was not made from. It gives the same first label for 96.0% of "
        "them, and takes 50% of the time. Set model.precision to int8 to use it."
    )
    assert (made["name"], made["size"], made["photographs"]) == ("mine", 32, "my/pictures")
    folder = kept(ready_model)
    assert folder
    assert (folder / convert.MODEL).read_bytes() == b"int8"


def test_a_variant_that_is_no_faster_here_is_not_recommended(
    ready_model: Model, made: dict[str, Any]
) -> None:
    made["seconds"] = 0.0037
    assert str(quantize(ready_model, report=unread)).endswith(
        "takes 92% of the time. That is hardly faster on this processor: leave model.precision at f32."
    )


def test_a_variant_that_loses_too_much_is_refused_with_what_to_do_and_the_old_one_stays(
    ready_model: Model, made: dict[str, Any]
) -> None:
    made["lost"] = 0.0121
    with pytest.raises(ModelUnavailable) as refused:
        quantize(ready_model, report=unread)
    assert str(refused.value) == (
        "The int8 version of mine was not kept. It would lose 1.2 points of top-1 accuracy, as estimated on "
        "400 crops of 9 photographs that it was not made from. Whatsit allows 1.0. Make it again from some "
        "hundred photographs like those that it will see: whatsit models quantize "
        f"{ready_model.name} --photographs FOLDER. If that does not help, leave model.precision at f32 or "
        "set it to bf16."
    )
    assert kept(ready_model) is None
    made["lost"] = 0.01
    quantize(ready_model, report=unread)
    made["lost"] = 0.5
    with pytest.raises(ModelUnavailable):
        quantize(ready_model, report=unread)
    assert kept(ready_model)


@pytest.mark.parametrize(
    "error",
    [child_process.ChildJobFailed("RuntimeError: no memory"), child_process.ChildJobTimedOut("over 1800 s")],
)
def test_a_child_that_fails_is_one_clear_error(
    ready_model: Model, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(child_process, "run", run)
    with pytest.raises(
        ModelUnavailable, match=r"int8 version of mine (could not be built: .*no memory|took over 1800 s)"
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
    found = convert.ConversionResult(32, 5, "OpenVINO cannot read it")
    monkeypatch.setattr(convert, "ensure", lambda *_, **__: (Path(), found))
    with pytest.raises(ModelUnavailable, match="mine cannot have an int8 version"):
        quantize(ready_model, report=unread)


LOGITS = """
import sys
from pathlib import Path
import numpy as np
from inference.models.engines.openvino import OpenVINOEngine
np.save(sys.argv[3], OpenVINOEngine(Path(sys.argv[1])).predict(np.load(sys.argv[2])).logits)
"""


def logits_on_avx2(model: Path, crops: NDArray[np.uint8], place: Path) -> NDArray[np.float32]:
    """The logits that the model in `model` has where OpenVINO may use no instructions beyond AVX2.

    On a processor that has no others, or is no x86-64, that is what it does anyway.
    """
    np.save(place / "crops.npy", crops)
    subprocess.run(
        [sys.executable, "-c", LOGITS, str(model), str(place / "crops.npy"), str(place / "logits.npy")],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "OV_CPU_MAX_ISA": "AVX2"},
        check=True,
    )
    logits: NDArray[np.float32] = np.load(place / "logits.npy")
    return logits


@pytest.mark.real_model
def test_int8_of_the_embedded_model_names_what_is_known_on_every_processor(
    embedded_model: Path, tmp_path: Path
) -> None:
    """Through the command's own entry point, then through the settings."""
    exact = load(Model(name="efficientnet_lite0"), report=unread)
    digest = model_cache.content_hash(embedded_model)
    usual = Model().cache_dir
    wanted = Model(name="efficientnet_lite0", precision="int8", cache_dir=tmp_path)
    for source in (embedded_model.parent, convert.place_of(digest, usual)):
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
    crops = np.concatenate([pictures.stretched(path) for path in paths])
    prediction = model.engine.predict(crops)
    assert prediction.features is not None
    folder = model_cache.intact(convert.place_of(digest, tmp_path, kind=convert.INT8))
    assert folder
    elsewhere = logits_on_avx2(folder / convert.MODEL, crops, tmp_path)
    lost = np.abs(exact.engine.predict(crops).logits - prediction.logits).mean()
    assert np.abs(elsewhere - prediction.logits).mean() < OTHER_ROUNDING * lost
    hopper, cat, coffee = (model.labels[i] for i in prediction.logits.argmax(axis=1))
    assert hopper == "military uniform"
    assert cat in {"tabby", "tiger cat", "Egyptian cat"}
    assert coffee in {"espresso", "cup"}


def test_a_folder_with_too_few_photographs_is_one_clear_error(tmp_path: Path) -> None:
    from inference.models import quantize_child  # noqa: PLC0415 - imports NNCF

    Image.new("RGB", (300, 300)).save(tmp_path / "one.png")
    with pytest.raises(
        ModelUnavailable, match=f"too few photographs to calibrate mine on .*: 1 in {tmp_path}"
    ):
        quantize_child.make(
            name="mine",
            source="",
            folder="",
            size=32,
            temperature=1.0,
            photographs=str(tmp_path),
            report=unread,
        )
