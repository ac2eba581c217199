"""Row 1: encoded bytes to labels. Whatsit with each engine, the usual bot, and bare engines as the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

from config.settings import Model
from inference.bench.figures import Spread, percentile, ratios
from inference.bench.machine import cores
from inference.bench.photographs import FORMATS, MEGAPIXELS, Kind
from inference.bench.plan import ENGINES, FULL_RUN, LARGE, SMALL, Plan, Row, wanted
from inference.bench.stage import Failed, Running, Stage

__all__ = ["INT8", "pipeline", "summary"]

Sample = dict[str, Any]
Say = Callable[[str], None]

OURS, USUAL, SERIAL = "Whatsit", "usual bot", "usual bot, one thread"
AUTO, INT8, TENSORFLOW = "Whatsit, views = auto", "Whatsit, int8", "Whatsit, tensorflow"
DECODE, BARE_OPENVINO = "decode only", "bare openvino"

BATCH = 8
"""Crops in one call of a bare engine: as many as Whatsit puts into a batch."""
BUSY = 64
"""In flight: what throughput is compared at."""


@dataclass(frozen=True)
class Contender:
    """A system that takes its turn at each of `concurrencies`, with `weight` times the usual bot's images."""

    running: Running
    weight: int
    extra: dict[str, Any] = field(default_factory=dict)
    fed: bool = True
    """Whether it is given pictures; a bare engine has its crops."""
    concurrencies: tuple[int, ...] = (1, 8, BUSY)

    def turn(self, stage: Stage, kind: Kind, in_flight: int, count: int) -> Sample:
        count *= self.weight
        arguments = {"count": count, "in_flight": in_flight, **self.extra}
        if self.fed:
            arguments |= {"pictures": stage.pictures(kind), "start": stage.numbers(count)}
        sample: Sample = self.running.ask("measure", **arguments)
        return sample


def pipeline(stage: Stage, plan: Plan, model: Model, also: list[str], say: Say) -> Row:
    """Every contender in turn, in every round, at 1, 8 and 64 in flight, on small JPEGs; then 12 MP JPEGs."""
    row = Row()
    say("starting the systems")
    contenders = _contenders(stage, plan, model, also, row.skipped)
    samples: dict[tuple[str, int], list[Sample]] = {}
    for in_flight, rounds in plan.rounds.items():
        for number, (name, contender) in product(range(rounds), contenders.items()):
            if in_flight in contender.concurrencies:
                say(f"pipeline, {in_flight} in flight, turn {number + 1} of {rounds}: {name}")
                turn = contender.turn(stage, SMALL, in_flight, plan.counts[in_flight])
                samples.setdefault((name, in_flight), []).append(turn)
    row.figures = _figures(samples)
    ours, usual = contenders[OURS], contenders[USUAL]
    large, row.figures["throughput_64_12mp"] = _duel(
        stage,
        (replace(ours, weight=plan.large_ours), usual),
        LARGE,
        (plan.large_rounds, plan.large_count),
        say,
    )
    row.data = {
        "small": [{"system": name, "in_flight": n, **summary(turns)} for (name, n), turns in samples.items()],
        "kinds": [large],
        "engine": ours.running.opened["engine"],
        "same_top_label_as_usual": _agreement(stage, ours.running, usual.running),
        "views_of_auto": _views(stage, contenders),
    }
    if plan.by_kind:
        others = [Kind(*pair) for pair in product(FORMATS, MEGAPIXELS) if Kind(*pair) != LARGE]
        row.data["kinds"] += [_duel(stage, (ours, usual), kind, (2, 18), say)[0] for kind in others]
    stage.clear()
    return row


def summary(turns: Iterable[Sample]) -> dict[str, Any]:
    """Images a second, their latencies' percentiles, and core-milliseconds an image, over all turns."""
    turns = list(turns)
    latencies = [latency for turn in turns for latency in turn["latencies_ms"]]
    rates = Spread.of([_rate(turn) for turn in turns])
    return {
        "images_per_second": round(rates.median, 2),
        "low": round(rates.low, 2),
        "high": round(rates.high, 2),
        **{f"p{percent}_ms": round(percentile(latencies, percent), 2) for percent in (50, 95, 99)},
        "core_ms": round(Spread.of([_core_ms(turn) for turn in turns]).median, 3),
    }


