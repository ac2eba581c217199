"""Both engines give what the SavedModel gives."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

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
            logits, features, maps = engine.predict(batch)
            assert maps is None
            assert features is not None
            assert logits.dtype == features.dtype == np.float32
            np.testing.assert_allclose(logits, tiny.Tiny().logits(pixels), atol=1e-4)
            expected = tiny.Tiny().features(pixels) * (2 if what == "named" else 1)
            np.testing.assert_allclose(features, expected, atol=1e-4)


@pytest.mark.parametrize("what", ["plain", "softmax"])
def test_the_features_are_the_average_of_the_maps_and_the_head_makes_logits_of_them(
    tmp_path: Path, what: str
) -> None:
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO
    from inference.models.engines.tensorflow import TensorFlowEngine  # noqa: PLC0415 - imports TensorFlow

    frozen = converted(tmp_path, what)
    assert frozen.head is not None
    np.save(tmp_path / "head.npy", frozen.head)
    for engine in (TensorFlowEngine(frozen), OpenVINOEngine(tmp_path / "model.xml")):
        logits, features, maps = engine.predict(crops(3), maps=True)
        assert engine.head is not None
        assert features is not None
        assert maps is not None
        np.testing.assert_allclose(maps.mean(axis=(1, 2)), features, atol=1e-4)
        bias = logits - features @ engine.head
        np.testing.assert_allclose(bias, np.tile(bias[:1], (3, 1)), atol=1e-3)


def test_a_model_whose_last_layer_is_no_product_has_no_maps(tmp_path: Path) -> None:
    frozen = converted(tmp_path, "convolution")
    assert frozen.head is None


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


def test_a_result_outlives_the_next_call(tmp_path: Path) -> None:
    from inference.models.engines.openvino import OpenVINOEngine  # noqa: PLC0415 - imports OpenVINO

    converted(tmp_path)
    engine = OpenVINOEngine(tmp_path / "model.xml")
    first = engine.predict(crops(2))
    kept = first.logits.copy()
    engine.predict(255 - crops(2))
    np.testing.assert_array_equal(first.logits, kept)
