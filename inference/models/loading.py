"""From the settings to a model that answers. Called inside the worker process.

Getting a model ready is done in child processes; after that, a start only reads files. Nothing here imports
TensorFlow but for the TensorFlow engine.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from config import settings
from inference.models import (
    child_process,
    convert,
    embedded,
    first_use,
    hub,
    hub_failure,
    model_cache,
    prepared,
)
from inference.models.catalogue import AUTO, EMBEDDED, CatalogueEntry, entries, find
from inference.models.child_process import Report
from inference.models.engines import Engine
from inference.models.labels import labels_for
from inference.results import ModelCaveat, ModelUnavailable

ASK_AGAIN = "`whatsit models refresh` lets the next start ask at once"

NO_BFLOAT16 = "This processor has no bfloat16, so the model runs in f32."

DEFAULT_SIZE = 224
"""Input height and width in pixels for an owner's model whose signature leaves them open."""


@dataclass
class LoadedModel:
    """A model ready to predict.

    `name` is what a person is shown, `content_hash` the SHA-256 of the SavedModel, `input_size` the height
    and width of the input in pixels, `labels` one a class. Probabilities are softmax(logits / `temperature`).
    `note` is one sentence where something is not as asked for, else None, and `caveats` say what.
    """

    name: str
    content_hash: str
    input_size: int
    labels: tuple[str, ...]
    temperature: float
    engine: Engine
    note: str | None
    caveats: tuple[ModelCaveat, ...] = ()


class Caveat(NamedTuple):
    """Something that is not as asked for: what, and one sentence with the reason."""

    kind: ModelCaveat
    sentence: str


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """A SavedModel on disk, the name that a person is shown, its catalogue entry where it has one, and its
    address where it was downloaded."""

    name: str
    folder: Path
    entry: CatalogueEntry | None
    handle: str | None = None
    caveat: Caveat | None = None

    @property
    def default_size(self) -> int:
        """Input height and width in pixels where the signature leaves them open."""
        return self.entry.input_size if self.entry else DEFAULT_SIZE

    @property
    def own_folder(self) -> Path | None:
        """The folder, which may have labels in it, of a model that is not of the catalogue."""
        return None if self.entry else self.folder

    @property
    def temperature(self) -> float:
        """What logits are divided by before the softmax."""
        return self.entry.temperature if self.entry else 1.0

    def content_hash(self, cache_dir: Path) -> str:
        """Return the SHA-256 of the folder. Raises ModelUnavailable for a download that has changed."""
        digest = model_cache.content_hash(self.folder)
        if self.handle:
            pinned = self.entry.sha256 if self.entry else None
            first_use.check(self.name, self.handle, self.folder, digest, cache_dir, pinned=pinned)
        return digest

    def converted(
        self, digest: str, cache_dir: Path, *, report: Report
    ) -> tuple[Path, convert.ConversionResult]:
        """Do `convert.ensure` for this model, whose folder has the content hash `digest`."""
        return convert.ensure(
            self.name, self.folder, digest, cache_dir, default_size=self.default_size, report=report
        )


def load(model: settings.Model, *, report: Report) -> LoadedModel:
    """Find, fetch or build the model that the settings name, and start its engine.

    `report(stage, fraction)` is told the progress, `fraction` in [0, 1] or None. Raises ModelUnavailable,
    whose message names the model and what can be done.
    """
    if (folder := Path(model.name)).is_absolute() and (card := prepared.card_of(folder)):
        return _load_prepared(folder, card)
    located = locate(model, report=report)
    digest = located.content_hash(model.cache_dir)
    engine, size, labels, caveat = _start_engine(located, digest, model, report)
    caveats = [each for each in (located.caveat, caveat) if each]
    return LoadedModel(
        name=located.name,
        content_hash=digest,
        input_size=size,
        labels=labels,
        temperature=located.temperature,
        engine=engine,
        note=" ".join(each.sentence for each in caveats) or None,
        caveats=tuple(each.kind for each in caveats),
    )


def _load_prepared(folder: Path, card: prepared.ModelCard) -> LoadedModel:
    """Start the engine of a model that another machine has prepared."""
    from inference.models.engines.openvino import OpenVINOEngine, has_bf16  # noqa: PLC0415 - only where it is used

    precision = "f32" if card.precision == "bf16" and not has_bf16() else card.precision
    return LoadedModel(
        name=card.name,
        content_hash=card.content_hash,
        input_size=card.input_size,
        labels=labels_for(card.name, card.classes, folder / prepared.LABELS),
        temperature=card.temperature,
        engine=OpenVINOEngine(folder / convert.MODEL, precision=precision),
        note=None if precision == card.precision else NO_BFLOAT16,
        caveats=() if precision == card.precision else ("no_bfloat16",),
    )


def _start_engine(
    located: LocatedModel, digest: str, model: settings.Model, report: Report
) -> tuple[Engine, int, tuple[str, ...], Caveat | None]:
    """Return the engine, its input size in pixels, the labels, and a caveat where the engine is the slower
    one."""
    caveat = None
    if _wants_openvino(located.name, model):
        folder, found = located.converted(digest, model.cache_dir, report=report)
        if found.objection is None:
            # Before the engine starts, because a start that fails should do so at once.
            labels = labels_for(located.name, found.classes, model.labels, folder=located.own_folder)
            engine, caveat = _openvino(located, folder, digest, model)
            return engine, found.input_size, labels, caveat
        if model.engine == "openvino" or model.precision != "f32":
            raise ModelUnavailable(
                f"OpenVINO cannot run the model {located.name}: {found.objection}. Set model.engine to "
                "auto or tensorflow, and model.precision to f32."
            )
        sentence = f"The slower engine runs it, because with OpenVINO {found.objection}."
        caveat = Caveat("slower_engine", sentence)
    engine, size, classes = _tensorflow(located, report)
    labels = labels_for(located.name, classes, model.labels, folder=located.own_folder)
    return engine, size, labels, caveat


