"""What all rows of one benchmark share: the model, the pictures, and how measured processes are started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from config.settings import Model, Settings
from inference.bench.measured_process import MeasuredProcess
from inference.bench.pictures import ASPECTS, PictureKind, draw_originals, make


class BenchSession:
    """Starts measured processes and hands out pictures; `folder` has to exist, and keeps the pictures.

    `also` names modules that the process standing for the bot imports, `report` is told what is being done,
    `originals` gives the pictures to measure with. `whatsit` and `load` name the measured class and the
    function that loads its model, as "module:name".
    """

    def __init__(
        self,
        folder: Path,
        model: Model,
        *,
        also: Sequence[str] = (),
        report: Callable[[str], None],
        originals: Callable[[], list[Image.Image]] = draw_originals,
        whatsit: str = "inference.bench.measured_whatsit:MeasuredWhatsit",
        load: str = "inference.models.loading:load",
    ) -> None:
        self.model = model
        self.also = list(also)
        self.report = report
        self._folder = folder
        self._originals = originals()
        self._whatsit = whatsit
        self._load = load
        self._pictures: dict[PictureKind, list[str]] = {}
        self._next = 0

    def start(self, system: str, **options: Any) -> MeasuredProcess:
        """Start the measured system "module:class" with these arguments."""
        return MeasuredProcess(system, **options)

    def whatsit(self, *, roomy: bool = True, **changes: Any) -> MeasuredProcess:
        """Start Whatsit with this session's model, and `changes` of the section `model`.

        `roomy` raises the caps on images, which 500 in flight would run into; the budget of bytes stays.
        """
        settings = Settings(model=self.model.model_copy(update=changes))
        caps = {"images": 1_000, "images_per_guild": 1_000} if roomy else {}
        queue = settings.queue.model_copy(update={"timeout": 600.0, **caps})
        dumped = settings.model_copy(update={"queue": queue}).model_dump(mode="json")
        return self.start(self._whatsit, settings=dumped, also=self.also, load=self._load)

    def pictures(self, kind: PictureKind, *, count: int | None = None) -> list[str]:
        """Return all files of one kind of picture, or the first `count`; they are made when first needed."""
        originals = self._originals if count is None else self._originals[: -(-count // len(ASPECTS))]
        if len(self._pictures.get(kind, ())) < len(originals) * len(ASPECTS):
            self._pictures[kind] = [str(file) for file in make(kind, self._folder, originals)]
        return self._pictures[kind][:count]

    def numbers(self, count: int) -> int:
        """Reserve `count` numbers for `stamp` that no other measurement has, and return the first."""
        self._next += count
        return self._next - count

    def images(self, kind: PictureKind, count: int) -> dict[str, Any]:
        """Return the arguments that give a measured system `count` images that it has not seen."""
        return {"pictures": self.pictures(kind), "start": self.numbers(count), "count": count}
