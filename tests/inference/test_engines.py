"""Both engines give what the SavedModel gives; one that breaks the contract is one clear error."""

from __future__ import annotations

import logging
import os
import queue
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from inference import cpus
from inference.models.engines import Prediction
from inference.results import ModelUnavailable

if TYPE_CHECKING:
    from inference.models.frozen_graph import FrozenModel

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning")  # tensorflow_hub


def crops(count: int, size: int = 32) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(count).integers(0, 256, (count, size, size, 3), np.uint8)


def converted(folder: Path, what: str = "plain") -> FrozenModel:
    """A tiny model, frozen, and as `model.xml` in `folder`."""
    from inference.models import convert_child, frozen_graph  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    frozen = frozen_graph.freeze("tiny", tiny.save(folder / "model", what), default_size=tiny.SIZE)
    assert convert_child.convert(frozen, folder / "model.xml") is None
    return frozen


@pytest.mark.parametrize("what", ["plain", "default", "softmax", "named", "callable", "open", "convolution"])
def test_both_engines_give_the_models_own_logits_and_features(tmp_path: Path, what: str) -> None:
    """A softmax at the end is left out; the features are what the model names, else the layer under the
    logits."""
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO
    from inference.models.engines.tensorflow import TensorFlowEngine  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    frozen = converted(tmp_path, what)
    assert (frozen.input_size, frozen.classes, frozen.features) == (tiny.SIZE, tiny.CLASSES, True)
    for engine in (TensorFlowEngine(frozen), OpenVINOEngine(tmp_path / "model.xml")):
        for count in (1, 3, 8):
            batch = crops(count)
            pixels = batch.astype(np.float32) / 255
            logits, features = engine.predict(batch)
            assert features is not None
            assert logits.dtype == features.dtype == np.float32
            np.testing.assert_allclose(logits, tiny.Tiny().logits(pixels), atol=1e-4)
            expected = tiny.Tiny().features(pixels) * (2 if what == "named" else 1)
            np.testing.assert_allclose(features, expected, atol=1e-4)


def test_threads_that_predict_at_once_get_their_own_answers(tmp_path: Path) -> None:
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO
    from inference.models.engines.tensorflow import TensorFlowEngine  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    frozen = converted(tmp_path)
    batches = [crops(1 + number % 5) for number in range(60)]
    for engine in (TensorFlowEngine(frozen), OpenVINOEngine(tmp_path / "model.xml")):
        with ThreadPoolExecutor(8) as threads:
            given = list(threads.map(engine.predict, batches))
        for batch, prediction in zip(batches, given, strict=True):
            expected = tiny.Tiny().logits(batch.astype(np.float32) / 255)
            np.testing.assert_allclose(prediction.logits, expected, atol=1e-4)


