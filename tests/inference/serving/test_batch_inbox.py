"""Batches reach the supervisor's thread, and none is left where nobody comes for it."""

from __future__ import annotations

import select
from collections.abc import Iterator

import pytest

from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.protocol import BatchRequest

ONE, ANOTHER = Batch(BatchRequest(looks=()), [b"1"]), Batch(BatchRequest(looks=()), [b"2"])


@pytest.fixture
def inbox() -> Iterator[BatchInbox]:
    inbox = BatchInbox()
    yield inbox
    inbox.close()


def is_readable(inbox: BatchInbox) -> bool:
    return bool(select.select([inbox.fileno()], [], [], 0)[0])


def test_its_descriptor_tells_whether_there_is_a_batch(inbox: BatchInbox) -> None:
    assert not is_readable(inbox)
    assert inbox.put(ONE)
    assert inbox.put(ANOTHER)
    assert is_readable(inbox)
    assert inbox.take() == [ONE, ANOTHER]
    assert not is_readable(inbox)
    assert inbox.take() == []


def test_it_does_not_close_over_a_batch(inbox: BatchInbox) -> None:
    inbox.put(ONE)
    assert not inbox.close_if_empty()
    assert inbox.put(ANOTHER)
    inbox.take()
    assert inbox.close_if_empty()
    assert not inbox.put(ONE)
    assert inbox.take() == []
