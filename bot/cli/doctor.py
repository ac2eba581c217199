"""`whatsit doctor`: checks what the bot needs, and says what to do for each thing that fails."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bot.cli import FAILED, OK
from bot.cli.check_results import CheckResult, Level
from bot.cli.models import catalogue
from bot.cli.settings import settings_for
from bot.cli.terminal import errors, model_progress
from config.loading import variable
from config.settings import ConfigError, MiB, Settings

ENOUGH_DISK = 500 * MiB
"""Bytes free that a model's download, its unpacked files and the converted copy take, and some more."""
SOME_DISK = 50 * MiB
"""Bytes free for the data folder, which grows by some hundred bytes an answer."""
STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.FAIL: "bold red"}


def main(args: argparse.Namespace) -> int:
    """Return 0 if the bot can run, with notes or without; 1 if something that it needs is missing."""
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    logging.getLogger("bot").addHandler(logging.NullHandler())  # what it would log is a finding here
    console, failed = Console(highlight=False), False
    async for finding in _findings(args):
        console.print(Text.assemble((f"{finding.level.value:<5}", STYLES[finding.level]), finding.what))
        if finding.remedy:
            console.print(
                Padding(Text(finding.remedy, style="dim"), (0, 0, 0, 5), expand=False),
                width=min(console.width, 110),
            )
        failed |= finding.level is Level.FAIL
    console.print("Something is missing; see above." if failed else "Whatsit can run here.")
    return FAILED if failed else OK


async def _findings(args: argparse.Namespace) -> AsyncIterator[CheckResult]:
    yield _python()
    missing = list(_packages())
    for finding in missing or [CheckResult(Level.OK, "All packages are there.")]:
        yield finding
    try:
        settings = settings_for(args)
    except ConfigError as error:
        yield CheckResult(Level.FAIL, "The configuration cannot be used.", str(error))
        return
    yield CheckResult(Level.OK, "The configuration is valid.")
    yield await asyncio.to_thread(_folder, "cache", settings.model.cache_dir, "model.cache_dir", ENOUGH_DISK)
    yield await asyncio.to_thread(_folder, "data", settings.data.dir, "data.dir", SOME_DISK)
    if missing:
        yield CheckResult(Level.NOTE, "The model and Discord were not tried, because packages are missing.")
        return
    from bot.cli.doctor_cluster import check_cluster  # noqa: PLC0415  # only where aiohttp is there

    async for finding in check_cluster(settings):
        yield finding
    async for finding in _model(settings):
        yield finding
    for finding in await asyncio.to_thread(list, allowed_models(settings)):
        yield finding
    if settings.model.precision == "f32" and await asyncio.to_thread(_has_int8):
        yield CheckResult(
            Level.OK,
            "This processor has instructions for int8, which would be about twice as fast.",
            'If speed matters: `whatsit models quantize NAME`, then model.precision = "int8".',
        )

    from bot.cli.doctor_discord import check_discord  # noqa: PLC0415  # only where discord.py is there
    from bot.cli.doctor_store import check_store  # noqa: PLC0415

    async for finding in check_store(settings):
        yield finding
    async for finding in check_discord(settings):
        yield finding


def _python() -> CheckResult:
    running = sys.version.split()[0]
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return CheckResult(Level.OK, f"Python {running}.")
    return CheckResult(
        Level.FAIL, f"Python {running} is not 3.11, 3.12 or 3.13.", "Make the .venv anew with one of these."
    )


def _packages() -> Iterator[CheckResult]:
    """Yield each of Whatsit's own requirements that is missing, or has another version than it asks for."""
    remedy = "Set up again: remove .venv and run `make setup`."
    try:
        needed = [Requirement(line) for line in requires("whatsit") or ()]
    except PackageNotFoundError:
        yield CheckResult(Level.FAIL, "Whatsit itself is not installed in this Python.", remedy)
        return
    for requirement in needed:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield CheckResult(Level.FAIL, f"The package {requirement.name} is missing.", remedy)
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield CheckResult(
                Level.FAIL, f"{requirement.name} is {found}, but {requirement} is needed.", remedy
            )


def _folder(name: str, folder: Path, key: str, room: int) -> CheckResult:
    """Check that `folder`, set by `key`, can be written and has `room` bytes left."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return CheckResult(
            Level.FAIL,
            f"The {name} folder {folder} cannot be written: {error.strerror}.",
            f"Set {key} ({variable(*key.split('.'))}) to a folder of your own.",
        )
    if free < room:
        return CheckResult(
            Level.NOTE,
            f"The {name} folder {folder} has {free // MiB} MiB left.",
            f"Make room: it may need {room // MiB} MiB.",
        )
    return CheckResult(Level.OK, f"The {name} folder {folder} can be written.")


async def _model(settings: Settings) -> AsyncIterator[CheckResult]:
    """Load the configured model as the bot would, have it look at a test card, and say what holds it."""
    from inference.results import InferenceError  # noqa: PLC0415
    from inference.serving.client import Classifier  # noqa: PLC0415  # only where its packages are there

    classifier = Classifier(settings)
    begun = time.monotonic()
    try:
        with model_progress(errors()) as report:
            info = await classifier.start(report)
        ready = time.monotonic()
        await classifier.classify(_test_card(info.input_size))
    except InferenceError as error:
        yield CheckResult(
            Level.FAIL,
            f"The model {settings.model.name} does not work.",
            f"{error} `whatsit models` lists others.",
        )
        return
    finally:
        await classifier.close()
    yield CheckResult(
        Level.NOTE if info.note else Level.OK,
        f"The model {info.name} runs on {info.engine}: ready after {ready - begun:.1f} s, "
        f"a first answer in {(time.monotonic() - ready) * 1000:.0f} ms.",
        info.note or "",
    )
    held = info.sandbox
    yield CheckResult(
        Level.OK if held.is_whole else Level.NOTE,
        str(held),
        "" if held.is_whole else "docs/threats.md says what a picture could do then.",
    )


def allowed_models(settings: Settings) -> Iterator[CheckResult]:
    """Check that the catalogue has each model that a server may choose. None of them is loaded."""
    if not settings.model.allowed:
        return
    models = catalogue(settings)
    if not models:
        yield CheckResult(
            Level.NOTE,
            "The catalogue of models cannot be read, so model.allowed was not checked.",
            "`whatsit models` says why.",
        )
        return
    names = [model["name"] for model in models]
    known = {*names, *(model["source"] for model in models)}
    strange = [name for name in settings.model.allowed if name not in known]
    for name in strange:
        close = get_close_matches(name, names)
        yield CheckResult(
            Level.NOTE,
            f"model.allowed names {name}, which is no model of the catalogue.",
            f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(names)}.",
        )
    if not strange:
        yield CheckResult(Level.OK, f"Servers may choose {', '.join(settings.model.allowed)}.")


def _has_int8() -> bool:
    """Return whether the processor multiplies 8-bit numbers natively; only Linux tells."""
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return False
    return not words.isdisjoint({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})


def _test_card(side: int) -> bytes:
    """Return a PNG of `side` x `side` pixels that shades from red to green and from dark to blue."""
    rows = b"".join(
        b"\0"
        + b"".join(bytes((x * 255 // side, 255 - x * 255 // side, y * 255 // side)) for x in range(side))
        for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)  # 8 bits a channel, RGB
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
