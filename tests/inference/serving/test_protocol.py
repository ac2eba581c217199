"""What the bot's process and its worker can say to each other."""

from __future__ import annotations

import io

import pytest
from pydantic import ValidationError

from inference.frames import frame
from inference.serving.protocol import (
    BatchRequest,
    LookRequest,
    parse_greeting,
    parse_news,
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


def done(reply: bytes) -> bytes:
    return b'{"kind": "done", "replies": [%b]}' % reply


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense",
        b"[1]",
        done(b'{"kind": "answered", "id": 1}'),
        done(
            b'{"kind": "refused", "id": 1, "code": "busy", "message": "not a decoder\'s", "core_seconds": 1}'
        ),
        done(b'{"kind": "refused", "id": 1, "code": "corrupt_image", "message": "", "core_seconds": 1e308}'),
        done(b'{"kind": "unsure", "id": 1, "crops": 0}'),
        b'{"kind": "begun", "ids": [1], "thread": -1, "core_seconds": 0}',
    ],
)
def test_a_worker_that_was_taken_over_can_only_be_misunderstood(said: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_news(said)
    with pytest.raises(ValidationError):
        parse_greeting(said)
