"""Prepared models: what one machine has converted, as one file, for nodes with neither TensorFlow nor
weights.

The file is a tar of `CARD`, `LABELS` and what `inference.models.convert` keeps of a model; its SHA-256 names
it. A node keeps it unpacked in `cache_dir`/prepared, beside a note for each `model.name` that says which one
was pushed last. `inference.models.packing` makes such files.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import shutil
import tarfile
from io import BufferedRandom
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from config import settings
from inference.models import convert, model_cache
from inference.results import ModelUnavailable

CARD, LABELS, WEIGHTS = "card.json", "labels.txt", "model.bin"
NEEDED = frozenset({CARD, LABELS, convert.MODEL, WEIGHTS})
MEMBERS = NEEDED | {convert.HEAD, convert.VERDICT}
"""The files that a prepared model may have; one with any other is refused."""
MOST_BYTES = 1024 * 1024 * 1024
"""Of a prepared model, as a file and unpacked. The largest of the catalogue has 25 MB."""
CARD_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelCard(BaseModel):
    """What a node has to know of a prepared model.

    `name` is what a person is shown, `wanted` the `model.name` of the settings that it was prepared for.
    `content_hash`, `input_size` and `temperature` are those of `inference.models.loading.LoadedModel`.
    `openvino` is the version that converted it, and `recipe` that of our own conversion.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    wanted: Annotated[str, Field(min_length=1, max_length=1000)]
    content_hash: Digest
    input_size: PositiveInt
    classes: PositiveInt
    temperature: PositiveFloat
    precision: Literal["f32", "bf16", "int8"]
    openvino: Annotated[str, Field(max_length=100)]
    recipe: int


def card_of(folder: Path) -> ModelCard | None:
    """Return the card of the prepared model in `folder`, None where that is none.

    Raises ModelUnavailable for a card that cannot be understood, and for another version of OpenVINO.
    """
    if not (folder / CARD).is_file():
        return None
    try:
        card = ModelCard.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError) as error:
        raise ModelUnavailable(
            f"The prepared model in {folder} cannot be understood ({type(error).__name__}). Push it "
            "again, from a "
            "machine with the same version of Whatsit."
        ) from None
    here = importlib.metadata.version("openvino")
    if (card.openvino, card.recipe) != (here, convert.RECIPE):
        raise ModelUnavailable(
            f"The model {card.name} was prepared with OpenVINO {card.openvino} (recipe {card.recipe}), "
            "and this "
            f"machine has {here} (recipe {convert.RECIPE}). Install the same version of Whatsit on both, "
            "from its "
            "requirements files, and push the model again."
        )
    return card


def place_of(digest: str, cache_dir: Path) -> Path:
    """Return where the prepared model is kept whose file has the SHA-256 `digest`."""
    return cache_dir / "prepared" / digest


def current(model: settings.Model) -> str | None:
    """Return the SHA-256 of the model that was pushed last for what the settings ask for, None without
    one."""
    try:
        digest = _note(model.name, model.cache_dir).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None


def pinned(model: settings.Model, digest: str | None) -> settings.Model:
    """Return the settings that load exactly the prepared model `digest`; `model` itself where that is None.

    Raises ModelUnavailable where this machine lacks it, or where it is damaged.
    """
    if digest is None:
        return model
    folder = model_cache.intact(place_of(digest, model.cache_dir))
    if folder is None:
        raise ModelUnavailable(
            f"The prepared model {digest[:12]} for {model.name} is not on this machine: run `whatsit "
            "models push` "
            "with its address."
        )
    card = card_of(folder)
    precision = card.precision if card else model.precision
    # What the card says was decided where the model was prepared; a node only runs it.
    return model.model_copy(
        update={"name": str(folder), "labels": folder / LABELS, "engine": "openvino", "precision": precision}
    )


def receive(file: BufferedRandom, digest: str, cache_dir: Path) -> ModelCard:
    """Keep the prepared model in `file`, whose SHA-256 has to be `digest`, and return its card.

    From then on it is the one for its `wanted` name. Raises ModelUnavailable for what is damaged, too large
    or no prepared model, and where nothing can be written; then nothing has changed.
    """
    place = place_of(digest, cache_dir)
    try:
        with model_cache.locked(place, name=f"the prepared model {digest[:12]}"):
            _check(file, digest)
            folder = model_cache.install(place, lambda made: _unpack(file, made))
            card = card_of(folder)
            if card is None:
                raise ModelUnavailable(f"What was pushed is no prepared model: it has no {CARD}.")
            _remember(card.wanted, digest, cache_dir)
    except OSError as error:
        raise ModelUnavailable(
            f"The prepared model cannot be written to {place.parent}: {error.strerror or error}. Free "
            "some space "
            "there, or set model.cache_dir to another folder."
        ) from None
    return card


def _note(wanted: str, cache_dir: Path) -> Path:
    return cache_dir / "prepared" / f"{hashlib.sha256(wanted.encode()).hexdigest()[:32]}.current"


def _remember(wanted: str, digest: str, cache_dir: Path) -> None:
    """Write down what was pushed last, and remove what was pushed before the last one for that name."""
    note = _note(wanted, cache_dir)
    before = note.with_suffix(".before")
    old = note.read_text(encoding="ascii").strip() if note.exists() else digest
    if old != digest:
        if before.exists():
            oldest = before.read_text(encoding="ascii").strip()
            if oldest not in (old, digest) and re.fullmatch(r"[0-9a-f]{64}", oldest):
                shutil.rmtree(place_of(oldest, cache_dir), ignore_errors=True)
        _write(before, old)
    _write(note, digest)


def _write(file: Path, text: str) -> None:
    temporary = file.with_name(f"{file.name}.tmp")
    temporary.write_text(text, encoding="ascii")
    temporary.replace(file)


def _check(file: BufferedRandom, digest: str) -> None:
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        raise ModelUnavailable(
            f"The prepared model arrived damaged: its SHA-256 is {found[:12]}..., and {digest[:12]}... was "
            "announced. Push it again."
        )
    file.seek(0)


def _unpack(file: BufferedRandom, folder: Path) -> None:
    """Write the members of a tar into `folder`: only plain files with names that are known, each once."""
    folder.mkdir()
    left = MOST_BYTES
    seen: set[str] = set()
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                left -= member.size
                if content is None or member.name not in MEMBERS or member.name in seen or left < 0:
                    raise ModelUnavailable(
                        f"What was pushed is no prepared model: it has {member.name[:100]!r} in it."
                    )
                seen.add(member.name)
                with (folder / member.name).open("xb") as out:
                    shutil.copyfileobj(content, out)
    except (tarfile.TarError, EOFError) as error:
        raise ModelUnavailable(f"What was pushed is no prepared model: {error}.") from None
    if missing := NEEDED - seen:
        raise ModelUnavailable(
            f"What was pushed is no prepared model: it lacks {', '.join(sorted(missing))}."
        )
    if (folder / CARD).stat().st_size > CARD_BYTES:
        raise ModelUnavailable("What was pushed is no prepared model: its card is too long.")
    card_of(folder)
