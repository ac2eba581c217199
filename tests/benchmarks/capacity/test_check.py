"""The check compares like with like: a machine that is as simulated is near, one that is slower is not."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from benchmarks.capacity import __main__ as checking
from benchmarks.capacity.calibration import PictureMix, kind_of, with_machine
from bot.capacity.figures import PictureCost, load_figures
from bot.capacity.machine import SpeedCurve
from bot.capacity.plan import speed_curve
from bot.capacity.simulation import SimulatedBot, Simulation
from bot.capacity.traffic import PostedImage, PostedMessage
from config.settings import Model
from inference.bench.session import BenchSession

FIGURES, _ = load_figures()
PER_KIND = 3
SPEEDS = {1: 30.0, 2: 45.0, 4: 48.0, 8: 49.0, 64: 50.0}
MEAN = 0.04


class SimulatedProcess:
    """A measured Whatsit on a simulated machine, `slower` than the calibration found it to be."""

    def __init__(self, slower: float) -> None:
        self._slower = slower

    def __enter__(self) -> SimulatedProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def ask(self, method: str, **arguments: Any) -> Any:
        if method == "costs":
            return [MEAN] * len(arguments["pictures"])
        if method == "crowd":
            count = len(arguments["order"])
            return {"seconds": count / SPEEDS[arguments["in_flight"]], "latencies_ms": [1.0] * count}
        if method == "known":
            return {"latencies_ms": [0.1] * arguments["count"]}
        speeds = [(images, rate / 50) for images, rate in SPEEDS.items()]
        curve = SpeedCurve(speeds, highest=50 * MEAN / self._slower, measured_cores=2, cores=2)
        images = [
            PostedImage(PostedMessage(at, server, 1), content, place, second_look=False, core_seconds=MEAN)
            for at, server, place, content in arguments["arrivals"]
        ]
        simulation = Simulation(
            SimulatedBot(processes=1, machines=1, curve=curve), seconds=arguments["seconds"]
        )
        result = simulation.run(images)
        return {"looks": result.looks, "refused": ["busy"] * result.refused.total()}


class CannedSession(BenchSession):
    def __init__(self, folder: Path, model: Model, *, report: Any) -> None:
        super().__init__(folder, model, report=report, originals=list)

    def pictures(self, kind: Any, *, count: int | None = None) -> list[str]:
        return [f"{kind} {number}" for number in range(PER_KIND)]

    def images(self, kind: Any, count: int) -> dict[str, Any]:
        return {"pictures": [], "start": 0, "count": count}


def asked() -> Namespace:
    return Namespace(model="m", rounds=2, seconds=60.0, count=100, seed=1)


@contextmanager
def canned(monkeypatch: pytest.MonkeyPatch, slower: float) -> Iterator[None]:
    monkeypatch.setattr(checking, "BenchSession", CannedSession)
    monkeypatch.setattr(CannedSession, "start", lambda *_, **__: SimulatedProcess(slower))
    monkeypatch.setattr("inference.cpus.usable", lambda: 2)
    yield


def test_a_machine_that_is_as_simulated_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    with canned(monkeypatch, 1.0):
        found = checking.check(asked(), Console(file=io.StringIO()))
    assert [row["load"] for row in found["rows"]] == list(checking.LOADS)
    for row in found["rows"]:
        assert row["near"]
        assert row["ratio_p95"] == pytest.approx(1, rel=0.02)
    assert found["rows"][-1]["measured_refused"] > 0
    json.dumps(found)


def test_a_machine_that_is_slower_than_simulated_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with canned(monkeypatch, 1.4):
        found = checking.check(asked(), Console(file=io.StringIO()))
    full = found["rows"][-1]
    assert full["ratio_images_per_second"] == pytest.approx(1.4, rel=0.1)
    assert not full["near"]
    console = Console(file=io.StringIO(), width=120)
    checking.show(found, console)
    assert isinstance(console.file, io.StringIO)
    assert "not near" in console.file.getvalue()


def test_pictures_come_as_often_as_their_kind_is_posted(tmp_path: Path) -> None:
    mix = PictureMix(CannedSession(tmp_path, Model(), report=lambda _: None), FIGURES)
    assert sum(mix.shares) == pytest.approx(1)
    order = mix.order(1000, seed=1)
    assert len(order) == 1000
    assert order == mix.order(1000, seed=1) != mix.order(1000, seed=2)
    first = sum(place < PER_KIND for place in order)
    assert first / 1000 == pytest.approx(FIGURES.pictures[0].share, abs=0.01)


def test_a_calibrated_machine_does_its_mix_at_the_highest_rate(tmp_path: Path) -> None:
    mix = PictureMix(CannedSession(tmp_path, Model(), report=lambda _: None), FIGURES)
    dice = Random(1)  # noqa: S311 - chance, not secrets
    costs = [dice.uniform(0.01, 0.1) for _ in mix.files]
    own = with_machine(FIGURES, mix, costs, SPEEDS, 0.2)
    curve = speed_curve(own, own.measured_cores)
    assert curve.highest / own.core_seconds_an_image == pytest.approx(50)
    assert own.known_image_ms == 0.2


def test_a_kind_of_picture_that_cannot_be_made_is_named() -> None:
    assert str(kind_of(FIGURES.pictures[0])) == FIGURES.pictures[0].name
    with pytest.raises(ValueError, match="bmp 2 MP is no kind of picture"):
        kind_of(PictureCost(name="bmp 2 MP", share=1, core_ms=1, kilobytes=1))
