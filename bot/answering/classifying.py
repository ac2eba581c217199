"""Fetch images and classify them, side by side, none at its neighbour's cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence

from bot.answering.models import Models
from bot.download.downloader import DownloadError, Fetcher
from bot.image_source import ImageSource
from bot.presentation.answer import Outcome
from config.settings import Limits
from inference.results import RANKED, InferenceError

log = logging.getLogger(__name__)


class ImageClassifying:
    """From where an image is to what is in it."""

    def __init__(self, models: Models, fetcher: Fetcher, limits: Limits) -> None:
        self._models = models
        self._fetcher = fetcher
        self._limit = limits.image_bytes

    async def classify(
        self,
        images: Sequence[ImageSource],
        *,
        group: Hashable,
        model: str | None = None,
        on_cost: Callable[[float], None],
    ) -> list[Outcome]:
        """Return one outcome for each image, in their order; only cancellation is raised.

        `group` shares the queue out fairly: the server, or the person in a direct message. `model` is the
        one that the server chose, if it chose one. `on_cost` is told the core-seconds that each image took,
        also of one that failed, was given up or was cancelled, and then perhaps later.
        """
        return await asyncio.gather(*(self._classify(image, group, model, on_cost) for image in images))

    async def _classify(
        self, image: ImageSource, group: Hashable, model: str | None, on_cost: Callable[[float], None]
    ) -> Outcome:
        # What Discord tells no size of may be as large as is allowed; what is larger is never fetched.
        size = self._limit if image.size is None else min(image.size, self._limit)
        try:
            async with self._models.admit(size, group=group, model=model) as admission:
                data = await self._fetcher.fetch(image.url, size=image.size, dimensions=image.dimensions)
                return Outcome(image, await admission.classify(data, top=RANKED, on_cost=on_cost))
        except (InferenceError, DownloadError) as error:
            log.info("An image of %s was not classified: %s: %s", group, type(error).__name__, error)
            return Outcome(image, error)
        except Exception as error:
            # Nobody foresaw it: it is logged whole, and still costs its neighbours nothing.
            log.exception("Classifying an image of %s failed unexpectedly; please report this", group)
            return Outcome(image, error)
