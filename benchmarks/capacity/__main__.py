"""Check `whatsit capacity` against this machine: the same images at the same moments, simulated and measured.

First the machine is calibrated: what each picture takes, and how fast it is with 1 to 64 in flight. Then
traffic as the simulation draws it (servers by Zipf, bursts, reposts) is given to the real classifier and to
the simulated one, at several shares of the highest rate. As a machine has other work at times, its highest
rate is measured before and after each of these, and all of it is done in several rounds. The exit status is
0 if throughput and p95 are within 20 % at every rate.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.capacity.calibration import PictureMix, calibrated, rate
from bot.capacity.figures import CapacityFigures, load_figures
from bot.capacity.plan import speed_curve
from bot.capacity.simulation import SimulatedBot, Simulation
from bot.capacity.traffic import PostedImage, Traffic
from config.loading import load
from config.settings import ConfigError, Model, Settings
from inference import cpus
from inference.bench import machine
from inference.bench.__main__ import MODEL, write_json
from inference.bench.measured_process import MeasuredProcess, MeasurementFailed
from inference.bench.session import BenchSession

LOADS = (0.5, 0.7, 0.85, 1.3)
"""Of the highest rate; above 1 the queue is full, and images are refused."""
SERVERS = 2_500
LEAD = 300.0
"""Seconds of traffic that went before, so that bursts are under way."""
NEAR = 0.2
"""How far simulated may be from measured."""
WHATSIT = "benchmarks.capacity.replayed_whatsit:ReplayedWhatsit"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 all within 20 %, 1 not, or it could not be measured, 2 bad usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--model", default=MODEL, metavar="NAME", help=f"what to measure with ({MODEL})")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of calibrating and comparing (3)")
    parser.add_argument(
        "--seconds", type=float, default=40.0, metavar="S", help="of traffic at each rate (40)"
    )
    parser.add_argument("--count", type=int, default=600, metavar="N", help="images a calibration (600)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the traffic (1)")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write what was found")
    asked = parser.parse_args(arguments)
    console = Console(stderr=asked.json == "-")
    try:
        found = check(asked, console)
    except (ConfigError, MeasurementFailed, OSError) as error:
        Console(stderr=True).print(f"The check ended: {error}", style="red", markup=False)
        return 1
    show(found, console)
    write_json(found, asked.json)
    return 0 if all(row["near"] for row in found["rows"]) else 1


def check(asked: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Calibrate and compare, round by round, and return the medians of the rounds for every rate."""
    figures, _ = load_figures()
    model = Model(name=asked.model, cache_dir=load().model.cache_dir)
    settings = Settings(model=model)
    samples: dict[float, list[dict[str, float]]] = {share: [] for share in LOADS}
    calibrations = []
    described = machine.describe()
    with tempfile.TemporaryDirectory(prefix="whatsit-capacity-") as folder, console.status("") as status:
        session = BenchSession(Path(folder), model, report=status.update)
        session.report("making pictures")
        mix = PictureMix(session, figures)
        dumped = settings.model_dump(mode="json")
        options = {"settings": dumped, "also": ["bot.run"], "load": "inference.models.loading:load"}
        with session.start(WHATSIT, **options) as whatsit:
            whatsit.ask("costs", pictures=mix.files, start=session.numbers(len(mix.files)))  # warms up
            for number in range(asked.rounds):
                own = calibrated(session, whatsit, mix, figures, count=asked.count, seed=asked.seed + number)
                calibrations.append(
                    {"full_images_per_second": own.full_images_per_second, "speeds": own.speeds}
                )
                for share in LOADS:
                    before = rate(session, whatsit, mix, count=asked.count // 2, seed=number)
                    session.report(f"round {number + 1} of {asked.rounds}: {share:.0%} of the highest rate")
                    traffic = Traffic(
                        own, servers=SERVERS, images_per_second=share * before, seed=asked.seed + number
                    )
                    images = list(traffic.images(asked.seconds, lead=LEAD))
                    measured = _measured(session, whatsit, mix, images, asked.seconds)
                    after = rate(session, whatsit, mix, count=asked.count // 2, seed=number)
                    now = own.model_copy(update={"full_images_per_second": (before + after) / 2})
                    simulated = _simulated(now, settings, images, asked.seconds)
                    samples[share].append(
                        {f"measured_{name}": value for name, value in measured.items()}
                        | {f"simulated_{name}": value for name, value in simulated.items()}
                        | {"posted": len(images), "highest_before": before, "highest_after": after}
                    )
    rows = [_row(share, rounds) for share, rounds in samples.items()]
    return {"machine": described, "model": asked.model, "calibrations": calibrations, "rows": rows}


def _measured(
    session: BenchSession,
    whatsit: MeasuredProcess,
    mix: PictureMix,
    images: Sequence[PostedImage],
    seconds: float,
) -> dict[str, float]:
    arrivals = [(image.at, image.server, image.kind, image.content) for image in images]
    found = whatsit.ask(
        "replay",
        pictures=mix.files,
        arrivals=arrivals,
        start=session.numbers(len(images)),
        seconds=seconds,
    )
    return _summary(found["looks"], len(found["refused"]), seconds)


def _simulated(
    figures: CapacityFigures, settings: Settings, images: Sequence[PostedImage], seconds: float
) -> dict[str, float]:
    curve = speed_curve(figures, cpus.usable())
    bot = SimulatedBot(
        processes=1,
        machines=1,
        curve=curve,
        known=figures.known_image_ms / 1000,
        settings=settings,
    )
    result = Simulation(bot, seconds=seconds).run(images)
    return _summary(result.looks, result.refused.total(), seconds)


def _summary(looks: Sequence[float], refused: int, seconds: float) -> dict[str, float]:
    return {
        "images_per_second": len(looks) / seconds,
        "p95": float(np.percentile(looks, 95)) if looks else float("nan"),
        "refused": refused,
    }


def _row(share: float, rounds: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return the medians of the rounds; a ratio is the median of each round's own."""
    row: dict[str, Any] = {"load": share, "rounds": list(rounds)}
    for name in rounds[0]:
        row[name] = float(np.median([each[name] for each in rounds]))
    for name in ("images_per_second", "p95"):
        ratios = [each[f"simulated_{name}"] / each[f"measured_{name}"] for each in rounds]
        row[f"ratio_{name}"] = float(np.median(ratios))
        row[f"ratios_{name}"] = ratios
    row["near"] = all(abs(row[f"ratio_{name}"] - 1) <= NEAR for name in ("images_per_second", "p95"))
    return row


def show(found: dict[str, Any], console: Console) -> None:
    """Print simulated beside measured."""
    table = Table(
        "load", "", "simulated", "measured", "ratio", "of single rounds", "", title="One machine, two ways"
    )
    for row in found["rows"]:
        for name, words, unit, scale in (
            ("images_per_second", "throughput", "images/s", 1.0),
            ("p95", "p95", "ms", 1000.0),
        ):
            ratio = row[f"ratio_{name}"]
            near = "[green]near[/]" if abs(ratio - 1) <= NEAR else "[red]not near[/]"
            rounds = ", ".join(f"{each:.2f}" for each in row[f"ratios_{name}"])
            simulated, measured = (scale * row[f"{way}_{name}"] for way in ("simulated", "measured"))
            table.add_row(
                f"{row['load']:.0%}" if name == "images_per_second" else "",
                words,
                f"{simulated:.1f} {unit}",
                f"{measured:.1f} {unit}",
                f"{ratio:.2f}",
                rounds,
                near,
            )
        refusals = f"{row['simulated_refused']:.0f}", f"{row['measured_refused']:.0f}"
        table.add_row("", "refused", *refusals, "", f"of {row['posted']:.0f} posted", "")
    console.print(table)
    for number, calibration in enumerate(found["calibrations"], 1):
        speeds = ", ".join(f"{images:g}: {share:.2f}" for images, share in calibration["speeds"])
        console.print(
            f"Round {number}: {calibration['full_images_per_second']:.1f} images/s; by images at once: "
            f"{speeds}",
            markup=False,
        )
    console.print(f"{machine.sentence(found['machine'])}. Model {found['model']}.", markup=False)


if __name__ == "__main__":
    sys.exit(main())
