"""What a worker writes to its standard error comes into the log, and can do no harm there."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress

import pytest

from inference.results import HarmfulImage
from inference.serving import worker_output
from inference.serving.worker_output import LINE_BYTES, LINES, WorkerOutput
from tests.inference.fakes import Deed, deed, running, until

PID = 4711


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [record for record in caplog.records if record.name == worker_output.__name__]
    assert {vars(record)["pid"] for record in lines} <= {PID}
    return [record.getMessage().removeprefix("The worker says: ") for record in lines]


def write(*lines: bytes) -> None:
    """Be a worker that writes this and is gone."""
    reading, writing = os.pipe()
    output = WorkerOutput(os.fdopen(reading, "rb", 0), PID)
    with os.fdopen(writing, "wb") as stream:
        stream.writelines(lines)
    output.wait(30)


def test_each_line_is_one_with_the_workers_process_id(caplog: pytest.LogCaptureFixture) -> None:
    write(b"one\n", b"two\r\n", b"three, without an end")
    assert said(caplog) == ["one", "two", "three, without an end"]


def test_what_a_worker_writes_cannot_play_tricks_on_a_terminal(caplog: pytest.LogCaptureFixture) -> None:
    write(b"\x1b[2J\x07\rfine\x00 \xff \xe2\x80\xae\xc2\x9b31m\n")
    assert said(caplog) == [r"\x1b[2J\x07\rfine\x00 \xff \u202e\x9b31m"]
    assert said(caplog)[0].isprintable()


def test_a_line_without_end_comes_in_pieces(caplog: pytest.LogCaptureFixture) -> None:
    write(b"x" * (2 * LINE_BYTES + 1))
    assert [len(line) for line in said(caplog)] == [LINE_BYTES, LINE_BYTES, 1]


def test_a_flood_is_cut_and_its_size_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_output, "PAUSE", 0)
    write(*[b"again\n"] * (LINES + 1000))
    *taken, last = said(caplog)
    assert taken == ["again"] * LINES
    assert last == "The worker said more, 6000 bytes, which is left out."


def test_after_a_while_it_is_heard_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([0.0, *[1.0] * (LINES + 1), 61.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(moments))
    write(*[b"again\n"] * (LINES + 1), b"back\n")
    assert said(caplog)[-2:] == ["The worker said more, 6 bytes, which is left out.", "back"]


@pytest.mark.parametrize(
    ("what", "says"), [(Deed.PRINT, "chatter"), (Deed.CRASH, "Fatal Python error: Aborted")]
)
async def test_a_real_worker_is_heard_before_it_is_replaced(
    caplog: pytest.LogCaptureFixture, what: Deed, says: str
) -> None:
    caplog.set_level(logging.WARNING)

    def heard(text: str) -> list[logging.LogRecord]:
        return [record for record in caplog.records if text in record.getMessage()]

    async with running() as classifier:
        pid = classifier.worker_pid
        with suppress(HarmfulImage):
            await classifier.classify(deed(what))
        # A worker that goes on is listened to by a thread, which may hear the line after the answer is there.
        await until(lambda: heard(says))
        assert vars(heard(says)[0])["pid"] == pid
    first = caplog.records.index(heard(says)[0])
    assert all(first < caplog.records.index(record) for record in heard("Replacing the worker"))
