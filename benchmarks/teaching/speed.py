"""What taught labels cost: seconds of a fit, milliseconds of a question, bytes. Asked of the real process."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from inference.knowledge.client import Knowledge
from inference.knowledge.image_search import ImageSearch, PicturePlace
from inference.knowledge.results import TaughtExample
from inference.models.fingerprint import pack, unit_roots

WIDTH = 1280
"""Numbers of a fingerprint of the models in the catalogue."""
BACKGROUND = 150
LABELS = 100
SERVERS = 20
FITS = 2_000, 20_000
"""Examples of the fits that are measured: a usual server's, and the most that one may have."""
QUESTIONS = 500
TIMES = 3
KIND = "made up"
INDEXED = 100_000
"""Pictures of a server that can be found again: as many as `store.index_images` keeps."""
ROWS = 1000
"""Of them that are read from the store at once."""


@dataclass(frozen=True, slots=True)
class FitFigures:
    """`seconds` from the first byte sent to the answer, and of the processor, each the median of `TIMES`."""

    examples: int
    seconds: float
    core_seconds: float


@dataclass(frozen=True, slots=True)
class IndexedPicture:
    """One picture as the store has it."""

    message_id: int
    fingerprint: bytes
    position: int = 0
    place_id: int = 1
    kind: str = KIND
    perceptual_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class SpeedFigures:
    """`question_ms` and `question_p95_ms` are of questions one after the other, `during_fit_p95_ms` of those
    to another server while the largest fit is done. `report_seconds` is the test of that server.
    `resident` and `resident_full` are bytes of the process at its start, and with `SERVERS` servers of
    `LABELS` labels; `resident_indexed` with `INDEXED` pictures of one of them beside these."""

    fits: tuple[FitFigures, ...]
    question_ms: float
    question_p95_ms: float
    during_fit_p95_ms: float
    report_seconds: float
    example_bytes: int
    resident: int
    resident_full: int
    resident_indexed: int


async def measure_speed() -> SpeedFigures:
    """Measure with made-up fingerprints."""
    random = np.random.default_rng(3)
    centres = random.exponential(size=(LABELS, WIDTH))

    def made(count: int) -> list[TaughtExample]:
        return [
            TaughtExample(number, 1 + number % LABELS, _picture(random, centres[number % LABELS]))
            for number in range(count)
        ]

    small, large = (made(count) for count in FITS)
    background = [_picture(random, random.exponential(size=WIDTH)) for _ in range(BACKGROUND)]
    question = _picture(random, centres[0])

    async def examples(server: int, _: str) -> Sequence[TaughtExample]:
        return large if server == 1 else small

    async def general(_: str) -> Sequence[bytes]:
        return background

    knowledge = Knowledge(examples=examples, background=general, limit_bytes=256 << 20, nice=0)
    try:
        await knowledge.prepare(2, KIND)
        process = psutil.Process(knowledge.pid)
        resident = process.memory_info().rss
        fits = tuple(
            [
                await _fit(knowledge, process, server, examples=n)
                for server, n in zip((2, 1), FITS, strict=True)
            ]
        )
        alone = [await _asked(knowledge, 2, question) for _ in range(QUESTIONS)]
        during = await _asked_during_fit(knowledge, question)
        begun = time.perf_counter()
        await knowledge.test(1, KIND)
        report = time.perf_counter() - begun
        for server in range(3, SERVERS + 3):
            await knowledge.prepare(server, KIND)
        full = process.memory_info().rss
        search = ImageSearch(knowledge, index=_indexed(small), these=_none_of)
        await search.similar(3, KIND, question, [1])
        indexed = process.memory_info().rss
    finally:
        await knowledge.close()
    return SpeedFigures(
        fits=fits,
        question_ms=statistics.median(alone),
        question_p95_ms=_p95(alone),
        during_fit_p95_ms=_p95(during),
        report_seconds=report,
        example_bytes=len(question),
        resident=resident,
        resident_full=full,
        resident_indexed=indexed,
    )


def _indexed(
    examples: Sequence[TaughtExample],
) -> Callable[[int, str], AsyncIterator[Sequence[IndexedPicture]]]:
    async def index(_: int, __: str) -> AsyncIterator[Sequence[IndexedPicture]]:
        for first in range(0, INDEXED, ROWS):
            yield [
                IndexedPicture(number, examples[number % len(examples)].fingerprint)
                for number in range(first, first + ROWS)
            ]

    return index


async def _none_of(_: Collection[PicturePlace]) -> Mapping[PicturePlace, IndexedPicture]:
    return {}


def _picture(random: np.random.Generator, centre: np.ndarray) -> bytes:
    features = (centre + random.exponential(size=WIDTH)).astype(np.float32)
    return pack(unit_roots(features[None])[0])


async def _fit(knowledge: Knowledge, process: psutil.Process, server: int, *, examples: int) -> FitFigures:
    walls, cores = [], []
    for _ in range(TIMES):
        knowledge.forget(server)
        before, begun = process.cpu_times(), time.perf_counter()
        await knowledge.prepare(server, KIND)
        walls.append(time.perf_counter() - begun)
        after = process.cpu_times()
        cores.append(after.user + after.system - before.user - before.system)
    return FitFigures(examples, statistics.median(walls), statistics.median(cores))


async def _asked(knowledge: Knowledge, server: int, question: bytes) -> float:
    begun = time.perf_counter()
    await knowledge.name(server, KIND, question)
    return 1000 * (time.perf_counter() - begun)


async def _asked_during_fit(knowledge: Knowledge, question: bytes) -> list[float]:
    fit = asyncio.create_task(knowledge.prepare(1, KIND))
    await asyncio.sleep(0)
    times = []
    while not fit.done():
        times.append(await _asked(knowledge, 2, question))
    await fit
    return times


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))
