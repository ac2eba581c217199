"""Makes the file of a prepared model, which `inference.models.prepared` describes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import tarfile
from pathlib import Path
from typing import NamedTuple

from config import settings
from inference.models import convert, model_cache, prepared
from inference.models.child_process import Report
from inference.models.labels import labels_for
from inference.models.loading import locate
from inference.results import ModelUnavailable


class PackedModel(NamedTuple):
    """The file of a prepared model, its SHA-256 in hex, and its card."""

    file: Path
    digest: str
    card: prepared.ModelCard


def pack(model: settings.Model, folder: Path, *, report: Report) -> PackedModel:
    """Write the model that the settings name into a new file in `folder`, prepared first where need be.

    The same model always gives the same bytes. Raises ModelUnavailable, also where OpenVINO cannot run it.
    """
    located = locate(model, report=report)
    digest = located.content_hash(model.cache_dir)
    made, found = located.converted(digest, model.cache_dir, report=report)
    if found.objection is not None:
        raise ModelUnavailable(
            f"The model {located.name} cannot be pushed to nodes, because OpenVINO cannot run it, and "
            "nodes have "
            f"nothing else: {found.objection}."
        )
    if model.precision == "int8":
        quantised = model_cache.intact(convert.place_of(digest, model.cache_dir, kind=convert.INT8))
        if quantised is None:
            raise ModelUnavailable(
                f"The model {located.name} has no int8 version yet: make one with `whatsit models quantize "
                f"{model.name}`, or set model.precision to f32."
            )
        made = quantised
    labels = labels_for(located.name, found.classes, model.labels, folder=located.own_folder)
    card = prepared.ModelCard(
        name=located.name,
        wanted=model.name,
        content_hash=digest,
        input_size=found.input_size,
        classes=found.classes,
        temperature=located.temperature,
        precision=model.precision,
        openvino=importlib.metadata.version("openvino"),
        recipe=convert.RECIPE,
    )
    report(f"packing the model {located.name}", None)
    file = folder / "model.tar"
    with tarfile.open(file, "x", format=tarfile.USTAR_FORMAT) as archive:
        _add(archive, prepared.CARD, card.model_dump_json().encode())
        _add(archive, prepared.LABELS, "\n".join(labels).encode())
        for path in sorted(made.iterdir()):
            if path.name in prepared.MEMBERS:
                _add(archive, path.name, path.read_bytes())
    with file.open("rb") as stream:
        return PackedModel(file, hashlib.file_digest(stream, "sha256").hexdigest(), card)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o644
    archive.addfile(member, io.BytesIO(content))
