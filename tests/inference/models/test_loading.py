"""From settings to a model that answers, and every way in which that can fail is one clear error."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.settings import Model, Settings
from inference.__main__ import main as jobs_of_inference
from inference.models import child_process, convert, embedded, hub, loading, model_cache
from inference.models.loading import load
from inference.results import ModelUnavailable
from tests.inference import pictures

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning"),  # tensorflow_hub
]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)


def unread(stage: str, fraction: float | None) -> None:
    """Take a report that nobody reads."""


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Children's jobs are done right here, where TensorFlow is imported once for all tests; and counted."""
    done: list[str] = []

    def do(job: str, arguments: Mapping[str, Any], *, report: Callable[..., None], **rest: object) -> object:
        done.append(job)
        module, _, name = job.partition(":")
        return getattr(importlib.import_module(module), name)(**arguments, report=report)

    monkeypatch.setattr(child_process, "run", do)
    return done


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A SavedModel of five classes."""
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    return tiny.save(tmp_path / "my model")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.txt"
    file.write_text("ant\nbee\ncat\ndog\neel\n")
    return file


def settings(cache: Path, name: str | Path = "auto", **more: object) -> Model:
    return Model.model_validate({"name": str(name), "cache_dir": cache / "cache", **more})


@pytest.mark.real_model
def test_the_embedded_model_answers_through_the_fast_engine(embedded_model: Path) -> None:
    model = load(Model(name="efficientnet_lite0"), report=unread)
    assert (model.name, model.engine.name) == ("efficientnet_lite0", "openvino")
    assert (model.input_size, len(model.labels), model.temperature) == (224, 1000, 0.8)
    assert model.content_hash == model_cache.content_hash(embedded_model)
    assert model.note is None
    paths = (pictures.GRACE_HOPPER, pictures.CHELSEA, pictures.COFFEE)
    prediction = model.engine.predict(np.concatenate([pictures.stretched(path) for path in paths]))
    assert prediction.logits.shape == (3, 1000)
    assert prediction.features is not None
    assert prediction.features.shape == (3, 1280)
    hopper, cat, coffee = (model.labels[i] for i in prediction.logits.argmax(axis=1))
    assert hopper == "military uniform"
    assert cat in {"tabby", "tiger cat", "Egyptian cat"}
    assert coffee in {"espresso", "cup"}


@pytest.mark.real_model
@pytest.mark.usefixtures("embedded_model")
def test_a_later_start_imports_no_tensorflow() -> None:
    load(Model(name="efficientnet_lite0"), report=unread)
    script = (
        "import sys, numpy as np; from config.settings import Model\n"
        "from inference.models.loading import load\n"
        "model = load(Model(name='efficientnet_lite0'), report=lambda *_: None)\n"
        "model.engine.predict(np.zeros((1, 224, 224, 3), np.uint8))\n"
        "heavy = {'tensorflow', 'tensorflow_hub', 'keras', 'tf_keras'}\n"
        "print(model.engine.name, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino []"


def test_a_model_is_made_ready_once(tmp_path: Path, tiny: Path, labels: Path, jobs: list[str]) -> None:
    stages: list[str] = []
    wanted = settings(tmp_path, tiny, labels=labels)
    first = load(wanted, report=lambda stage, _: stages.append(stage))
    assert (first.name, first.engine.name, first.note) == ("my model", "openvino", None)
    assert first.labels == ("ant", "bee", "cat", "dog", "eel")
    assert first.temperature == 1.0
    assert any("comparing" in stage for stage in stages)
    again = load(wanted, report=unread)
    assert again.content_hash == first.content_hash
    assert len(jobs) == 1


@pytest.mark.parametrize("file", ["model.bin", "model.xml", "verdict.json"])
def test_what_was_made_ready_and_is_damaged_is_made_anew(
    tmp_path: Path, tiny: Path, labels: Path, jobs: list[str], file: str
) -> None:
    wanted = settings(tmp_path, tiny, labels=labels)
    model = load(wanted, report=unread)
    batch = np.full((2, 32, 32, 3), 77, np.uint8)
    expected = model.engine.predict(batch).logits
    damaged = convert.place_of(model.content_hash, wanted.cache_dir) / model_cache.CONTENT / file
    damaged.write_bytes(damaged.read_bytes()[:-10] + bytes(10))
    np.testing.assert_array_equal(load(wanted, report=unread).engine.predict(batch).logits, expected)
    assert len(jobs) == 2


def test_an_engine_that_disagrees_is_not_taken_and_that_is_remembered(
    tmp_path: Path, tiny: Path, labels: Path, jobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.models import convert_child  # noqa: PLC0415 - imports TensorFlow

    monkeypatch.setattr(convert_child, "agreement", lambda *_: "its logits differ from TensorFlow's by 3")
    wanted = settings(tmp_path, tiny, labels=labels)
    for _ in range(2):
        model = load(wanted, report=unread)
        assert model.engine.name == "tensorflow"
        assert model.note
        assert "its logits differ from TensorFlow's by 3" in model.note
        assert model.caveats == ("slower_engine",)
        assert model.engine.predict(np.zeros((1, 32, 32, 3), np.uint8)).logits.shape == (1, 5)
    assert len(jobs) == 1
    for refused in ({"engine": "openvino"}, {"precision": "int8"}, {"precision": "bf16"}):
        with pytest.raises(ModelUnavailable, match=r"OpenVINO cannot run the model my model: its logits"):
            load(settings(tmp_path, tiny, labels=labels, **refused), report=unread)


@pytest.mark.parametrize("installed", [True, False])
def test_tensorflow_runs_it_where_that_is_asked_for_or_all_there_is(
    tmp_path: Path, tiny: Path, labels: Path, monkeypatch: pytest.MonkeyPatch, *, installed: bool
) -> None:
    if not installed:
        monkeypatch.setattr(loading, "find_spec", lambda _: None)
    engine = "tensorflow" if installed else "auto"
    model = load(settings(tmp_path, tiny, labels=labels, engine=engine), report=unread)
    assert (model.engine.name, model.input_size) == ("tensorflow", 32)
    assert not (tmp_path / "cache/engines").exists()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"engine": "tensorflow", "precision": "int8"}, r"runs the model my model in f32 only"),
        ({"engine": "tensorflow", "precision": "bf16"}, r"runs the model my model in f32 only"),
        ({"precision": "int8"}, r"no int8 version yet: .*whatsit models quantize '.*my model'"),
    ],
)
@pytest.mark.usefixtures("jobs")
def test_a_precision_that_cannot_be_had_is_one_clear_error(
    tmp_path: Path, tiny: Path, labels: Path, wanted: dict[str, str], message: str
) -> None:
    with pytest.raises(ModelUnavailable, match=message):
        load(settings(tmp_path, tiny, labels=labels, **wanted), report=unread)


@pytest.mark.parametrize("wanted", [{"engine": "openvino"}, {"precision": "bf16"}])
def test_openvino_asked_for_and_not_installed_is_one_clear_error(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda _: None)
    with pytest.raises(ModelUnavailable, match=r"my model was to run on OpenVINO, which is not installed"):
        load(settings(tmp_path, tiny, **wanted), report=unread)


@pytest.mark.parametrize("has_bf16", [True, False])
def test_bf16_is_for_processors_that_have_it(
    tmp_path: Path,
    tiny: Path,
    labels: Path,
    jobs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_bf16: bool,
) -> None:
    from inference.models.engines import openvino  # noqa: PLC0415 - imports OpenVINO

    monkeypatch.setattr(openvino, "has_bf16", lambda: has_bf16)
    model = load(settings(tmp_path, tiny, labels=labels, precision="bf16"), report=unread)
    assert (model.note is None) == has_bf16
    assert model.caveats == (() if has_bf16 else ("no_bfloat16",))
    assert model.engine.predict(np.zeros((1, 32, 32, 3), np.uint8)).logits.shape == (1, 5)


def test_labels_that_do_not_fit_are_one_clear_error(
    tmp_path: Path, tiny: Path, labels: Path, jobs: list[str]
) -> None:
    labels.write_text("ant\nbee\n")
    with pytest.raises(ModelUnavailable, match=r"my model has 5 classes, and .*labels\.txt has 2 labels"):
        load(settings(tmp_path, tiny, labels=labels), report=unread)
    with pytest.raises(ModelUnavailable, match=r"my model has 5 classes.*model\.labels"):
        load(settings(tmp_path, tiny), report=unread)


def test_an_archive_is_a_model(tmp_path: Path, tiny: Path, labels: Path, jobs: list[str]) -> None:
    file = tmp_path / "mine.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(tiny, "mine")
    model = load(settings(tmp_path, file, labels=labels), report=unread)
    assert (model.name, model.engine.name) == ("mine.tar.gz", "openvino")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet", "There is no model resnet: .*mobilenet_v2, .*efficientnet_lite0"),
        ("{}/empty", "The folder .*empty is no SavedModel"),
        ("{}/text.tar.gz", r"text\.tar\.gz cannot be unpacked"),
    ],
)
def test_a_name_of_nothing_is_one_clear_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar.gz").write_text("text")
    with pytest.raises(ModelUnavailable, match=message):
        load(settings(tmp_path, name.format(tmp_path)), report=unread)


def test_a_broken_model_is_one_clear_error_and_leaves_nothing(tmp_path: Path, jobs: list[str]) -> None:
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "grey", "grey")
    with pytest.raises(ModelUnavailable, match=r"The model grey takes images float32"):
        load(settings(tmp_path, folder), report=unread)
    assert not [path for path in (tmp_path / "cache/engines").iterdir() if path.is_dir()]


def test_auto_is_mobilenet_where_the_hub_was_reached_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "cached", lambda handle, _: Path(handle.partition("/imagenet/")[2]))
    located = loading.locate(settings(tmp_path), report=unread)
    assert located.name == "mobilenet_v2"
    assert located.folder == Path("mobilenet_v2_100_224/classification/5")
    assert located.caveat is None


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that the Hub, which is out of reach, was asked for. The embedded model is there."""
    asked: list[str] = []

    def unreachable(name: str, *_: object, **__: object) -> None:
        asked.append(name)
        raise hub.HubOutOfReach(name, "there is no network")

    monkeypatch.setattr(hub, "fetch", unreachable)
    monkeypatch.setattr(embedded, "ensure", lambda *_, **__: tmp_path)
    return asked


