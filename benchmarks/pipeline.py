"""Row 1: encoded bytes to labels. Whatsit with each engine, the usual bot, and bare engines as the limit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from statistics import median
from typing import Any

from benchmarks.bare_engine import ENGINES
from benchmarks.plan import LARGE, MEGAPIXELS, BenchPlan
from benchmarks.targets import FULL_RUN
from inference import cpus
from inference.bench.figures import core_ms, ratios, summary, throughput
from inference.bench.measured_process import MeasuredProcess, MeasurementFailed
from inference.bench.pictures import FORMATS, SMALL, PictureKind
from inference.bench.rows import BenchRow
from inference.bench.session import BenchSession

Sample = dict[str, Any]
Samples = dict[tuple[str, int], list[Sample]]

OURS, USUAL, SERIAL = "Whatsit", "usual bot", "usual bot, one thread"
AUTO, INT8, TENSORFLOW = "Whatsit, views = auto", "Whatsit, int8", "Whatsit, tensorflow"
DECODE, BARE_OPENVINO = "decode only", "bare openvino"

THROUGHPUTS = {
    "throughput_64": (OURS, USUAL),
    "throughput_64_serial": (OURS, SERIAL),
    "throughput_64_auto": (AUTO, USUAL),
    "throughput_64_int8": (INT8, USUAL),
}

BATCH = 8
"""Crops in one call of a bare engine: as many as Whatsit puts into a batch."""
BUSY = 64
"""In flight: what throughput is compared at."""


@dataclass(frozen=True)
class Contender:
    """A system that takes its turn at each of `concurrencies`, with `weight` times the usual bot's images.

    `fed`: whether it is given pictures; a bare engine has its crops. `extra` goes to each call of `measure`.
    """

    process: MeasuredProcess
    weight: int = 1
    extra: dict[str, Any] = field(default_factory=dict)
    fed: bool = True
    concurrencies: tuple[int, ...] = (1, 8, BUSY)

    def turn(self, session: BenchSession, kind: PictureKind, in_flight: int, count: int) -> Sample:
        """Take one turn."""
        count *= self.weight
        images = session.images(kind, count) if self.fed else {"count": count}
        sample: Sample = self.process.ask("measure", **{**images, "in_flight": in_flight, **self.extra})
        return sample


def pipeline(session: BenchSession, plan: BenchPlan) -> BenchRow:
    """Have every contender take its turns on small JPEGs, at 1, 8 and 64 in flight; then on 12 MP JPEGs."""
    session.report("starting the systems")
    skipped = {f"bare {engine}": FULL_RUN for engine in ENGINES if engine not in plan.bare}
    with ExitStack() as stack:
        contenders = _contenders(session, plan, stack, skipped)
        samples: Samples = {}
        for in_flight, rounds in plan.rounds.items():
            for number, (name, contender) in product(range(rounds), contenders.items()):
                if in_flight in contender.concurrencies:
                    session.report(f"pipeline, {in_flight} in flight, turn {number + 1} of {rounds}: {name}")
                    turn = contender.turn(session, SMALL, in_flight, plan.counts[in_flight])
                    samples.setdefault((name, in_flight), []).append(turn)
        figures = _figures(samples)
        ours, usual = contenders[OURS], contenders[USUAL]
        large = (replace(ours, weight=plan.large_ours), usual)
        first, figures["throughput_64_12mp"] = _duel(
            session, large, LARGE, plan.large_rounds, plan.large_count
        )
        others = [PictureKind(*pair) for pair in product(FORMATS, MEGAPIXELS)] if plan.by_kind else []
        duels = [_duel(session, (ours, usual), kind, 2, 18)[0] for kind in others if kind != LARGE]
        data = {
            "small": [
                {"system": name, "in_flight": n, **summary(turns)} for (name, n), turns in samples.items()
            ],
            "kinds": [first, *duels],
            "engine": ours.process.opened["engine"],
            "same_top_label_as_usual": _agreement(session, ours.process, usual.process),
            "views_of_auto": _views(session, contenders),
        }
    if INT8 in skipped:
        skipped["throughput_64_int8"] = skipped[INT8]
    return BenchRow(data, figures, skipped)


def _contenders(
    session: BenchSession, plan: BenchPlan, stack: ExitStack, skipped: dict[str, str]
) -> dict[str, Contender]:
    """Start those that can start here, in the order of their turns; the others' reasons go to `skipped`."""
    model = session.model.model_dump(mode="json")

    def ours(**changes: Any) -> Contender:
        return Contender(stack.enter_context(session.whatsit(**changes)), plan.ours)

    def start(system: str, **options: Any) -> MeasuredProcess:
        return stack.enter_context(session.start(f"benchmarks.{system}", **options))

    def bare(engine: str) -> Contender:
        crops = session.pictures(SMALL)[:BATCH]
        process = start("bare_engine:BareEngine", engine=engine, model=model, pictures=crops)
        return Contender(process, plan.ours, fed=False)

    def decode_only() -> Contender:
        extra = {"in_flight": cpus.usable(), "full": False}
        return Contender(start("decoder:Decoder"), plan.ours, extra, concurrencies=(BUSY,))

    usual = start("usual_bot:UsualBot", model=model)
    makers: dict[str, Callable[[], Contender]] = {
        OURS: partial(ours, views="1"),
        USUAL: lambda: Contender(usual, extra={"one_thread": False}),
        AUTO: partial(ours, views="auto"),
        INT8: partial(ours, views="1", precision="int8"),
        SERIAL: lambda: Contender(usual, extra={"one_thread": True}),
        TENSORFLOW: partial(ours, views="1", engine="tensorflow"),
        DECODE: decode_only,
        **{f"bare {engine}": partial(bare, engine) for engine in plan.bare},
    }
    found = {}
    for name, maker in makers.items():
        try:
            found[name] = maker()
        except MeasurementFailed as failed:
            if name == OURS:  # without it there is nothing to compare
                raise
            skipped[name] = str(failed)
    return found


