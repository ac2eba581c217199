"""OpenVINO is taken only where it says what TensorFlow says."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models.engines import Prediction

pytestmark = pytest.mark.filterwarnings("ignore:pkg_resources is deprecated:UserWarning")  # tensorflow_hub


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


class Changed:
    """An engine whose answers are another's, changed."""

    name = "changed"
    precision = "f32"
    head = None

    def __init__(self, logits: float = 0, features: float = 0, *, fewer: bool = False) -> None:
        self.logits, self.features, self.fewer = logits, features, fewer

    def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
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
        def predict(self, batch: NDArray[np.uint8], *, maps: bool = False) -> Prediction:
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
