"""What the simulation has to know of this machine: what a picture takes, and its speed with n in flight."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import median

from bot.capacity.figures import CapacityFigures, PictureCost
from inference import cpus
from inference.bench.figures import throughput
from inference.bench.measured_process import MeasuredProcess
from inference.bench.pictures import FORMATS, PictureKind
from inference.bench.session import BenchSession

FEW = (1, 2, 4, 8)
FULL = 64
"""Images in flight: with the last, the machine is at its highest rate."""


def kind_of(picture: PictureCost) -> PictureKind:
    """Return the kind of picture that the benchmark makes of one of the simulation's: "jpeg 2 MP".

    Raises ValueError for a name of another form.
    """
    name, megapixels, unit = picture.name.split()
    for known in FORMATS:
        if name == known and unit == "MP":
            return PictureKind(known, float(megapixels))
    raise ValueError(f"{picture.name} is no kind of picture that the benchmark makes, such as jpeg 2 MP")


class PictureMix:
    """The files of every kind of picture, and how often each is posted."""

    def __init__(self, session: BenchSession, figures: CapacityFigures) -> None:
        self.files: list[str] = []
        self.shares: list[float] = []
        for picture in figures.pictures:
            files = session.pictures(kind_of(picture))
            self.files += files
            self.shares += [picture.share / len(files)] * len(files)

    def order(self, count: int, seed: int) -> list[int]:
        """Return `count` places among the files, each as often as it is posted and in a random order."""
        dice = Random(seed)  # noqa: S311 - chance, not secrets
        exact = [count * share for share in self.shares]
        order = [place for place, times in enumerate(exact) for _ in range(int(times))]
        rest = [times - int(times) for times in exact]
        order += (
            dice.choices(range(len(self.files)), rest, k=count - len(order)) if len(order) < count else []
        )
        dice.shuffle(order)
        return order


def calibrated(
    session: BenchSession,
    whatsit: MeasuredProcess,
    mix: PictureMix,
    figures: CapacityFigures,
    *,
    count: int,
    seed: int,
) -> CapacityFigures:
    """Measure this machine, and return the figures with it in place of the shipped one.

    Each file becomes a kind of picture of its own whose cost includes a second look, so that the simulation
    knows of every image what it takes. `count` images are classified 64 at a time, and half as many where
    fewer are in flight.
    """
    session.report("what each picture takes")
    costs = whatsit.ask("costs", pictures=mix.files, start=session.numbers(len(mix.files)))
    rates = {
        in_flight: rate(session, whatsit, mix, in_flight=in_flight, count=count // 2, seed=seed)
        for in_flight in FEW
    }
    rates[FULL] = rate(session, whatsit, mix, in_flight=FULL, count=count, seed=seed)
    images = session.images(kind_of(figures.pictures[0]), count)
    known = median(whatsit.ask("known", **images)["latencies_ms"])
    return with_machine(figures, mix, costs, rates, known)


def rate(
    session: BenchSession,
    whatsit: MeasuredProcess,
    mix: PictureMix,
    *,
    count: int,
    seed: int,
    in_flight: int = FULL,
) -> float:
    """Return how many images a second are classified with so many in flight."""
    session.report(f"calibrating: {in_flight} in flight")
    order = mix.order(count, seed + in_flight)
    start = session.numbers(count)
    return throughput(whatsit.ask("crowd", pictures=mix.files, order=order, start=start, in_flight=in_flight))


def with_machine(
    figures: CapacityFigures,
    mix: PictureMix,
    costs: Sequence[float],
    rates: dict[int, float],
    known_ms: float,
) -> CapacityFigures:
    """Put a measured machine into the figures: core-seconds of each file, and images a second by how many are
    in flight. The last rate is the highest: that another one is above it is chance."""
    full = rates[FULL]
    mean_ms = 1000 * sum(share * cost for share, cost in zip(mix.shares, costs, strict=True))
    pictures = [
        {"name": file, "share": share, "core_ms": 1000 * cost, "kilobytes": 1}
        for file, share, cost in zip(mix.files, mix.shares, costs, strict=True)
    ]
    changed = {
        "measured_cores": cpus.usable(),
        "full_images_per_second": full,
        "speeds": [(images, min(rate / full, 1.0)) for images, rate in rates.items()],
        "small_core_ms": mean_ms,
        "first_look_core_ms": mean_ms,
        "crops_an_image": 1,
        "known_image_ms": known_ms,
        "pictures": pictures,
    }
    return CapacityFigures.model_validate(figures.model_dump() | changed)
