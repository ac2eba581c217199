"""The model gives the same answer to a picture that was scaled down while it was decoded."""

from __future__ import annotations

from io import BytesIO
from itertools import product
from pathlib import Path

import matplotlib
import numpy as np
import openvino
import pytest
import skimage
from PIL import Image

from config.settings import Limits
from inference.images.decode import decode
from inference.images.views import centre
from tests.inference.hostile import encoded

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]

SIZE = 224
PICTURES = ("chelsea.png", "coffee.png", "rocket.jpg", "astronaut.png", "camera.png", "motorcycle_left.png")
FOLDER = Path(skimage.__file__).parent / "data"
PHOTOGRAPHS = [
    Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg",
    *(FOLDER / f"{name}" for name in PICTURES),
]
RATIOS = (1, 4 / 3, 16 / 9)
CUTS = [
    *((m, r, 0.85 + n % 4 * 0.05) for n, (m, r) in enumerate(product((0.3, 0.9, 2, 4), RATIOS))),
    *product((0.3, 1.7, 4), RATIOS, (0.7, 1)),
]
"""Megapixels, aspect ratio, and how much of the photograph."""


def photographs() -> list[bytes]:
    """JPEGs of 0.3 to 4 megapixels, 1:1, 4:3 and 16:9, each of another part of a photograph."""
    files = []
    for path in PHOTOGRAPHS:
        with Image.open(path) as picture:
            whole = picture.convert("RGB")
        whole.info.clear()
        for megapixels, ratio, part in CUTS:
            width = min(whole.width, whole.height * ratio) * part
            left, top = (whole.width - width) / 2, (whole.height - width / ratio) / 2
            size = round((megapixels * 1e6 * ratio) ** 0.5), round((megapixels * 1e6 / ratio) ** 0.5)
            box = (left, top, left + width, top + width / ratio)
            files.append(encoded(whole.resize(size, Image.Resampling.LANCZOS, box=box), "JPEG", quality=90))
    return files


def test_labels_agree_with_a_full_decode(embedded_model: Path) -> None:
    # As Whatsit runs it: in bfloat16, which some processors would take, other labels flip.
    model = openvino.Core().compile_model(str(embedded_model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits = model.output("logits")
    same = []
    for data in photographs():
        with Image.open(BytesIO(data)) as full:
            exact = full.resize((SIZE, SIZE), Image.Resampling.HAMMING, box=centre(*full.size))
        quick = decode(data, input_size=SIZE, views="1", limits=Limits()).first[0]
        both = np.stack([np.asarray(exact), quick]).astype(np.float32) / 255
        first, second = model(both)[logits].argmax(axis=1)
        same.append(first == second)
    assert np.mean(same) >= 0.98, f"{np.sum(same)} of {len(same)} labels agree"