def test_auto_is_the_embedded_model_where_the_hub_is_out_of_reach(tmp_path: Path, asked: list[str]) -> None:
    located = loading.locate(settings(tmp_path), report=unread)
    assert located.name == "efficientnet_lite0"
    assert located.caveat == (
        "hub_out_of_reach",
        (
            "efficientnet_lite0 answers in place of mobilenet_v2: there is no network. It is asked again "
            "in a day; `whatsit models refresh` lets the next start ask at once."
        ),
    )
    assert asked == ["mobilenet_v2"]
    with pytest.raises(ModelUnavailable, match="mobilenet_v2 could not be downloaded: there is no network"):
        loading.locate(settings(tmp_path, "mobilenet_v2"), report=unread)
    assert asked == ["mobilenet_v2"] * 2, "who names the model has it asked for each time"


def test_auto_asks_a_hub_that_was_out_of_reach_once_a_day(tmp_path: Path, asked: list[str]) -> None:
    model = settings(tmp_path)
    for _ in range(3):
        located = loading.locate(model, report=unread)
    assert asked == ["mobilenet_v2"]
    assert located.name == "efficientnet_lite0"
    assert located.caveat == (
        "hub_out_of_reach",
        (
            "efficientnet_lite0 answers in place of mobilenet_v2: the Hub was out of reach within the last "
            "day; `whatsit models refresh` lets the next start ask at once."
        ),
    )
    (kept,) = model.cache_dir.iterdir()
    os.utime(kept, (time.time() - 24 * 3600 - 1,) * 2)
    loading.locate(model, report=unread)
    assert len(asked) == 2, "a day later"
    os.utime(kept, (time.time() + 3600,) * 2)
    loading.locate(model, report=unread)
    assert len(asked) == 3, "a clock that went wrong keeps nobody from the Hub"


