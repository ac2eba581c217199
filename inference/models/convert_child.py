"""Freezes a model, converts it for OpenVINO and compares the two: the part of `convert` in a child process.

Imports TensorFlow and OpenVINO.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models import frozen_graph
from inference.models.child_process import Report
from inference.models.convert import HEAD, MODEL, VERDICT, ConversionResult
from inference.models.engines import Engine, Prediction
from inference.models.engines.openvino import OpenVINOEngine
from inference.models.engines.tensorflow import TensorFlowEngine

TOLERANCE = 1e-3
"""Difference allowed on logits and features; MobileNetV2 and EfficientNet-Lite0 showed 5e-5."""

RANKS = 5


def prepare(*, name: str, saved_model: str, folder: str, default_size: int, report: Report) -> None:
    """Write what `inference.models.convert` reads into the new `folder`: the verdict, and, only if OpenVINO
    agrees with TensorFlow, the model as OpenVINO takes it."""
    place = Path(folder)
    place.mkdir()
    report(f"reading {name}", 0.1)
    frozen = frozen_graph.freeze(name, Path(saved_model), default_size=default_size)
    reference = TensorFlowEngine(frozen)
    report(f"converting {name} for OpenVINO", 0.3)
    objection = convert(frozen, place / MODEL)
    if objection is None:
        report(f"comparing OpenVINO with TensorFlow on {name}", 0.6)
        objection = compare(reference, place / MODEL, frozen.input_size)
    if objection is not None:
        for file in place.iterdir():
            file.unlink()
    elif frozen.head is not None:
        np.save(place / HEAD, frozen.head)
    verdict = ConversionResult(frozen.input_size, frozen.classes, objection)
    (place / VERDICT).write_text(json.dumps(verdict._asdict()), encoding="utf-8")


def convert(frozen: frozen_graph.FrozenModel, path: Path) -> str | None:
    """Write the OpenVINO model to `path`. Returns None, or why that cannot be done."""
    # After the engine's module, which forbids the telemetry: that forks, and a fork among threads hangs.
    import openvino  # noqa: PLC0415

    root = logging.getLogger()
    level, filters = root.level, list(root.filters)
    file = path.with_suffix(".pb")  # OpenVINO 2026.4 cannot take the graph itself on Python 3.13: a NameError
    try:
        file.write_bytes(frozen.function.graph.as_graph_def().SerializeToString())
        model = openvino.convert_model(file)
        outputs = [model.output(f"{tensor.op.name}:0") for tensor in frozen.function.outputs]
        ordered = openvino.Model([output.get_node() for output in outputs], model.get_parameters(), "whatsit")
        openvino.save_model(ordered, path, compress_to_fp16=False)
    except Exception as error:  # noqa: BLE001 - after any error, TensorFlow runs the model
        return f"OpenVINO cannot read it ({type(error).__name__})"
    finally:
        # A conversion that fails leaves the root logger silent about warnings.
        root.setLevel(level)
        root.filters[:] = filters
        file.unlink(missing_ok=True)
    return None


def compare(reference: Engine, path: Path, size: int) -> str | None:
    """Return what `agreement` says of OpenVINO, or why OpenVINO cannot run the model at all."""
    try:
        engine = OpenVINOEngine(path)
    except Exception as error:  # noqa: BLE001 - as above
        return f"OpenVINO cannot run it ({type(error).__name__})"
    return agreement(reference, engine, size)


def agreement(reference: Engine, other: Engine, size: int) -> str | None:
    """Return None if both engines answer alike on the built-in pictures, else in what they differ."""
    for picture in pictures(size):
        expected, given = reference.predict(picture), other.predict(picture)
        if objection := _difference(expected, given):
            return objection
    return None


def _difference(expected: Prediction, given: Prediction) -> str | None:
    best, found = (np.argsort(-side.logits, axis=1, kind="stable")[:, :RANKS] for side in (expected, given))
    logits = float(np.abs(expected.logits - given.logits).max())
    # `not <=`: a NaN is no agreement.
    if not logits <= TOLERANCE:
        return f"its logits differ from TensorFlow's by {logits:.2g}"
    if not np.array_equal(best, found):
        return f"its top {RANKS} differ from TensorFlow's"
    if expected.features is None or given.features is None:
        return None if expected.features is given.features else "it has other outputs than TensorFlow"
    features = float(np.abs(expected.features - given.features).max())
    return None if features <= TOLERANCE else f"its features differ from TensorFlow's by {features:.2g}"


def pictures(size: int) -> list[NDArray[np.uint8]]:
    """Make the built-in inputs: batches of 1, 2 and 5 pictures, uint8 [n, size, size, 3], always the same.

    They are soft shadings with discs of other colours in them and a little noise.
    """
    random = np.random.default_rng(20)
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    made = []
    for _ in range(8):
        waves = random.uniform(0.5, 6, (3, 2))
        shade = np.stack([np.sin(a * x * 3 + b * y * 3 + a) for a, b in waves], axis=-1)
        for _ in range(4):
            centre, radius = random.uniform(0.1, 0.9, 2), random.uniform(0.05, 0.3)
            disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
            shade[disc] = random.uniform(-1, 1, 3)
        made.append(127.5 * (1 + shade) + random.normal(0, 8, shade.shape))
    whole = np.clip(np.stack(made), 0, 255).astype(np.uint8)
    return [whole[:1], whole[1:3], whole[3:]]
