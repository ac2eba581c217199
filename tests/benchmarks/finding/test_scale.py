"""A large index is made, asked, and compared with an exact search."""

from __future__ import annotations

import numpy as np

from benchmarks.finding.scale import PackedFingerprints, measure_scale


def test_what_is_packed_is_nearly_what_it_was() -> None:
    vectors = np.random.default_rng(1).random((30, 32), np.float32)
    packed = PackedFingerprints(30, 32)
    np.testing.assert_allclose(packed.put(0, vectors), vectors, atol=0.01)
    assert 2 in packed.nearest(vectors[2])


def test_a_small_index_is_searched_rightly() -> None:
    real = np.abs(np.random.default_rng(1).standard_normal((20, 64))).astype(np.float32)
    real /= np.linalg.norm(real, axis=1, keepdims=True)
    result = measure_scale(real, 500)
    assert result.pictures == 500
    assert result.recall > 0.95
    assert result.megabytes > 0