def test_refresh_lets_the_next_start_ask_the_hub(
    tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    model = settings(tmp_path)
    for _ in range(2):
        assert jobs_of_inference(["refresh", Settings(model=model).model_dump_json()]) == 0
        assert "done" in json.loads(capsys.readouterr().out)
        loading.locate(model, report=unread)
    assert len(asked) == 2


def test_where_nothing_can_be_kept_the_hub_is_asked_each_time(tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "cache").write_text("a file in the place of the folder")
    for _ in range(2):
        caveat = loading.locate(settings(tmp_path), report=unread).caveat
        assert caveat is not None
        assert caveat.sentence == "efficientnet_lite0 answers in place of mobilenet_v2: there is no network."
    assert len(asked) == 2


def test_the_tutorials_keras_layer_runs_the_same_model(tmp_path: Path) -> None:
    """tf.keras is Keras 3 and refuses it; tf_keras takes it. In a process of its own, as users have it."""
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "model", "callable")
    batch = np.random.default_rng(1).random((2, 32, 32, 3), np.float32)
    np.save(tmp_path / "batch.npy", batch)
    script = (
        "import json, sys, numpy as np, tensorflow_hub as hub, tf_keras\n"
        "model = tf_keras.Sequential([hub.KerasLayer(sys.argv[1], input_shape=(32, 32, 3))])\n"
        "print(json.dumps(model.predict(np.load(sys.argv[2]), verbose=0).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, folder, tmp_path / "batch.npy"],
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_allclose(json.loads(done.stdout), tiny.Tiny().logits(batch), atol=1e-4)
