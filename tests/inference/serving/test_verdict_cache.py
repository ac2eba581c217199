"""What is remembered of pictures, and for how long."""

from __future__ import annotations

import pytest

from inference.results import HarmfulImage
from inference.serving.protocol import (
    AnsweredReply,
)
from inference.serving.verdict_cache import ImageKey, VerdictCache


def verdict(number: int = 0) -> AnsweredReply:
    return AnsweredReply(
        id=number, labels=(), size=(1, 1), views=1, decode_ms=0, predict_ms=0, core_seconds=0
    )


def test_a_verdict_belongs_to_bytes_labels_and_model() -> None:
    memory = VerdictCache(10)
    memory.keep("model", ImageKey(b"a", 10), verdict(1))
    assert memory.get("model", ImageKey(b"a", 10)) == verdict(1)
    assert memory.get("model", ImageKey(b"a", 20)) is None
    assert memory.get("model", ImageKey(b"b", 10)) is None
    assert memory.get("another model", ImageKey(b"a", 10)) is None


def test_the_verdict_that_was_not_asked_for_the_longest_time_goes() -> None:
    memory = VerdictCache(2)
    for name in (b"a", b"b"):
        memory.keep("model", ImageKey(name, 10), verdict())
    assert memory.get("model", ImageKey(b"a", 10)) == verdict()
    memory.keep("model", ImageKey(b"c", 10), verdict())
    assert memory.get("model", ImageKey(b"b", 10)) is None
    assert memory.get("model", ImageKey(b"a", 10)) == verdict()


def test_nothing_is_remembered_where_the_owner_wants_no_verdicts() -> None:
    memory = VerdictCache(0)
    memory.keep("model", ImageKey(b"a", 10), verdict())
    assert memory.get("model", ImageKey(b"a", 10)) is None


def test_a_harmful_picture_is_refused_whatever_is_asked_of_it() -> None:
    memory = VerdictCache(10)
    memory.condemn(ImageKey(b"a", 10), HarmfulImage("no"))
    with pytest.raises(HarmfulImage, match="no"):
        memory.get("another model", ImageKey(b"a", 99))
