"""Which pictures a model is judged by."""

from __future__ import annotations

import hashlib

import pytest

from inference.results import ModelUnavailable
from inference.training.holding_back import check_counts, divide


def digests(count: int) -> list[bytes]:
    return [hashlib.sha256(bytes([number])).digest() for number in range(count)]


def test_a_fifth_of_each_class_is_held_back_and_at_least_one_picture() -> None:
    labels = [0] * 50 + [1] * 5
    learnt, held_back = divide(labels, digests(55))
    assert sorted(learnt + held_back) == list(range(55))
    assert [sum(labels[number] == label for number in held_back) for label in (0, 1)] == [10, 1]


def test_the_same_pictures_are_held_back_in_any_order() -> None:
    labels, hashes = [0, 1] * 10, digests(20)
    _, held_back = divide(labels, hashes)
    _, reversed_held_back = divide(labels[::-1], hashes[::-1])
    assert {hashes[number] for number in held_back} == {hashes[19 - number] for number in reversed_held_back}


def test_too_few_pictures_are_one_sentence_that_says_how_many() -> None:
    check_counts("set", ["ants", "bees"], [5, 6], readable=True)
    with pytest.raises(ModelUnavailable, match="bees in set has 1 picture that can be read and differ"):
        check_counts("set", ["ants", "bees"], [5, 1], readable=True)
