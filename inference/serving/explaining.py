"""Heat maps of one picture, made in the worker from the windows of it that the model looks at again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.images.views import DecodedFrame, centre
from inference.models import heat_maps
from inference.models.fingerprint import unpack
from inference.serving.protocol import HeatReply

if TYPE_CHECKING:
    from inference.models.loading import LoadedModel

SHOWN_SIDE = 480
"""Pixels along the long side of the copy that the maps are laid over: as wide as Discord shows a picture."""


def heat_of(
    picture: DecodedFrame, classes: Sequence[int | bytes], model: LoadedModel
) -> tuple[HeatReply, int]:
    """Return the maps of `classes`, indices or packed directions, and how many crops were predicted for them.

    `picture` may still have to be turned upright. Raises ValueError for a class that the model has not, and
    for a direction of another length than the model's features.
    """
    upright = picture.upright()
    size = upright.width, upright.height
    if model.engine.head is None:
        made, crops = _covered(upright, classes, model), heat_maps.PATCHES**2 + 1
    else:
        boxes = heat_maps.windows(*size)
        views = np.stack([upright.view(box, model.input_size) for box in boxes])
        activations = model.engine.predict(views, maps=True).maps
        if activations is None:
            raise ValueError("the engine gave no maps")
        directions = np.stack([_direction(each, model.engine.head) for each in classes])
        weighted = np.asarray(np.moveaxis(activations @ directions.T, -1, 1), np.float32)
        made, crops = heat_maps.average(np.ascontiguousarray(weighted), boxes, size), len(boxes)
    shrunk = min(SHOWN_SIDE / max(size), 1.0)
    shown = upright.image.resize(
        (max(round(size[0] * shrunk), 1), max(round(size[1] * shrunk), 1)), Image.Resampling.HAMMING
    )
    rows, columns = made.seen.shape
    return (
        HeatReply(
            size=shown.size,
            pixels=shown.tobytes(),
            columns=columns,
            rows=rows,
            maps=tuple(each.tobytes() for each in made.maps),
            seen=made.seen.tobytes(),
            method="occlusion" if model.engine.head is None else "activation",
        ),
        crops,
    )


def _direction(chosen: int | bytes, head: NDArray[np.float32]) -> NDArray[np.float32]:
    if isinstance(chosen, bytes):
        direction = unpack(chosen)
        if direction.shape != head.shape[:1]:
            raise ValueError(f"a direction has {len(direction)} numbers, and the features {len(head)}")
        return direction
    if chosen >= head.shape[1]:
        raise ValueError(f"there is no class {chosen}")
    return head[:, chosen]


def _covered(picture: DecodedFrame, classes: Sequence[int | bytes], model: LoadedModel) -> heat_maps.HeatMaps:
    """Map by covering parts of the centre; a direction counts by the features it is multiplied with."""
    window = centre(picture.width, picture.height)

    def score(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        predicted = model.engine.predict(crops)
        columns: list[NDArray[np.float32]] = []
        for each in classes:
            if isinstance(each, int):
                columns.append(predicted.logits[:, each])
            elif predicted.features is not None:
                columns.append(predicted.features @ unpack(each))
            else:
                raise ValueError("the model has no features for a direction")
        return np.stack(columns, axis=1)

    return heat_maps.occlusion(
        picture.view(window, model.input_size), window, (picture.width, picture.height), score
    )
