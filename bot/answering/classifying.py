"""Sources -> outcomes: each image fetched and classified, side by side, none at its neighbour's cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from bot.download.downloader import DownloadError
from bot.intake.message_images import Source
from bot.presentation.answer import Outcome
from inference.results import InferenceError

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["look_at"]

RANKED = 10
"""Labels of an image that are asked for: as many as "More" shows. Fewer would cost the model the same."""

log = logging.getLogger(__name__)


async def look_at(
    bot: Whatsit, sources: Sequence[Source], *, group: Hashable, model: str | None = None
) -> list[Outcome]:
    """One outcome for each of `sources`, in their order; only cancellation is raised.

    `group` shares the queue out fairly: the server, or the person in a direct message. `model`: see `Models`.
    """
    return await asyncio.gather(*(_look_at(bot, source, group, model) for source in sources))


async def _look_at(bot: Whatsit, source: Source, group: Hashable, model: str | None) -> Outcome:
    limit = bot.settings.limits.image_bytes
    # What Discord tells no size of may be as large as is allowed; what is larger is never fetched.
    size = limit if source.size is None else min(source.size, limit)
    try:
        async with bot.models.admit(size, group=group, model=model) as admission:
            data = await bot.fetcher.fetch(source.url, size=source.size, dimensions=source.dimensions)
            return Outcome(source, await admission.classify(data, top=RANKED))
    except (InferenceError, DownloadError) as error:
        log.info("%s of one image: %s", type(error).__name__, error)
        return Outcome(source, error)
    except Exception as error:
        # Nobody foresaw it: it is logged whole, and still costs its neighbours nothing.
        log.exception("An image failed for no known reason")
        return Outcome(source, error)
