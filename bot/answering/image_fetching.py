"""Get an image to the model: a place in the queue first, and then its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.answering.models import Models
from bot.download.downloader import Fetcher
from bot.image_source import ImageSource
from config.settings import Limits

if TYPE_CHECKING:
    from inference.serving.client import Admission


class ImageFetching:
    """What everything shares that looks at images which somebody posted."""

    def __init__(self, models: Models, fetcher: Fetcher, limits: Limits) -> None:
        self._models = models
        self._fetcher = fetcher
        self._limit = limits.image_bytes

    @asynccontextmanager
    async def admit(
        self, image: ImageSource, *, group: Hashable, model: str | None
    ) -> AsyncIterator[Admission]:
        """Admit an image as `Models.admit` does."""
        # What Discord tells no size of may be as large as is allowed; what is larger is never fetched.
        size = self._limit if image.size is None else min(image.size, self._limit)
        async with self._models.admit(size, group=group, model=model) as admission:
            yield admission

    async def fetch(self, image: ImageSource) -> bytes:
        """Return the bytes of an image. Raises a `DownloadError`."""
        return await self._fetcher.fetch(image.url, size=image.size, dimensions=image.dimensions)
