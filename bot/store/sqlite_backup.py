"""Back up a SQLite store while the bot goes on, and put a backup in its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.store.check import StoreReport, check_file, open_to_read, refuse_unusable
from bot.store.faults import StoreUnavailable, explain
from bot.store.location import Location

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file; it belongs to that file and to no other."""


def back_up_file(source: Path, target: Path) -> StoreReport:
    """Copy a store to `target`, which must not be there yet, and return what is in the copy.

    SQLite copies all of it in one transaction: what is written meanwhile is not in the copy, and waits for
    nothing. The copy is checked before it gets its name. Raises a `StoreError`.
    """
    if not source.is_file():
        raise StoreUnavailable(f"{source} is not there: there is nothing to back up yet.")
    with _made_whole(target) as unfinished:
        copy_file(source, unfinished)
        report = check_file(unfinished)
        report.place = str(target)
        refuse_unusable(report)
    return report


def restore_file(backup: Path, store: Path, old: Path) -> bool:
    """Put a copy of `backup` in the place of `store`, which nobody may use meanwhile.

    The store that was there is called `old` then; returns whether there was one. Raises a `StoreError`, and
    then nothing has changed.
    """
    refuse_unusable(check_file(backup))
    if old.exists():
        raise StoreUnavailable(f"{old} is there already. Move it away.")
    unfinished = store.with_name(f"{store.name}.restoring")
    try:
        _remove(unfinished)
        copy_file(backup, unfinished)
        kept = _rename_store(store, old)
        try:
            unfinished.rename(store)
        except BaseException:
            if kept:
                _rename_store(old, store)
            raise
        _sync_folder(store.parent)
    except OSError as error:
        raise explain(error, Location.of_file(store)) or error from error
    finally:
        _remove(unfinished)
    return kept


def copy_file(source: Path, target: Path) -> None:
    """Copy a database that may be in use into a new file, which nobody else may read."""
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(open_to_read(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
            # One file then holds all of it, wherever somebody carries it.
            new.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise explain(error, Location.of_file(source)) or error from error
    with target.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """Give a file to write to, which gets the name `target` when the block is left without an error."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        if target.exists():
            raise StoreUnavailable(f"{target} is there already. Name another file, or move that one away.")
        _remove(unfinished)
        yield unfinished
        unfinished.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise StoreUnavailable(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        _remove(unfinished)


def _rename_store(store: Path, name: Path) -> bool:
    """Rename a store with all that belongs to it; return whether there was one."""
    if not store.exists():
        return False
    store.rename(name)
    for suffix in BESIDE:
        with suppress(FileNotFoundError):
            Path(f"{store}{suffix}").rename(f"{name}{suffix}")
    return True


def _remove(file: Path) -> None:
    for suffix in ("", *BESIDE):
        Path(f"{file}{suffix}").unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """See that a new name outlives a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
