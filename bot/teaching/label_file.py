"""What a server taught as a file: fingerprints by label, with the kind of model that made them.

There is nobody in such a file: neither whose pictures they were nor where these are.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.discord_limits import FILE_BYTES
from bot.presentation.plain_text import shorten
from bot.store.taught_results import LABEL_NAME, MOST_EXAMPLES, MOST_LABELS, TeachingRefused
from inference.results import SCALE_BYTES, ModelInfo

FORMAT: Final = 1
FILE_NAME: Final = "whatsit-labels.json.gz"
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the JSON in a file; 100 labels of 200 examples have 35 MB."""
ROOM: Final = FILE_BYTES * 9 // 10
"""Bytes of one file; what is more goes into another one."""


class BadLabelFile(TeachingRefused):
    """The file is not one that `export` wrote; the message says what is wrong, for the log."""


class LabelFileOfOtherModel(TeachingRefused):
    """The file's fingerprints are of `model`, and what answers now is another one, or runs otherwise."""

    def __init__(self, model: str) -> None:
        super().__init__(f"the file is of {model}")
        self.model = model


@dataclass(frozen=True)
class TaughtLabels:
    """Fingerprints by the names of their labels, and those of "none of these"."""

    labels: Mapping[str, Sequence[bytes]]
    none: Sequence[bytes]

    @property
    def count(self) -> int:
        """How many fingerprints there are."""
        return sum(map(len, self.labels.values())) + len(self.none)


def write_files(taught: TaughtLabels, info: ModelInfo) -> list[bytes]:
    """Return the files, each small enough for Discord; more than one for some thousands of examples."""
    files, part, none, size = list[bytes](), dict[str, list[str]](), list[str](), 0
    for name, fingerprint in _all(taught):
        if size + len(fingerprint) > ROOM:  # compressing undoes what Base64 adds, and hardly more
            files.append(_compressed(part, none, info))
            part, none, size = {}, [], 0
        (none if name is None else part.setdefault(name, [])).append(base64.b64encode(fingerprint).decode())
        size += len(fingerprint) + 16
    return [*files, _compressed(part, none, info)]


def _all(taught: TaughtLabels) -> Iterator[tuple[str | None, bytes]]:
    for name, fingerprints in taught.labels.items():
        yield from ((name, each) for each in fingerprints)
    yield from ((None, each) for each in taught.none)


def _compressed(labels: Mapping[str, Sequence[str]], none: Sequence[str], info: ModelInfo) -> bytes:
    content = {
        "whatsit_labels": FORMAT,
        "model": info.name,
        "kind": info.fingerprints,
        "labels": labels,
        "none_of_these": none,
    }
    text = json.dumps(content, ensure_ascii=False).encode()
    packer = zlib.compressobj(wbits=31)
    return packer.compress(text) + packer.flush()


def read_file(data: bytes, info: ModelInfo) -> TaughtLabels:
    """Return what is in a file. Raises `BadLabelFile` and `LabelFileOfOtherModel`."""
    content = _read(data)
    if content["kind"] != info.fingerprints:
        raise LabelFileOfOtherModel(shorten(str(content.get("model", "?")), 60))
    labels = content["labels"]
    if not isinstance(labels, dict) or len(labels) > MOST_LABELS:
        raise BadLabelFile(f"it has no labels, or more than {MOST_LABELS}")
    by_name: dict[str, Sequence[bytes]] = {}
    for typed, given in labels.items():
        name = shorten(typed, LABEL_NAME)
        if not name or name.casefold() in {each.casefold() for each in by_name}:
            raise BadLabelFile("a label has no name, or two have the same")
        by_name[name] = _fingerprints(given, info)
    return TaughtLabels(by_name, _fingerprints(content.get("none_of_these", []), info))


def _read(data: bytes) -> dict[str, Any]:
    try:
        if data[:2] == b"\x1f\x8b":
            unpacker = zlib.decompressobj(wbits=31)
            data = unpacker.decompress(data, MOST_BYTES)
            if unpacker.unconsumed_tail or not unpacker.eof:
                raise BadLabelFile("it is cut short, or has more than can be taught")
        content = json.loads(data)
    except (zlib.error, ValueError, RecursionError) as error:
        raise BadLabelFile(f"it cannot be read: {type(error).__name__}") from error
    if not isinstance(content, dict) or content.get("whatsit_labels") != FORMAT or "kind" not in content:
        raise BadLabelFile("it says nothing of labels")
    if "labels" not in content:
        raise BadLabelFile("it has no labels")
    return content


def _fingerprints(given: Any, info: ModelInfo) -> Sequence[bytes]:
    if not isinstance(given, list) or len(given) > MOST_EXAMPLES:
        raise BadLabelFile(f"a label has no list of examples, or more than {MOST_EXAMPLES}")
    found = []
    for each in given:
        try:
            fingerprint = base64.b64decode(each, validate=True)
            (scale,) = struct.unpack("<f", fingerprint[:SCALE_BYTES])
        except (TypeError, ValueError, binascii.Error, struct.error) as error:
            raise BadLabelFile("an example is no fingerprint") from error
        if len(fingerprint) != SCALE_BYTES + info.features or not (math.isfinite(scale) and scale > 0):
            raise BadLabelFile("an example is no fingerprint of this model")
        found.append(fingerprint)
    return found
