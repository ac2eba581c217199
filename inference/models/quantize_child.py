"""Quantises with NNCF and compares with f32: the part of `quantize` that runs in a child process.

How the model is quantised, and what each choice is worth, measured on EfficientNet-Lite0 with 1,300
photographs of ImageNet's validation set and 1,000 of its training set:

- Weights have 7 bits. Without VNNI a processor adds two products of 8 bits in 16, where they overflow: 8-bit
  weights cost 5.5 points of top-1 on AVX2 and on AVX-512. Sums of 7-bit weights cannot overflow, so every
  processor gives the same labels.
- Depthwise convolutions stay in f32. They add so few products that rounding errors do not cancel out. With
  them in int8, twice as many labels differ from f32's, and 23 % instead of 9 % on crops of unseen pictures.
- The range of an activation is all that calibration saw. NNCF's default, a mean over crops, cuts too much.

NNCF's accuracy control, which restores layers one by one, took 30 times as long and gave no better
result than the second choice.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import nncf
import numpy as np
import openvino
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix
from nncf.quantization.range_estimator import RangeEstimatorParametersSet
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from inference.images.views import DecodedFrame
from inference.models.child_process import Report
from inference.models.convert import MODEL
from inference.models.engines.openvino import OpenVINOEngine
from inference.results import ModelUnavailable

__all__ = ["Result", "make"]

CALIBRATION = 300
"""Crops that NNCF sees; its own default, too."""

JUDGED = 600
"""Crops to compare on. One standard error of the loss is about 0.1 points."""

HELD_OUT_EVERY = 3
"""One photograph in three is only compared on."""

SURE = 0.5
"""A model that is never this sure of its first label does not know what it was shown."""

BATCH = 8

PACKAGES = {"matplotlib": "mpl-data/sample_data", "skimage": "data", "sklearn": "datasets/images"}
"""Packages that carry photographs, and where."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}
SMALLEST_SIDE = 200
LARGEST_SIDE = 1024
PHOTOGRAPHS = 500


class Result(TypedDict):
    """See `inference.models.quantize.QuantizeReport`."""

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
) -> Result:
    """Write the int8 variant of the OpenVINO model `source` into the new folder `folder`, and compare the
    two."""
    nncf.set_log_level(logging.ERROR)
    pictures = _load(_files(Path(photographs) if photographs else None))
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
    calibration = list(_crops(seen, size, CALIBRATION, random))
    judged = np.concatenate(list(_crops(held_out, size, JUDGED, random)))
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
        # Not validated, because a model without depthwise convolutions is welcome too.
        ignored_scope=nncf.IgnoredScope(types=["GroupConvolution"], validate=False),
        advanced_parameters=AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.ENABLE,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )
    target = Path(folder)
    target.mkdir()
    openvino.save_model(quantised, target / MODEL, compress_to_fp16=False)
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
    return Result(
        lost=float(np.mean(probabilities.max(axis=1) - probabilities[np.arange(len(first)), first])),
        agreement=float(np.mean(expected.argmax(axis=1) == first)),
        crops=len(first),
        photographs=len(held_out),
        seconds=seconds,
        seconds_f32=seconds_f32,
    )


def _files(folder: Path | None) -> Iterator[Path]:
    folders = [folder] if folder else []
    for package, inside in PACKAGES.items() if folder is None else ():
        spec = importlib.util.find_spec(package)
        folders += [Path(place, inside) for place in spec.submodule_search_locations or ()] if spec else []
    for place in folders:
        yield from sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)


def _load(files: Iterator[Path]) -> list[Image.Image]:
    """What can be read and is large enough, as RGB of at most `LARGEST_SIDE` pixels."""
    loaded: list[Image.Image] = []
    for file in files:
        try:
            with Image.open(file) as image:
                if min(image.size) < SMALLEST_SIDE:
                    continue
                image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
                image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
                loaded.append(image.convert("RGB"))
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            continue  # an owner's folder holds all sorts of things
        if len(loaded) == PHOTOGRAPHS:
            break
    return loaded


def _crops(
    pictures: list[Image.Image], size: int, count: int, random: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Random crops, uint8 [1, size, size, 3], of 20 to 100 % of a picture's area and as many mirrored as
    not."""
    for i in range(count):
        picture = pictures[i % len(pictures)]
        side = int(min(picture.size) * np.sqrt(random.uniform(0.2, 1)))
        left, top = (int(random.integers(0, length - side + 1)) for length in picture.size)
        pixels = DecodedFrame(picture, *picture.size).view((left, top, left + side, top + side), size)[None]
        yield pixels[:, :, ::-1] if random.random() < 0.5 else pixels  # noqa: PLR2004 - heads or tails


def _logits(
    engines: tuple[OpenVINOEngine, OpenVINOEngine], crops: NDArray[np.uint8]
) -> list[tuple[NDArray[np.float32], float]]:
    """For each engine its logits, float32 [n, classes], and the fewest seconds a crop took in a batch. They
    take turns, so that whatever else the machine does slows both."""
    logits: tuple[list[NDArray[np.float32]], ...] = tuple([] for _ in engines)
    seconds = [float("inf") for _ in engines]
    for start in range(0, len(crops) - BATCH + 1, BATCH):
        batch = crops[start : start + BATCH]
        for i, engine in enumerate(engines):
            started = time.perf_counter()
            logits[i].append(engine.predict(batch).logits)
            seconds[i] = min(seconds[i], (time.perf_counter() - started) / BATCH)
    return [(np.concatenate(own), fewest) for own, fewest in zip(logits, seconds, strict=True)]
