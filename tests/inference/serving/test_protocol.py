"""What the bot's process and its worker can say to each other."""

from __future__ import annotations

import io

import pytest
from pydantic import ValidationError

from inference.serving.protocol import (
    BatchRequest,
    LookRequest,
    frame,
    parse_greeting,
    parse_replies,
    read_batch,
)


def test_a_batch_arrives_as_it_was_sent() -> None:
    batch = BatchRequest(
        looks=(LookRequest(id=1, ranked=10, size=3), LookRequest(id=2, ranked=5, second=True)), forget=(7,)
    )
    sent, pictures = read_batch(io.BytesIO(frame(batch) + b"abc"))
    assert (sent, pictures) == (batch, [b"abc"])
    with pytest.raises(EOFError):
        read_batch(io.BytesIO(frame(batch) + b"ab"))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense",
        b"[1]",
        b'[{"kind": "answered", "id": 1}]',
        b'[{"kind": "refused", "id": 1, "code": "busy", "message": "not for a decoder to say"}]',
        b'[{"kind": "unsure", "id": 1, "crops": 0}]',
    ],
)
def test_a_worker_that_was_taken_over_can_only_be_misunderstood(said: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_replies(said)
    with pytest.raises(ValidationError):
        parse_greeting(said)
