"""The temperature makes a softmax honest."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.training.temperature import fit_temperature


def drawn(count: int, classes: int, scale: float) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Logits, and labels that are drawn with the probabilities that logits / scale have."""
    random = np.random.default_rng(3)
    honest = random.normal(0, 2, (count, classes))
    raised = np.exp(honest)
    shares = raised / raised.sum(axis=1, keepdims=True)
    labels = np.array([random.choice(classes, p=share) for share in shares], np.intp)
    return np.asarray(honest * scale, np.float32), labels


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_logits_that_say_too_much_or_too_little_are_made_honest(scale: float) -> None:
    assert fit_temperature(*drawn(3000, 4, scale)) == pytest.approx(scale, rel=0.08)


def test_a_few_pictures_that_are_all_right_do_not_make_it_certain() -> None:
    logits = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]] * 4
    temperature = fit_temperature(logits, np.array([0, 1, 0, 1]))
    sure = 1 / (1 + np.exp(-4 / temperature))
    assert sure == pytest.approx(5 / 6, abs=0.02)
