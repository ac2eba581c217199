"""The int8 variant of a model: post-training quantisation by NNCF, kept only if it loses next to nothing.

`whatsit models quantize NAME` starts it, and it needs the extra `[int8]`. A child process does the work,
because it brings libraries that nothing else of Whatsit needs.
"""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from config import settings
from inference.models import child_process, convert, model_cache
from inference.models.child_process import Report
from inference.models.loading import locate
from inference.results import ModelUnavailable

MOST_LOST = 0.01
"""Share of first labels that may turn from right to wrong: one point of top-1."""

WORTH_ITS_TIME = 0.9
"""With a larger share of f32's time than this, an int8 variant is not worth what it loses."""

QUANTIZE_SECONDS = 1800.0
"""The models of the catalogue take twenty seconds on two busy cores; an owner's may be much larger."""


class QuantizeReport(NamedTuple):
    """How an int8 variant compares with f32, on `crops` crops of `photographs` whole photographs that were
    not calibrated on.

    `lost` is the share of first labels that turned from right to wrong, less those that turned from wrong to
    right. Nobody has labelled these pictures, so it is an estimate: by how much f32 thinks its own first
    label likelier than the variant's, on average. Where f32 itself only guesses, a change costs little.
    `agreement` is the share of crops with the same first label; the seconds are those of a crop in batches
    of 8.
    """

    model: str
    lost: float
    agreement: float
    crops: int
    photographs: int
    seconds: float
    seconds_f32: float

    def __str__(self) -> str:
        pays = self.seconds <= WORTH_ITS_TIME * self.seconds_f32
        return (
            f"{self.model} has its int8 version. Compared with f32, it loses {self.loss} It gives the same "
            f"first label for {self.agreement:.1%} of them, and takes "
            f"{self.seconds / self.seconds_f32:.0%} of the time. "
            + (
                "Set model.precision to int8 to use it."
                if pays
                else "That is hardly faster on this processor: leave model.precision at f32."
            )
        )

    @property
    def loss(self) -> str:
        """Return what is lost, and on how many pictures, in words that end a sentence."""
        return (
            f"{100 * self.lost:.1f} points of top-1 accuracy, as estimated on {self.crops} crops of "
            f"{self.photographs} photographs that it was not made from."
        )


def quantize(model: settings.Model, *, report: Report, photographs: Path | None = None) -> QuantizeReport:
    """Make the int8 variant of the model that the settings name, and keep it beside the model.

    It is calibrated on random crops of the pictures in `photographs`, or without one of those that matplotlib
    and scikit-image carry. Raises ModelUnavailable, also for a variant that loses more than `MOST_LOST`.
    """
    if not (find_spec("nncf") and find_spec("openvino")):
        raise ModelUnavailable(
            "Making an int8 version needs NNCF and OpenVINO: pip install 'whatsit[int8]' (from Whatsit's own "
            "folder: pip install '.[int8]')."
        )
    located = locate(model, report=report)
    digest = located.content_hash(model.cache_dir)
    folder, converted = located.converted(digest, model.cache_dir, report=report)
    if converted.objection is not None:
        raise ModelUnavailable(
            f"The model {located.name} cannot have an int8 version, because OpenVINO cannot run it: "
            f"{converted.objection}."
        )
    place = convert.place_of(digest, model.cache_dir, kind=convert.INT8)
    found: list[QuantizeReport] = []

    def fill(made: Path) -> None:
        arguments = {
            "name": located.name,
            "source": str(folder / convert.MODEL),
            "folder": str(made),
            "size": converted.input_size,
            "temperature": located.temperature,
            "photographs": str(photographs) if photographs else None,
        }
        result = child_process.run(
            "inference.models.quantize_child:make",
            arguments,
            deadline=QUANTIZE_SECONDS,
            report=report,
            read=[folder, *([photographs] if photographs else [])],
            write=[made.parent],
        )
        found.append(QuantizeReport(located.name, **result))
        if found[0].lost > MOST_LOST:
            raise ModelUnavailable(
                f"The int8 version of {located.name} was not kept. It would lose {found[0].loss} Whatsit "
                f"allows {100 * MOST_LOST:.1f}. Make it again from some hundred photographs like those that "
                f"it will see: whatsit models quantize {shlex.quote(model.name)} --photographs FOLDER. If "
                "that does not help, leave model.precision at f32 or set it to bf16."
            )

    with model_cache.building(f"the int8 version of {located.name}", place):
        model_cache.install(place, fill)
    return found[0]
