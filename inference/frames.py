"""Messages between two processes of ours, over a pipe.

A frame is one JSON object, then raw bytes:

    4 bytes   length of the JSON, big-endian
    JSON      one message
    bytes     what the message says follows it

It is JSON with a schema, so that a process gone bad can only send data of these shapes. Pickle, which
multiprocessing and pebble use, would let it run code in the process that holds the token.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

LENGTH_BYTES = 4


class FramedMessage(BaseModel):
    """One message, of fields that are all checked when it is read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, ser_json_bytes="base64", val_json_bytes="base64"
    )


def frame(message: FramedMessage) -> bytes:
    """Return a message with its length before it. Raw bytes are sent after it, without being copied."""
    body = message.model_dump_json().encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def write(stream: BinaryIO, message: FramedMessage) -> None:
    """Write a message to a blocking stream."""
    stream.write(frame(message))
    stream.flush()


def read_json(stream: BinaryIO, *, most: int | None = None) -> bytes:
    """Read the JSON of a frame from a blocking stream.

    Raises EOFError where the stream ends, and ValueError for more than `most` bytes.
    """
    size = int.from_bytes(read_exactly(stream, LENGTH_BYTES), "big")
    if most is not None and size > most:
        raise ValueError(f"a message of {size} bytes was announced, and {most} are allowed")
    return read_exactly(stream, size)


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes from a blocking stream. Raises EOFError where it ends before."""
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output of this process for frames, and return both.

    Whatever prints, prints to standard error from then on.
    """
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies
