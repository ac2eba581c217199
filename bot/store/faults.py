"""The errors of the store. The message of each names the place, what is wrong, and what to do."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from bot.store.location import Location


class StoreError(Exception):
    """The store cannot do what it was asked; the message says where it is and what to do."""


class StoreUnavailable(StoreError):
    """The store cannot be reached, read or written now."""


class StoreClosed(StoreUnavailable):
    """It was closed, because the bot is about to end."""


class StoreInUse(StoreUnavailable):
    """Another bot holds it."""

    def __init__(self, location: Location) -> None:
        super().__init__(
            f"{location} is used by another Whatsit, and two would answer everything twice. Stop the other "
            "one, or name another store (`data.dir`, `store.url`). Processes of one bot that are to share "
            "it, each with a shard, are started with `--shards auto`, or with `store.shared`."
        )


class StoreOfAnotherBot(StoreError):
    """Processes of another application share it."""

    def __init__(self, application_id: str) -> None:
        super().__init__(
            f"The store is shared by processes of the bot with the application id {application_id}, and this "
            "is another bot: each would strike out the other's work and erase its servers. Name another "
            "store (`store.url`), one for each bot. If that bot has become this one, start this one once "
            "without `store.shared`."
        )


class StoreDamaged(StoreError):
    """The file is no SQLite database, or a broken one."""


class StoreTooNew(StoreError):
    """A newer Whatsit wrote the store, and this one cannot read it."""


_MAY = "Give Whatsit's user the right to read and write it and its folder"
_SQLITE = {
    "SQLITE_READONLY": f"it is write-protected. {_MAY}",
    "SQLITE_CANTOPEN": f"it cannot be opened. {_MAY}",
    "SQLITE_PERM": f"it cannot be opened. {_MAY}",
    "SQLITE_FULL": "the disk is full. Make room",
    "SQLITE_IOERR": "the disk failed to read or write it. Check the disk",
    "SQLITE_BUSY": "another program holds it. End that program",
    "SQLITE_LOCKED": "another program holds it. End that program",
}
_POSTGRESQL = {
    "08": "the connection was lost. Check that PostgreSQL runs and can be reached",
    "28": "it refuses this user or password. Check `store.url`",
    "3D": "there is no such database. Create it (`createdb`), or check `store.url`",
    "42501": "this user may not do that there. Make the user the owner of the database",
    "53": "it has run out of room, memory or connections. Give it more",
    "57P": "it is shutting down or starting up. Try again in a moment",
}


def explain(error: BaseException, location: Location) -> StoreError | None:
    """Return the `StoreError` that a driver's or the system's error amounts to; None if it amounts to none.

    A driver's complaint about a statement is none: that is a bug of ours, for which no way out can be named.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")  # of errors that SQLite itself raised
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            return damaged(location, str(error))
        what = _first(_SQLITE, name)
        way_out = ", or name another place (`data.dir`, `store.url`)"
    elif isinstance(error, OSError):  # a folder that may not be made; a host that is not there
        what = f"{error.strerror or str(error) or 'it did not answer in time'}. "
        what += _MAY if location.file else "Check that PostgreSQL runs and that `store.url` is right"
        way_out = ", or name another place (`data.dir`, `store.url`)" if location.file else ""
    else:
        lost = "connection is closed" in str(error)  # asyncpg's InterfaceError comes without a state
        what = _first(_POSTGRESQL, "08" if lost else getattr(error, "sqlstate", None) or "")
        way_out = ""
    return StoreUnavailable(f"{location} cannot be used: {what}{way_out}.") if what else None


def _first(table: dict[str, str], code: str) -> str | None:
    return next((what for prefix, what in table.items() if code.startswith(prefix)), None)


def damaged(location: Location, detail: str) -> StoreDamaged:
    """Return the error for a file that SQLite cannot read; `detail` is SQLite's own word for it."""
    return StoreDamaged(
        f"{location} is damaged ({detail}). Stop Whatsit and put a backup in its place; without one, "
        f"`sqlite3 {location} .recover` may save what is left. Moved away together with its -wal and -shm "
        "files, Whatsit starts anew with an empty one."
    )
