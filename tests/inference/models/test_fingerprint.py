"""A fingerprint is the roots of the features in unit length, and survives its own packing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inference.models.fingerprint import pack, unit_roots, unpack
from inference.results import SCALE_BYTES

vectors = arrays.arrays(np.float32, st.integers(1, 64), elements=st.floats(-1e6, 1e6, width=32))


def test_strong_features_count_by_their_roots() -> None:
    np.testing.assert_allclose(unit_roots(np.array([[9.0, 16.0]], np.float32)), [[0.6, 0.8]])
    np.testing.assert_allclose(unit_roots(np.array([[-9.0, 16.0]], np.float32)), [[-0.6, 0.8]])


def test_nothing_at_all_stays_nothing() -> None:
    assert not unit_roots(np.zeros((2, 4), np.float32)).any()
    assert not unpack(pack(np.zeros(4, np.float32))).any()


@given(vectors)
def test_packing_rounds_to_a_254th_of_the_largest_number(vector: np.ndarray) -> None:
    packed = pack(vector)
    assert len(packed) == SCALE_BYTES + len(vector)
    assert np.abs(unpack(packed) - vector).max() <= np.abs(vector).max() / 254 * 1.001 + 1e-30


def test_1280_numbers_take_less_than_1300_bytes() -> None:
    assert len(pack(np.ones(1280, np.float32))) < 1300


@pytest.mark.parametrize("packed", [b"", b"abcd", b"\0\0\0\0\1", b"\0\0\xc0\x7f\1", b"\0\0\x80\xbf\1"])
def test_what_is_no_fingerprint_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        unpack(packed)