def locate(model: settings.Model, *, report: Report) -> LocatedModel:
    """Return the SavedModel that `model.name` names, downloaded, unpacked or built first where need be.

    Raises ModelUnavailable.
    """
    if model.name != "auto":
        return _locate(model.name, model, report)
    try:
        return _locate_on_hub(model, report)
    except ModelUnavailable as error:
        fallback = _locate(EMBEDDED, model, report)
        kind: ModelCaveat = "hub_model_unusable"
        why = str(error)
        if isinstance(error, hub.HubOutOfReach):
            kind, why = "hub_out_of_reach", f"{error.why}."
        return replace(fallback, caveat=Caveat(kind, f"{EMBEDDED} answers in place of {AUTO}: {why}"))


def _locate_on_hub(model: settings.Model, report: Report) -> LocatedModel:
    """Find the Hub's model that `auto` means. A Hub that is out of reach is asked only once a day."""
    entry = find(AUTO)
    if entry and not hub.cached(entry.source, model.cache_dir) and hub_failure.is_recent(model.cache_dir):
        raise hub.HubOutOfReach(AUTO, f"the Hub was out of reach within the last day; {ASK_AGAIN}")
    try:
        return _locate(AUTO, model, report)
    except hub.HubOutOfReach as error:
        if not hub_failure.remember(model.cache_dir):
            raise
        raise hub.HubOutOfReach(AUTO, f"{error.why}. It is asked again in a day; {ASK_AGAIN}") from error


def _locate(name: str, model: settings.Model, report: Report) -> LocatedModel:
    entry = find(name)
    if entry and entry.source == "embedded":
        return LocatedModel(entry.name, embedded.ensure(model.cache_dir, report=report), entry)
    handle = entry.source if entry else hub.address(name)
    path = Path(name).expanduser()
    if entry is None and path.is_dir():
        if not model_cache.is_saved_model(path):
            raise ModelUnavailable(f"The folder {path} is no SavedModel: it has no saved_model.pb.")
        return LocatedModel(path.resolve().name, path, None)
    if entry is None and path.is_file():
        return LocatedModel(path.name, hub.unpack(path, model.cache_dir, report=report), None)
    if handle is None:
        known = ", ".join(entry.name for entry in entries())
        raise ModelUnavailable(
            f"There is no model {name}: no folder or file of that name, and the catalogue has {known}. Set "
            "model.name to one of these, or to a SavedModel folder, a .tar.gz of one, or an address."
        )
    shown = entry.name if entry else urlsplit(handle).path.strip("/") or handle
    folder = hub.fetch(shown, handle, model.cache_dir, deadline=model.hub_deadline, report=report)
    return LocatedModel(shown, folder, entry, handle)


def _wants_openvino(name: str, model: settings.Model) -> bool:
    if model.engine == "tensorflow":
        if model.precision != "f32":
            raise ModelUnavailable(
                f"The engine tensorflow runs the model {name} in f32 only: set model.precision to f32, or "
                "model.engine to auto."
            )
        return False
    if find_spec("openvino"):
        return True
    if model.engine == "openvino" or model.precision != "f32":
        raise ModelUnavailable(
            f"The model {name} was to run on OpenVINO, which is not installed: pip install openvino, or set "
            "model.engine to tensorflow and model.precision to f32."
        )
    return False


def _openvino(
    located: LocatedModel, folder: Path, digest: str, model: settings.Model
) -> tuple[Engine, Caveat | None]:
    from inference.models.engines.openvino import OpenVINOEngine, has_bf16  # noqa: PLC0415 - only where it is used

    if model.precision == "int8":
        quantised = model_cache.intact(convert.place_of(digest, model.cache_dir, kind=convert.INT8))
        if quantised is None:
            wanted = located.name if located.entry else shlex.quote(model.name)
            raise ModelUnavailable(
                f"The model {located.name} has no int8 version yet: make one with `whatsit models quantize "
                f"{wanted}`, or set model.precision to f32."
            )
        return OpenVINOEngine(quantised / convert.MODEL, precision="int8"), None
    if model.precision == "bf16" and not has_bf16():
        return OpenVINOEngine(folder / convert.MODEL), Caveat("no_bfloat16", NO_BFLOAT16)
    return OpenVINOEngine(folder / convert.MODEL, precision=model.precision), None


def _tensorflow(located: LocatedModel, report: Report) -> tuple[Engine, int, int]:
    os.environ.update(child_process.tensorflow_environment())
    report("starting TensorFlow", None)
    from inference.models import frozen_graph  # noqa: PLC0415 - it imports TensorFlow
    from inference.models.engines import tensorflow  # noqa: PLC0415 - likewise

    frozen = frozen_graph.freeze(located.name, located.folder, default_size=located.default_size)
    return tensorflow.TensorFlowEngine(frozen), frozen.input_size, frozen.classes