def test_no_two_threads_make_openvinos_first_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They might wait for each other for ever, in one start of twenty."""
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO

    converted(tmp_path)
    ran = []

    class CountingQueue(queue.SimpleQueue[Any]):
        def put(self, request: Any, *_: Any) -> None:
            ran.append(request.latency > 0)
            super().put(request)

    monkeypatch.setattr("inference.models.engines.openvino.queue.SimpleQueue", CountingQueue)
    monkeypatch.setattr("inference.cpus.usable", lambda: 2)
    OpenVINOEngine(tmp_path / "model.xml")
    assert ran == [True] * 3


def test_a_model_that_openvino_cannot_run_is_told_so(tmp_path: Path) -> None:
    from inference.models import convert_child  # noqa: PLC0415 - imports TensorFlow

    (tmp_path / "model.xml").write_text("rubbish")
    objection = convert_child.compare(Changed(), tmp_path / "model.xml", 32)
    assert objection == "OpenVINO cannot run it (RuntimeError)"


def test_a_model_that_openvino_cannot_read_is_told_so_and_the_log_keeps_its_level(tmp_path: Path) -> None:
    from inference.models import convert_child, frozen_graph  # noqa: PLC0415 - imports TensorFlow

    rubbish = SimpleNamespace(as_graph_def=lambda: SimpleNamespace(SerializeToString=lambda: b"rubbish"))
    unreadable = cast("frozen_graph.FrozenModel", SimpleNamespace(function=SimpleNamespace(graph=rubbish)))
    root = logging.getLogger()
    before = root.level, list(root.filters)
    objection = convert_child.convert(unreadable, tmp_path / "model.xml")
    assert objection is not None
    assert objection.startswith("OpenVINO cannot read it")
    assert (root.level, root.filters) == before
    assert not list(tmp_path.iterdir())


def test_a_result_outlives_the_next_call(tmp_path: Path) -> None:
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO

    converted(tmp_path)
    engine = OpenVINOEngine(tmp_path / "model.xml")
    first = engine.predict(crops(2))
    kept = first.logits.copy()
    engine.predict(255 - crops(2))
    np.testing.assert_array_equal(first.logits, kept)


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("nothing", "no usable signature: it has none at all"),
        ("strings", "takes images string"),
        ("two", "takes images float32 .*more float32"),
        ("grey", r"takes images float32 \(None, 32, 32, 1\)"),
        ("single", r"only pictures of the shape \(1, 32, 32, 3\)"),
        ("oblong", r"only pictures of the shape \(None, 32, 64, 3\)"),
        ("boxes", r"gives boxes float32 \(None, 5, 1\), which is no classification"),
        ("unnamed", "gives first float32 .*second float32 .*no classification"),
    ],
)
def test_a_model_that_breaks_the_contract_is_told_so(tmp_path: Path, what: str, found: str) -> None:
    from inference.models import frozen_graph  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "model", what)
    with pytest.raises(ModelUnavailable, match=f"The model tiny.*{found}") as caught:
        frozen_graph.freeze("tiny", folder, default_size=tiny.SIZE)
    assert "common signature for image classification" in str(caught.value)


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_savedmodel_is_one_clear_error(tmp_path: Path, file: str) -> None:
    from inference.models import frozen_graph  # noqa: PLC0415 - imports TensorFlow
    from tests.inference import tiny  # noqa: PLC0415 - imports TensorFlow

    folder = tiny.save(tmp_path / "model")
    (folder / file).write_bytes((folder / file).read_bytes()[:40])
    with pytest.raises(ModelUnavailable, match=r"The model tiny cannot be loaded.*fetch it again"):
        frozen_graph.freeze("tiny", folder, default_size=tiny.SIZE)


class Changed:
    """An engine whose answers are another's, changed."""

    name = "changed"

    def __init__(self, logits: float = 0, features: float = 0, *, fewer: bool = False) -> None:
        self.logits, self.features, self.fewer = logits, features, fewer

    def predict(self, batch: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Prediction:
        ramp = np.tile(np.linspace(0, 0.01, 20, dtype=np.float32), (len(batch), 1))
        logits = ramp.copy()
        logits[:, 0] += self.logits
        features = ramp + np.float32(self.features)
        return Prediction(logits, None if self.fewer else features)


@pytest.mark.parametrize(
    ("changed", "objection"),
    [
        (Changed(), None),
        (Changed(logits=5e-4), None),
        (Changed(logits=2e-3), "logits differ from TensorFlow's by 0.002"),
        (Changed(logits=float("nan")), "logits differ from TensorFlow's by nan"),
        (Changed(features=1e-2), "features differ from TensorFlow's by 0.01"),
        (Changed(fewer=True), "it has other outputs than TensorFlow"),
    ],
)
def test_an_engine_is_taken_only_if_it_agrees(changed: Changed, objection: str | None) -> None:
    from inference.models.convert_child import agreement  # noqa: PLC0415 - imports TensorFlow

    assert (agreement(Changed(), changed, 32) or "").endswith(objection or "")
    assert (agreement(Changed(), changed, 32) is None) == (objection is None)


def test_a_change_of_order_among_the_top_labels_is_no_agreement() -> None:
    from inference.models.convert_child import agreement  # noqa: PLC0415 - imports TensorFlow

    class Swapped(Changed):
        def predict(self, batch: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Prediction:
            given = super().predict(batch)
            given.logits[:, [-1, -2]] = given.logits[:, [-2, -1]]
            return given

    assert agreement(Changed(), Swapped(), 32) == "its top 5 differ from TensorFlow's"


def test_the_built_in_pictures_are_pictures_and_always_the_same() -> None:
    from inference.models.convert_child import pictures  # noqa: PLC0415 - imports TensorFlow

    made = pictures(48)
    assert [len(batch) for batch in made] == [1, 2, 5]
    for batch, again in zip(made, pictures(48), strict=True):
        assert batch.dtype == np.uint8
        assert batch.shape[1:] == (48, 48, 3)
        assert batch.std() > 20
        np.testing.assert_array_equal(batch, again)


@pytest.mark.parametrize(
    ("files", "own", "cores"),
    [
        ({"cpu.max": "max 100000"}, "0::/", 8),
        ({"cpu.max": "150000 100000"}, "0::/", 2),
        ({"a/b/cpu.max": "300000 100000", "a/cpu.max": "100000 100000"}, "0::/a/b", 1),
        ({"cpu,cpuacct/docker/cpu.cfs_quota_us": "250000"}, "4:cpu,cpuacct:/docker\n3:memory:/docker", 3),
        ({"cpu,cpuacct/docker/cpu.cfs_quota_us": "-1"}, "4:cpu,cpuacct:/docker", 8),
        ({"cpu.max": "10000 100000"}, "0::/", 1),
        ({}, "0::/gone", 8),
    ],
)
def test_threads_are_the_cores_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], own: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        if path.name == "cpu.cfs_quota_us":
            path.with_name("cpu.cfs_period_us").write_text("100000\n")
    (tmp_path / "own").write_text(own + "\n")
    assert cpus.usable(tmp_path, tmp_path / "own") == cores
