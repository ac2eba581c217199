"""Trains a Keras model until it no longer gets better, and remembers how that went.

Imports TensorFlow.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tf_keras

from inference.models.child_process import Report

BATCH = 32


class Epoch(NamedTuple):
    """How the model did in one pass: losses, and shares that were right, of the pictures learnt from and of
    those held back."""

    loss: float
    right: float
    held_back_loss: float
    held_back_right: float


class Course(NamedTuple):
    """How a training went, and which of its epochs, from 0, was the best: the model has the weights of it."""

    epochs: list[Epoch]
    best: int

    @property
    def best_loss(self) -> float:
        """The lowest loss on what was held back."""
        return self.epochs[self.best].held_back_loss


def fit(
    model: Any,
    learnt: Any,
    held_back: Any,
    *,
    learning_rate: float,
    epochs: int,
    patience: int,
    report: Report,
) -> Course:
    """Train until `patience` epochs have gone by without a lower loss on what is held back.

    `learnt` and `held_back` are pairs of inputs and labels, or Keras sequences of such batches. `report` is
    told of each epoch, and how much is done of all that there may be.
    """
    model.compile(
        tf_keras.optimizers.Adam(learning_rate, clipnorm=1.0),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        [tf_keras.metrics.SparseCategoricalAccuracy(name="right")],
    )
    stop = tf_keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)
    listener = _Listener(epochs, report)
    inputs = (
        {"x": learnt[0], "y": learnt[1], "batch_size": BATCH} if isinstance(learnt, tuple) else {"x": learnt}
    )
    model.fit(
        **inputs, validation_data=held_back, epochs=epochs, callbacks=[listener, stop], verbose=0, workers=1
    )
    if stop.best_weights is not None:
        model.set_weights(stop.best_weights)  # which Keras itself does only where it stopped early
    return Course(listener.epochs, int(stop.best_epoch))


class _Listener(tf_keras.callbacks.Callback):  # type: ignore[misc] # it comes without types
    """Keeps what each epoch gave, and reports the progress."""

    def __init__(self, most: int, report: Report) -> None:
        super().__init__()
        self.epochs: list[Epoch] = []
        self._most = most
        self._report = report
        self._words = ""

    def on_train_batch_end(self, batch: int, _: dict[str, float] | None = None) -> None:
        steps = self.params.get("steps") or 1
        self._report(
            f"epoch {len(self.epochs) + 1} of at most {self._most}{self._words}",
            (len(self.epochs) + (batch + 1) / steps) / self._most,
        )

    def on_epoch_end(self, _: int, logs: dict[str, float] | None = None) -> None:
        found = logs or {}
        epoch = Epoch(*(float(found[key]) for key in ("loss", "right", "val_loss", "val_right")))
        self.epochs.append(epoch)
        self._words = f", {epoch.held_back_right:.1%} of new pictures right"
