"""Train, evaluate, classify, and load with plain TensorFlow Hub, all by the real command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.settings import Limits
from inference.images.decode import decode
from tests.e2e.command import lines, whatsit

__all__ = ["RoundTrip", "logits_of", "round_trip"]


SECONDS = 400.0
"""For one command. Each takes some ten seconds, and many times that with every core busy."""


@dataclass(frozen=True)
class RoundTrip:
    """What the commands said.

    `said` is the answer of `train` and `notes` what it said beside that, `evaluation` the JSON of `evaluate`,
    and `named` has each file's object of `classify --json`.
    """

    model: Path
    said: str
    notes: str
    evaluation: dict[str, Any]
    named: list[dict[str, Any]]


def round_trip(base: str, train: Path, test: Path, place: Path, *options: str) -> RoundTrip:
    """Train on `train` on top of `base`, and look at `test` with what came of it, all in `place`."""
    model = place / "trained"
    made = whatsit("train", train, "--out", model, "--model", base, *options, timeout=SECONDS)
    assert made.returncode == 0, made.stderr.decode()
    judged = whatsit(
        "evaluate", test, "--model", model, "--out", place / "evaluation", "--json", timeout=SECONDS
    )
    assert judged.returncode == 0, judged.stderr.decode()
    # One view, because that is what plain TensorFlow Hub is given below.
    named = whatsit("classify", "--json", "--model", model, test, "--views", "1")
    assert named.returncode == 0, named.stderr.decode()
    return RoundTrip(
        model, made.stdout.decode(), made.stderr.decode(), json.loads(judged.stdout), lines(named)
    )


def logits_of(model: Path, files: list[Path], size: int) -> NDArray[np.float32]:
    """The logits, float32 [n, classes], that `hub.KerasLayer` gives for the middle of each picture."""
    import tensorflow_hub as hub  # noqa: PLC0415 - it imports TensorFlow

    crops = [
        decode(file.read_bytes(), input_size=size, views="1", limits=Limits()).first[0] for file in files
    ]
    logits = hub.KerasLayer(str(model))(np.stack(crops).astype(np.float32) / 255)
    return np.asarray(logits, np.float32)


def differs_most(trip: RoundTrip, logits: NDArray[np.float32]) -> float:
    """By how much a probability that the command said differs from the softmax of these logits."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = raised / raised.sum(axis=1, keepdims=True)
    return max(
        float(abs(label["probability"] - expected[row, label["index"]]))
        for row, said in enumerate(trip.named)
        for label in said["labels"]
    )
