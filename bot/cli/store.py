"""`whatsit store`: backs up, restores, checks and moves what the bot remembers."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bot.cli import FAILED, OK, USAGE
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import safe
from bot.store import StoreError
from bot.store.check import StoreReport, check
from bot.store.faults import StoreDamaged, StoreUnavailable
from bot.store.location import Location, locate
from bot.store.migrations import HEAD
from bot.store.moving import move
from bot.store.postgresql_backup import back_up_postgresql, is_dump, restore_postgresql
from bot.store.sole_use import sole_use
from bot.store.sqlite_backup import back_up_file, restore_file
from config.settings import ConfigError, Settings, StoreSettings


def main(args: argparse.Namespace) -> int:
    """Return 0 if it was done, 1 if it could not be or the store is not sound, 2 for bad settings."""
    try:
        settings = settings_for(args)
        location = locate(settings.store, settings.data)
        match args.action:
            case "backup":
                return asyncio.run(_back_up(location, args.file))
            case "restore":
                return asyncio.run(_restore(location, args.file, settings))
            case "check":
                return asyncio.run(_check(location, as_json=args.json))
        target = locate(StoreSettings(url=args.url), settings.data)
        return asyncio.run(_move(location, target))
    except ConfigError as error:
        complain(error)
        return USAGE
    except StoreError as error:
        complain(error)
        return FAILED


async def _back_up(location: Location, file: Path) -> int:
    if location.file is not None:
        report = await asyncio.to_thread(back_up_file, location.file, file)
        rows = sum(report.rows.values())
        print(f"{safe(str(file))} has {rows:,} rows of {location}, {_size(report.size)}.")
    else:
        await asyncio.to_thread(back_up_postgresql, location, file)
        size = await asyncio.to_thread(lambda: file.stat().st_size)
        print(f"{safe(str(file))} is a dump of {location}, {_size(size)}.")
    print("It holds the key of the bot's buttons, and what members may want erased later: keep it safe.")
    return OK


async def _restore(location: Location, file: Path, settings: Settings) -> int:
    now = datetime.now(UTC)
    dump = await asyncio.to_thread(_is_dump, file)
    if dump and location.file is not None:
        raise StoreDamaged(
            f"{file} is a dump of a PostgreSQL, and the store is a SQLite file. Restore it where `store.url` "
            "is that PostgreSQL; `whatsit store move` brings it here."
        )
    if not dump and location.file is None:
        raise StoreDamaged(
            f"{file} is no dump of a PostgreSQL. If it is a backup of a SQLite store, set `store.url` to it "
            "(sqlite:////path/to/file), and `whatsit store move` brings it here."
        )
    async with sole_use(location):
        if location.file is not None:
            old = _unused(f"{location.file}.before-{now:%Y%m%d-%H%M%S}")
            kept = await asyncio.to_thread(restore_file, file, location.file, old)
        else:
            await asyncio.to_thread(settings.data.dir.mkdir, mode=0o700, parents=True, exist_ok=True)
            old, kept = _unused(f"{settings.data.dir}/whatsit.dump.before-{now:%Y%m%d-%H%M%S}"), True
            await asyncio.to_thread(restore_postgresql, file, location, old)
    print(f"{location} is as in {safe(str(file))} again.")
    if kept:
        print(f"What it was before is in {old}.")
    return OK


def _unused(name: str) -> Path:
    """Return a name that no file has yet: this one, or with a number."""
    names = (name, *(f"{name}-{number}" for number in range(2, 100)))
    return next(file for each in names if not (file := Path(each)).exists())


def _is_dump(file: Path) -> bool:
    try:
        return is_dump(file)
    except OSError as error:
        raise StoreUnavailable(f"{file} cannot be read: {error.strerror}.") from error


async def _check(location: Location, *, as_json: bool) -> int:
    report = await check(location)
    if as_json:
        print(json.dumps(asdict(report) | {"sound": report.is_sound}))
    else:
        print(_described(report))
    return OK if report.is_sound else FAILED


def _described(report: StoreReport) -> str:
    sound = "sound" if report.is_sound else "NOT sound"
    free = (
        f"{report.free:,} free pages of {report.page:,} bytes"
        if report.page
        else f"{report.free:,} deleted rows"
    )
    lines = [f"{report.place} is {sound}: version {report.version}, {_size(report.size)}, {free}."]
    lines += report.faults
    if report.is_sound and report.version != HEAD:
        lines.append(f"This Whatsit has version {HEAD}, to which it brings the store at its next start.")
    width = max(map(len, report.rows), default=0)
    return "\n".join([*lines, *(f"{name:<{width}}  {count:>12,}" for name, count in report.rows.items())])


async def _move(source: Location, target: Location) -> int:
    rows = await move(source, target, lambda table, count: print(f"{table}: {count:,}", flush=True))
    print(f"{target} has all {rows:,} rows, compared one by one with {source}, which is as it was.")
    print("Now put the new address into the settings (`store.url`, or WHATSIT_STORE__URL) and start the bot.")
    return OK


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