def _contenders(
    stage: Stage, plan: Plan, model: Model, also: list[str], skipped: dict[str, str]
) -> dict[str, Contender]:
    """Those that can start here, in the order of their turns; the others' reasons go to `skipped`."""
    plain = model.model_dump(mode="json")

    def ours(**changes: Any) -> Contender:
        return Contender(
            stage.running("whatsit", settings=wanted(model, **changes), also=also), weight=plan.ours
        )

    def usual(*, one_thread: bool) -> Contender:
        return Contender(stage.running("usual", model=plain), weight=1, extra={"one_thread": one_thread})

    def bare(engine: str) -> Contender:
        running = stage.running("bare", engine=engine, model=plain, pictures=stage.pictures(SMALL)[:BATCH])
        return Contender(running, weight=plan.ours, fed=False)

    def decode_only() -> Contender:
        extra = {"in_flight": cores(), "full": False}
        return Contender(
            stage.running("decoder", input_size=224), weight=plan.ours, extra=extra, concurrencies=(BUSY,)
        )

    makers: dict[str, Callable[[], Contender]] = {
        OURS: partial(ours, views="1"),
        USUAL: partial(usual, one_thread=False),
        AUTO: partial(ours, views="auto"),
        INT8: partial(ours, views="1", precision="int8"),
        SERIAL: partial(usual, one_thread=True),
        TENSORFLOW: partial(ours, views="1", engine="tensorflow"),
        DECODE: decode_only,
        **{f"bare {engine}": partial(bare, engine) for engine in plan.bare},
    }
    found = {}
    skipped |= {f"bare {engine}": FULL_RUN for engine in ENGINES if engine not in plan.bare}
    for name, maker in makers.items():
        try:
            found[name] = maker()
        except Failed as failed:
            if name in {OURS, USUAL}:  # without these there is nothing to compare
                raise
            skipped[name] = str(failed)
    return found


def _figures(samples: dict[tuple[str, int], list[Sample]]) -> dict[str, list[float]]:
    def rates(name: str) -> list[float]:
        return [_rate(turn) for turn in samples[name, BUSY]]

    def alone(name: str) -> list[float]:
        return [percentile(turn["latencies_ms"], 50) for turn in samples[name, 1]]

    figures = {
        name: ratios(rates(mine), rates(theirs))
        for name, mine, theirs in (
            ("throughput_64", OURS, USUAL),
            ("throughput_64_serial", OURS, SERIAL),
            ("throughput_64_auto", AUTO, USUAL),
            ("throughput_64_int8", INT8, USUAL),
        )
        if (mine, BUSY) in samples and (theirs, BUSY) in samples
    }
    figures["single_latency"] = ratios(alone(OURS), alone(USUAL))
    if (DECODE, BUSY) in samples and (BARE_OPENVINO, BUSY) in samples:
        turns = zip(samples[OURS, BUSY], samples[DECODE, BUSY], samples[BARE_OPENVINO, BUSY], strict=True)
        figures["efficiency"] = [
            (_core_ms(decode) + _core_ms(predict)) / _core_ms(whole) for whole, decode, predict in turns
        ]
    return figures


def _duel(
    stage: Stage, pair: tuple[Contender, Contender], kind: Kind, turns: tuple[int, int], say: Say
) -> tuple[dict[str, Any], list[float]]:
    """Whatsit and the usual bot in turn on one sort of picture, 64 in flight: summaries, and the ratios."""
    ours, usual = pair
    rounds, count = turns
    mine: list[Sample] = []
    theirs: list[Sample] = []
    for number in range(rounds):
        say(f"pipeline, {kind}, turn {number + 1} of {rounds}")
        mine.append(ours.turn(stage, kind, BUSY, count))
        theirs.append(usual.turn(stage, kind, BUSY, count))
    found = ratios([_rate(turn) for turn in mine], [_rate(turn) for turn in theirs])
    data = {
        "kind": str(kind),
        OURS: summary(mine),
        USUAL: summary(theirs),
        "ratio": round(Spread.of(found).median, 2),
    }
    return data, found


def _agreement(stage: Stage, ours: Running, usual: Running) -> float:
    """Share of pictures with the same first label; not 1, as the usual bot squeezes the whole picture."""
    pictures = stage.pictures(SMALL)
    pairs = zip(ours.ask("name", pictures=pictures), usual.ask("name", pictures=pictures), strict=True)
    return float(round(sum(mine == theirs for mine, theirs in pairs) / len(pictures), 3))


def _views(stage: Stage, contenders: dict[str, Contender]) -> float | None:
    """Crops looked at for an image under `views = auto`: what its throughput hangs on."""
    if AUTO not in contenders:
        return None
    return round(float(contenders[AUTO].running.ask("views", pictures=stage.pictures(SMALL))), 2)


def _rate(turn: Sample) -> float:
    return float(len(turn["latencies_ms"]) / turn["seconds"])


def _core_ms(turn: Sample) -> float:
    return float(turn["core_seconds"] * 1000 / len(turn["latencies_ms"]))
