"""The int8 variant of a model: post-training quantisation by NNCF, kept only if it still says the same.

Started by `whatsit models quantize NAME`; needs the extra `[int8]`. The work is a child's: it brings
libraries that nothing else of Whatsit needs.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from config import settings
from inference.models import child_process as child
from inference.models import convert as ready
from inference.models import model_cache as folders
from inference.models.child_process import Report
from inference.models.loading import locate
from inference.results import ModelUnavailable

__all__ = ["LEAST_AGREEMENT", "QuantizeReport", "quantize"]

LEAST_AGREEMENT = 0.93
"""Share of the held-out crops whose first label must be f32's."""

QUANTIZE_SECONDS = 1800.0
"""Six seconds on two cores, for the models of the catalogue; one of one's own may be a hundred times as
big."""


class QuantizeReport(NamedTuple):
    """How an int8 variant compares with f32: the share of `pictures` crops whose first label is the same, and
    the seconds a crop takes, in batches of 8.

    None of these crops was calibrated on, and f32 is sure of each: its top probability is at least a half. On
    bare textures, of which there are many among crops, f32's first label is chance, and so is agreeing with
    it.
    """

    model: str
    agreement: float
    pictures: int
    seconds: float
    seconds_f32: float

    def __str__(self) -> str:
        return (
            f"{self.model} has its int8 version. It gives the same first label as f32 for "
            f"{self.agreement:.1%} of {self.pictures} pictures that it was not made from, and takes "
            f"{self.seconds / self.seconds_f32:.0%} of the time. Set model.precision to int8 to use it."
        )


def quantize(model: settings.Model, *, report: Report, photographs: Path | None = None) -> QuantizeReport:
    """Make the int8 variant of the model that the settings name, and keep it beside the model.

    It is calibrated on random crops of the pictures in `photographs`, or without one of those that matplotlib
    and scikit-image carry. Raises ModelUnavailable, also for a variant that agrees with f32 on fewer than
    `LEAST_AGREEMENT`.
    """
    if not (find_spec("nncf") and find_spec("openvino")):
        raise ModelUnavailable(
            "Making an int8 version needs NNCF and OpenVINO: pip install 'whatsit[int8]' (from Whatsit's own "
            "folder: pip install '.[int8]')."
        )
    located = locate(model, report=report)
    digest = folders.content_hash(located.folder)
    folder, verdict = ready.ensure(
        located.name,
        located.folder,
        digest,
        model.cache_dir,
        default_size=located.default_size,
        report=report,
    )
    if verdict.objection is not None:
        raise ModelUnavailable(
            f"The model {located.name} cannot have an int8 version, because OpenVINO cannot run it: "
            f"{verdict.objection}."
        )
    place = ready.place_of(digest, model.cache_dir, kind=ready.INT8)
    found: list[QuantizeReport] = []

    def fill(made: Path) -> None:
        arguments = {
            "name": located.name,
            "source": str(folder / ready.MODEL),
            "folder": str(made),
            "size": verdict.input_size,
            "temperature": located.temperature,
            "photographs": str(photographs) if photographs else None,
        }
        result = child.run(
            "inference.models.quantize_child:make", arguments, deadline=QUANTIZE_SECONDS, report=report
        )
        found.append(QuantizeReport(located.name, **result))
        if found[0].agreement < LEAST_AGREEMENT:
            raise ModelUnavailable(
                f"The int8 version of {located.name} gives the same first label as f32 for only "
                f"{found[0].agreement:.1%} of {found[0].pictures} pictures, and Whatsit asks for "
                f"{LEAST_AGREEMENT:.0%}: it was not kept. Stay with f32 or bf16, or calibrate it on pictures "
                "like those it will see."
            )

    try:
        with folders.locked(place, name=located.name):
            folders.install(place, fill)
    except child.ChildJobFailed as error:
        raise ModelUnavailable(f"The int8 version of {located.name} could not be made: {error}.") from None
    except child.ChildJobTimedOut:
        raise ModelUnavailable(
            f"Making the int8 version of {located.name} took over {QUANTIZE_SECONDS / 60:.0f} minutes and "
            "was given up."
        ) from None
    except OSError as error:
        raise ModelUnavailable(
            f"The int8 version of {located.name} cannot be written to {place.parent}: "
            f"{error.strerror or error}. Free some space there, or set model.cache_dir to another folder."
        ) from None
    return found[0]
