"""A store for a bot under test, in a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store import Store, defaults
from config.settings import Data, Settings
from config.settings import Store as StoreSettings

__all__ = ["open_store", "opened_store"]


async def open_store(settings: Settings, folder: Path) -> Store:
    """The store that a bot with these settings has in `folder`; the same again if it was there before."""
    guild_defaults = defaults(settings.watch, settings.answers)
    return await Store.open(StoreSettings(), Data(dir=folder), guild_defaults=guild_defaults)


@asynccontextmanager
async def opened_store(settings: Settings, folder: Path | None = None) -> AsyncIterator[Store]:
    """Likewise, until the block is left; without a folder, one that is gone then."""
    with TemporaryDirectory(prefix="whatsit-store-") as temporary:
        store = await open_store(settings, folder or Path(temporary))
        try:
            yield store
        finally:
            await store.close()