def _figures(samples: Samples) -> dict[str, list[float]]:
    def rates(name: str) -> list[float]:
        return [throughput(turn) for turn in samples[name, BUSY]]

    def alone(name: str) -> list[float]:
        return [median(turn["latencies_ms"]) for turn in samples[name, 1]]

    figures = {
        name: ratios(rates(mine), rates(theirs))
        for name, (mine, theirs) in THROUGHPUTS.items()
        if (mine, BUSY) in samples
    }
    figures["single_latency"] = ratios(alone(OURS), alone(USUAL))
    if (DECODE, BUSY) in samples and (BARE_OPENVINO, BUSY) in samples:
        turns = zip(samples[OURS, BUSY], samples[DECODE, BUSY], samples[BARE_OPENVINO, BUSY], strict=True)
        figures["efficiency"] = [
            (core_ms(decode) + core_ms(predict)) / core_ms(whole) for whole, decode, predict in turns
        ]
    return figures


def _duel(
    session: BenchSession, pair: tuple[Contender, Contender], kind: PictureKind, rounds: int, count: int
) -> tuple[dict[str, Any], list[float]]:
    """Let Whatsit and the usual bot take turns on one kind of picture: return summaries and the ratios."""
    turns = []
    for number in range(rounds):
        session.report(f"pipeline, {kind}, turn {number + 1} of {rounds}")
        turns.append([one.turn(session, kind, BUSY, count) for one in pair])
    mine, theirs = zip(*turns, strict=True)
    found = ratios([*map(throughput, mine)], [*map(throughput, theirs)])
    data = {
        "kind": str(kind),
        OURS: summary(mine),
        USUAL: summary(theirs),
        "ratio": round(median(found), 2),
    }
    return data, found


def _agreement(session: BenchSession, ours: MeasuredProcess, usual: MeasuredProcess) -> float:
    """Return the share of pictures with the same first label; the usual bot squeezes the whole picture."""
    pictures = session.pictures(SMALL)
    pairs = zip(ours.ask("name", pictures=pictures), usual.ask("name", pictures=pictures), strict=True)
    return float(round(sum(mine == theirs for mine, theirs in pairs) / len(pictures), 3))


def _views(session: BenchSession, contenders: dict[str, Contender]) -> float | None:
    """Return the crops an image takes under `views = auto`, which its throughput hangs on."""
    if AUTO not in contenders:
        return None
    return round(float(contenders[AUTO].process.ask("views", pictures=session.pictures(SMALL))), 2)
