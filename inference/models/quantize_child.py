"""Quantises with NNCF and compares with f32: the part of `quantize` that runs in a child process.

How the model is quantised, and what each choice is worth, measured on EfficientNet-Lite0 with 1,300
photographs of ImageNet's validation set and 1,000 of its training set:

- Weights have 7 bits. Without VNNI a processor adds two products of 8 bits in 16, where they overflow: 8-bit
  weights cost 5.5 points of top-1 on AVX2 and on AVX-512. Sums of 7-bit weights cannot overflow. AVX2,
  AVX-512 and VNNI then give the same labels; AMX rounds differently, and names 98 % of random crops the same.
- Depthwise convolutions stay in f32. They add so few products that rounding errors do not cancel out. With
  them in int8, twice as many labels differ from f32's, and 23 % instead of 9 % on crops of unseen pictures.
- The range of an activation is all that calibration saw. NNCF's default, a mean over crops, cuts too much.

NNCF's accuracy control, which restores layers one by one, took 30 times as long and gave no better
result than the second choice.
"""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path
from typing import TypedDict

import nncf
import numpy as np
import openvino
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
from nncf.quantization.range_estimator import RangeEstimatorParametersSet
from numpy.typing import NDArray

from inference.models.child_process import Report
from inference.models.convert import HEAD, MODEL
from inference.models.engines.openvino import OpenVINOEngine
from inference.models.photographs import SMALLEST_SIDE, load_photographs, random_crops
from inference.results import ModelUnavailable

CALIBRATION = 300
"""Crops that NNCF sees, as many as by its own default."""

JUDGED = 600
"""Crops to compare on. One standard error of the loss is about 0.1 points."""

HELD_OUT_EVERY = 3
"""One photograph in three is only compared on."""

SURE = 0.5
"""A model that is never this sure of its first label does not know what it was shown."""

BATCH = 8


class QuantizeResult(TypedDict):
    """The figures of `inference.models.quantize.QuantizeReport`."""

    lost: float
    agreement: float
    crops: int
    photographs: int
    seconds: float
    seconds_f32: float


def make(
    *,
    name: str,
    source: str,
    folder: str,
    size: int,
    temperature: float,
    photographs: str | None,
    report: Report,
) -> QuantizeResult:
    """Write the int8 variant of the OpenVINO model `source` into the new `folder`, and compare the two.

    `size` is the input's height and width in pixels, `photographs` a folder or None for those of installed
    packages. Raises ModelUnavailable for too few photographs, or where the model knows none of them.
    """
    nncf.set_log_level(logging.ERROR)
    pictures = load_photographs(Path(photographs) if photographs else None)
    held_out = pictures[::HELD_OUT_EVERY]
    seen = [picture for i, picture in enumerate(pictures) if i % HELD_OUT_EVERY]
    if not seen:
        raise ModelUnavailable(
            f"There are too few photographs to calibrate {name} on and to judge it by: "
            + (
                f"{len(pictures)} in {photographs}"
                if photographs
                else "install matplotlib and scikit-image, which carry some"
            )
            + f". It takes two, better hundreds, each at least {SMALLEST_SIDE} pixels wide and high."
        )
    random = np.random.default_rng(7)
    report(f"cutting crops of {len(pictures)} photographs", 0.0)
    calibration = list(random_crops(seen, size, CALIBRATION, random))
    judged = np.concatenate(list(random_crops(held_out, size, JUDGED, random)))
    fed = 0

    def feed(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        nonlocal fed
        fed += 1
        report(f"quantising {name}", min(0.1 + 0.6 * fed / (2 * CALIBRATION), 0.7))
        return crop

    quantised = nncf.quantize(
        openvino.Core().read_model(source),
        nncf.Dataset(calibration, feed),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=CALIBRATION,
        # Not validated, because a model may have no depthwise convolutions.
        ignored_scope=nncf.IgnoredScope(types=["GroupConvolution"], validate=False),
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.ENABLE,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )
    target = Path(folder)
    target.mkdir()
    openvino.save_model(quantised, target / MODEL, compress_to_fp16=False)
    if (head := Path(source).with_name(HEAD)).exists():
        shutil.copy(head, target)
    report(f"comparing the int8 version of {name} with f32", 0.8)
    engines = (OpenVINOEngine(Path(source)), OpenVINOEngine(target / MODEL))
    (expected, seconds_f32), (given, seconds) = _logits(engines, judged)
    scaled = np.exp((expected - expected.max(axis=1, keepdims=True)) / temperature)
    probabilities = scaled / scaled.sum(axis=1, keepdims=True)
    if probabilities.max() < SURE:
        raise ModelUnavailable(
            f"The model {name} is sure of none of the pictures it was to be compared on: give it photographs "
            "of what it knows."
        )
    first = given.argmax(axis=1)
    return QuantizeResult(
        lost=float(np.mean(probabilities.max(axis=1) - probabilities[np.arange(len(first)), first])),
        agreement=float(np.mean(expected.argmax(axis=1) == first)),
        crops=len(first),
        photographs=len(held_out),
        seconds=seconds,
        seconds_f32=seconds_f32,
    )


def _logits(
    engines: tuple[OpenVINOEngine, OpenVINOEngine], crops: NDArray[np.uint8]
) -> list[tuple[NDArray[np.float32], float]]:
    """Return each engine's logits, float32 [n, classes], and the fewest seconds that a crop took in a batch.

    The engines take turns, so that other work on the machine slows both.
    """
    logits: tuple[list[NDArray[np.float32]], ...] = tuple([] for _ in engines)
    seconds = [float("inf") for _ in engines]
    for start in range(0, len(crops) - BATCH + 1, BATCH):
        batch = crops[start : start + BATCH]
        for i, engine in enumerate(engines):
            started = time.perf_counter()
            logits[i].append(engine.predict(batch).logits)
            seconds[i] = min(seconds[i], (time.perf_counter() - started) / BATCH)
    return [(np.concatenate(own), fewest) for own, fewest in zip(logits, seconds, strict=True)]
