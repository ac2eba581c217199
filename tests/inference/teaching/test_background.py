"""Whitening is exactly Sigma^-1/2, without a matrix as wide as a fingerprint is long."""

from __future__ import annotations

import numpy as np
import pytest

from inference.teaching.background import KEPT, Background, unit
from tests.inference.teaching.clusters import WIDTH, background, cluster


def test_it_whitens_as_the_formula_says() -> None:
    known = np.concatenate([cluster(number, 1) for number in range(20)])
    seen = cluster(100, 5)
    covariance = np.cov(known, rowvar=False)
    sigma = KEPT * covariance + (1 - KEPT) * np.trace(covariance) / WIDTH * np.eye(WIDTH)
    values, vectors = np.linalg.eigh(sigma)
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    expected = (seen - known.mean(axis=0)) @ root
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(Background(known).whitened(seen), expected, atol=1e-4)


def test_the_derivative_is_what_a_small_change_of_a_feature_does() -> None:
    known = background()
    features = 0.1 + np.random.default_rng(3).exponential(size=WIDTH)
    (mean,) = known.whitened(cluster(1, 1))

    def cosine(features: np.ndarray) -> float:
        roots = np.sqrt(features)
        (whitened,) = known.whitened((roots / np.linalg.norm(roots))[None].astype(np.float32))
        return float(whitened @ mean)

    roots = np.sqrt(features)
    given = known.derivative((roots / np.linalg.norm(roots)).astype(np.float32), mean)
    step = 0.02
    measured = np.array(
        [
            (cosine(features + step * np.eye(WIDTH)[i]) - cosine(features - step * np.eye(WIDTH)[i]))
            / (2 * step)
            for i in range(WIDTH)
        ]
    )
    factor = (given @ measured) / (given @ given)  # a factor that is the same for all features
    assert factor > 0
    np.testing.assert_allclose(factor * given, measured, atol=0.02 * np.abs(measured).max())


def test_a_feature_that_is_not_there_adds_nothing() -> None:
    seen = cluster(2, 1)[0].copy()
    seen[:3] = 0
    (mean,) = background().whitened(cluster(1, 1))
    assert not background().derivative(unit(seen[None])[0], mean)[:3].any()


@pytest.mark.parametrize("known", [cluster(1, 1), np.repeat(cluster(1, 1), 5, axis=0)])
def test_a_background_without_a_spread_is_refused(known: np.ndarray) -> None:
    with pytest.raises(ValueError, match="background"):
        Background(known)
