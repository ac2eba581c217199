"""Trains a model: the part of `inference.training.train` that runs in a child process.

Imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import tensorflow_hub as hub
import tf_keras
from numpy.typing import NDArray

from config.settings import Limits
from inference.charts.layout import draw_sheet
from inference.charts.sheet import ChartSheet
from inference.models import frozen_graph
from inference.models.child_process import Report
from inference.training import fine_tuning
from inference.training.fitting import BATCH, Course, fit
from inference.training.head import LEARNING_RATE, last_layer, new_head
from inference.training.holding_back import check_counts, divide
from inference.training.network import FeatureNetwork
from inference.training.pictures import Crop, LabelledFile, Pictures, as_input
from inference.training.sheets import confusion_matrix, learning_curve
from inference.training.temperature import fit_temperature
from inference.training.train import EXTRA, MODEL
from inference.training.trained_model import TrainedModel

SEED = 12
EPOCHS, PATIENCE = 60, 8
VARIATIONS = 8
"""Random variations of each picture that the new last layer learns from, beside the picture itself."""
MOST_CROPS = 6000
"""Beyond so many there are fewer variations of each picture; the network takes some 15 ms a crop."""
BEFORE_TUNING = 0.4
"""Share of the time, more or less, that is over when fine-tuning begins."""

VECTORS = "features"
"""The folder for the network that it starts from, as `hub.KerasLayer` takes it."""


class TrainResult(TypedDict):
    """The figures of `inference.training.train.TrainReport`."""

    learnt: int
    held_back: int
    right: int
    temperature: float
    epochs: int
    tuned: bool
    unreadable: list[str]
    repeated: list[str]


class ReadSet(NamedTuple):
    """The pictures that can be read, each once, with hashes of their bytes and their features, float32
    [n, width]; and the files that were left out."""

    files: list[LabelledFile]
    digests: list[bytes]
    features: NDArray[np.float32]
    unreadable: list[str]
    repeated: list[str]


def make(
    *,
    base: str,
    saved_model: str,
    default_size: int,
    name: str,
    set_folder: str,
    labels: list[str],
    files: list[list[str]],
    limits: dict[str, Any],
    fine_tune: bool,
    epochs: int | None,
    folder: str,
    report: Report,
) -> TrainResult:
    """Train on the pictures in `files`, a list a label, and write the model into `MODEL` in `folder`.

    It starts from the SavedModel `saved_model`, which is called `base`; the new one is called `name`.
    Raises ModelUnavailable for too few pictures, or a base that cannot be used.
    """
    tf_keras.utils.set_random_seed(SEED)
    share = BEFORE_TUNING if fine_tune else 1.0
    report(f"reading {base}", 0.0)
    network = FeatureNetwork(frozen_graph.feature_graph(base, Path(saved_model), default_size=default_size))
    vectors = Path(folder, VECTORS)
    network.save(vectors)
    layer = hub.KerasLayer(str(vectors), trainable=fine_tune, name="network")
    pictures = Pictures(network.input_size, Limits(**limits))

    read = _read(pictures, files, layer, _part(report, 0.05 * share, 0.25 * share))
    numbers = np.array([file.label for file in read.files], np.intp)
    readable = [int((numbers == label).sum()) for label in range(len(labels))]
    check_counts(set_folder, labels, readable, readable=True)
    learnt, held_back = divide(numbers.tolist(), read.digests)
    learnt_files, held_back_files = ([read.files[i] for i in part] for part in (learnt, held_back))
    varied = _variations(pictures, learnt_files, layer, _part(report, 0.25 * share, 0.85 * share))
    inputs = np.concatenate([read.features[learnt], varied])
    targets = np.concatenate([numbers[learnt], np.repeat(numbers[learnt], len(varied) // len(learnt))])

    head = new_head(inputs, len(labels))
    judged = read.features[held_back], numbers[held_back]
    course = fit(
        head,
        (inputs, targets),
        judged,
        learning_rate=LEARNING_RATE,
        epochs=epochs or EPOCHS,
        patience=PATIENCE,
        report=_part(report, 0.85 * share, 0.95 * share),
    )
    logits = np.asarray(head.predict(judged[0], verbose=0), np.float32)
    tuned: fine_tuning.Tuned | None = None
    if fine_tune:
        tuned = fine_tuning.fine_tune(
            layer,
            head,
            pictures,
            learnt_files,
            held_back_files,
            before=course,
            epochs=epochs or fine_tuning.EPOCHS,
            report=_part(report, share, 0.95),
        )
        if tuned.logits is not None:
            logits = tuned.logits
            network.take_over(layer.trainable_weights)

    report(f"writing {name}", 0.95)
    temperature = fit_temperature(logits, judged[1])
    model = Path(folder, MODEL)
    TrainedModel(network, last_layer(head).divided(temperature)).save(model, labels)
    said = np.argmax(logits, axis=1)
    extra = model / EXTRA
    extra.mkdir()
    (extra / "learning_curve.png").write_bytes(draw_sheet(_curve(name, course, tuned)))
    counts = np.zeros((len(labels), len(labels)), np.intp)
    np.add.at(counts, (judged[1], said), 1)
    (extra / "confusion_matrix.png").write_bytes(draw_sheet(confusion_matrix(name, labels, counts)))
    return TrainResult(
        learnt=len(learnt),
        held_back=len(held_back),
        right=int((said == judged[1]).sum()),
        temperature=temperature,
        epochs=len(course.epochs) + (len(tuned.course.epochs) if tuned else 0),
        tuned=tuned is not None and tuned.logits is not None,
        unreadable=read.unreadable,
        repeated=read.repeated,
    )


def _read(pictures: Pictures, files: list[list[str]], layer: Any, report: Report) -> ReadSet:
    """Read each file once, and give what can be read to the network."""
    found = ReadSet([], [], np.empty((0, 0), np.float32), [], [])
    seen: set[bytes] = set()
    total, number = sum(map(len, files)), 0

    def crops() -> Iterable[Crop]:
        nonlocal number
        for label, paths in enumerate(files):
            for path in paths:
                number += 1
                report(f"looking at {total:,} pictures", number / total)
                picture = pictures.read(LabelledFile(Path(path), label))
                if picture is None:
                    found.unreadable.append(path)
                elif picture.digest in seen:
                    found.repeated.append(path)
                else:
                    seen.add(picture.digest)
                    found.files.append(picture.file)
                    found.digests.append(picture.digest)
                    yield picture.centre

    return found._replace(features=_features(layer, crops()))


def _variations(
    pictures: Pictures, files: Sequence[LabelledFile], layer: Any, report: Report
) -> NDArray[np.float32]:
    """Return the features of random variations of each picture, float32 [k n, width], one picture after the
    other."""
    random = np.random.default_rng(SEED)
    count = max(min(VARIATIONS, MOST_CROPS // len(files) - 1), 1)

    def crops() -> Iterable[Crop]:
        for number, file in enumerate(files):
            report(f"looking at {count} variations of each", number / len(files))
            yield from pictures.variations(file, count, random)

    return _features(layer, crops())


def _features(layer: Any, crops: Iterable[Crop]) -> NDArray[np.float32]:
    """Return what the network makes of crops, float32 [n, width]."""
    batch: list[Crop] = []
    features: list[NDArray[np.float32]] = [np.empty((0, 0), np.float32)]
    for crop in crops:
        batch.append(crop)
        if len(batch) == BATCH:
            features.append(layer(as_input(batch)).numpy())
            batch = []
    if batch:
        features.append(layer(as_input(batch)).numpy())
    return np.concatenate(features[1:] or features)


def _curve(name: str, course: Course, tuned: fine_tuning.Tuned | None) -> ChartSheet:
    """Return the learning curve of the whole training."""
    epochs, kept, tuned_from = course.epochs, course.best + 1, None
    if tuned:
        tuned_from = len(epochs) + 1
        if tuned.logits is not None:
            kept = len(epochs) + tuned.course.best + 1
        epochs = epochs + tuned.course.epochs
    return learning_curve(name, epochs, kept, tuned_from)


def _part(report: Report, begin: float, end: float) -> Report:
    """Return what reports the progress of one part, 0 to 1, as that of the whole."""
    return lambda stage, share: report(stage, None if share is None else begin + (end - begin) * share)
