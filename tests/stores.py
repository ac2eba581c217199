"""A store for a bot under test, in a folder of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, event

from bot.store import Store, defaults
from config.settings import Data, Settings, StoreSettings

__all__ = ["Stores", "open_store", "opened_store", "statements"]


@dataclass
class Stores:
    """The store of one test, opened once for each start of its bot."""

    folder: Path
    opened: list[Store] = field(default_factory=list)

    async def open(self, settings: Settings) -> Store:
        """For a bot that starts."""
        self.opened.append(await open_store(settings, self.folder))
        return self.opened[-1]

    async def close(self, *stores: Store) -> None:
        """For bots that have ended."""
        for store in stores:
            self.opened.remove(store)
            await store.close()


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


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that reach any database until the block is left."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
