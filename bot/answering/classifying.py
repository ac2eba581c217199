"""Fetch images and classify them, side by side, none at its neighbour's cost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bot.answering.image_fetching import ImageFetching
from bot.download.downloader import DownloadError
from bot.image_source import ImageSource
from bot.presentation.answer import Outcome
from bot.tracing.request_tracing import FAILED, NAMED, ImageTrace, RequestTrace
from inference.results import RANKED, Classification, Features, InferenceError

if TYPE_CHECKING:
    from inference.serving.client import Admission

log = logging.getLogger(__name__)


class ImageClassifying:
    """From where an image is to what is in it."""

    def __init__(self, fetching: ImageFetching) -> None:
        self._fetching = fetching

    async def classify(
        self,
        images: Sequence[ImageSource],
        *,
        group: Hashable,
        model: str | None = None,
        on_cost: Callable[[float], None],
        trace: RequestTrace,
        features: Features = "",
    ) -> list[Outcome]:
        """Return one outcome for each image, in their order; only cancellation is raised.

        `group` shares the queue out fairly: the server, or the person in a direct message. `model` is the
        one that the server chose, if it chose one. `on_cost` is told the core-seconds that each image took,
        also of one that failed, was given up or was cancelled, and then perhaps later. `trace` is told of
        each image. `features`: what is wanted beside the labels.
        """
        return await asyncio.gather(
            *(
                self._classify(image, group, model, on_cost, trace.image(), features=features)
                for image in images
            )
        )

    async def _classify(
        self,
        image: ImageSource,
        group: Hashable,
        model: str | None,
        on_cost: Callable[[float], None],
        trace: ImageTrace,
        *,
        features: Features,
    ) -> Outcome:
        try:
            async with AsyncExitStack() as place:
                with trace.stage("queue"):
                    admission = await place.enter_async_context(
                        self._fetching.admit(image, group=group, model=model)
                    )
                with trace.stage("download"):
                    data = await self._fetching.fetch(image)
                trace.facts["bytes"] = len(data)
                return Outcome(image, await _classified(admission, data, on_cost, trace, features=features))
        except (InferenceError, DownloadError) as error:
            trace.ended(error.code, why=str(error))
            return Outcome(image, error)
        except Exception as error:
            # Nobody foresaw it: it is logged whole, and still costs its neighbours nothing.
            log.exception("Classifying the image %s failed unexpectedly; please report this", trace.id)
            trace.ended(FAILED)
            return Outcome(image, error)


async def _classified(
    admission: Admission,
    data: bytes,
    on_cost: Callable[[float], None],
    trace: ImageTrace,
    *,
    features: Features,
) -> Classification:
    """Classify, and tell `trace` how long the worker was waited for and how long it worked."""
    begun = time.perf_counter()
    worked = 0.0
    try:
        classification = await admission.classify(data, top=RANKED, on_cost=on_cost, features=features)
        if classification.core_seconds:
            decode, predict = classification.decode_ms / 1000, classification.predict_ms / 1000
            trace.took("decode", decode)
            trace.took("predict", predict)
            worked = decode + predict
        else:
            trace.facts["remembered"] = True
    finally:
        trace.took("wait", max(0.0, time.perf_counter() - begun - worked))
    trace.facts |= {
        "model": classification.model,
        "engine": classification.engine,
        "views": classification.views,
    }
    trace.ended(NAMED)
    return classification
