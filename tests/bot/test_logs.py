"""The log: text for people, JSON for programs, and in neither a trick or an access."""

from __future__ import annotations

import io
import json
import logging
import os
import threading
from typing import Any

import pytest

from bot.log_privacy import WITHHELD
from bot.logs import writing
from bot.logs.writing import written_log
from config.settings import Log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def fail(error: Exception, held: str = "") -> None:
    """Let something fail whose traceback is logged; `held` is in a variable of it."""

    def work() -> None:
        assert held is not None
        raise error

    try:
        work()
    except type(error):
        logging.getLogger("bot.x").exception("It failed")


def parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def events(text: str) -> list[str]:
    return [line.split("] ")[1].split(" [")[0] for line in text.splitlines()]


def test_text_has_one_line_with_all_that_a_record_holds_and_no_colour() -> None:
    stream = io.StringIO()
    with written_log(Log(), stream):
        logging.getLogger("bot.x").info("image", extra={"id": "3fa", "send_ms": 1.5})
    line = stream.getvalue()
    assert line.endswith(" [info     ] image [bot.x] id=3fa send_ms=1.5\n")
    assert "\x1b" not in line


def test_a_terminal_shows_colours() -> None:
    stream = Terminal()
    with written_log(Log(), stream):
        logging.getLogger("bot.x").info("image")
    assert "\x1b[" in stream.getvalue()


def test_json_is_an_object_a_line_also_for_libraries_and_tracebacks() -> None:
    stream = Terminal()
    with written_log(Log(format="json"), stream):
        logging.getLogger("discord.gateway").info("Shard ID %s has connected.", None)
        logging.getLogger("bot.x").info("image", extra={"id": "3fa", "send_ms": 1.5, "remembered": True})
        fail(LookupError("nothing is there"))
    library, image, failure = parsed(stream.getvalue())
    assert (library["event"], library["logger"], library["level"]) == (
        "Shard ID None has connected.",
        "discord.gateway",
        "info",
    )
    assert (image["event"], image["id"], image["send_ms"], image["remembered"]) == ("image", "3fa", 1.5, True)
    assert image["timestamp"].endswith("Z")
    assert failure["exception"].endswith(f"LookupError: {WITHHELD}")
    assert stream.getvalue().count("\n") == 3


@pytest.mark.parametrize("wanted", [Log(), Log(format="json")])
def test_no_line_can_play_tricks(wanted: Log) -> None:
    stream = io.StringIO()
    with written_log(wanted, stream):
        trick = "a\x1b[2Jb\x07\n2030-01-01 [error] forged\u202e\x9b"
        logging.getLogger("bot.x").warning("It says %s", trick, extra={"why": trick})
        fail(OSError(trick))
    shown = stream.getvalue()
    assert all(line.isprintable() for line in shown.splitlines())
    assert shown.replace("\\\\", "\\").count(r"a\x1b[2Jb\x07") == 3
    assert not any(line.startswith("2030") for line in shown.splitlines())


@pytest.mark.parametrize("wanted", [Log(), Log(format="json")])
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "https://cdn.discordapp.com/attachments/1/2/a.png?ex=66&is=65&hm=ab1",
            "https://cdn.discordapp.com",
        ),
        (
            "https://discord.com/api/v10/webhooks/12/aW50ZXJhY3Rpb24.x-y_z/messages/@original",
            "https://discord.com/api/v10/webhooks/12/…/messages/@original",
        ),
        ("/interactions/12/secret/callback", "/interactions/12/…/callback"),
    ],
)
def test_no_access_that_is_in_an_address_is_shown(wanted: Log, address: str, shown: str) -> None:
    stream = io.StringIO()
    with written_log(wanted, stream):
        logging.getLogger("discord.http").warning("%s responded with 429", address, extra={"at": address})
        fail(OSError(f"Cannot connect to {address}"))
    assert stream.getvalue().count(shown) == 3
    assert address not in stream.getvalue()


def test_the_variables_of_a_failed_function_are_not_shown() -> None:
    stream = Terminal()
    with written_log(Log(), stream):
        fail(OSError("It did not work"), held="of-this-function")
    assert "of-this-function" not in stream.getvalue()


def test_the_level_is_that_of_our_own_lines_and_libraries_stay_quiet() -> None:
    stream = io.StringIO()
    with written_log(Log(level="debug"), stream):
        logging.getLogger("discord.http").setLevel(logging.DEBUG)
        try:
            logging.getLogger("bot.x").debug("ours")
            logging.getLogger("inference.serving").debug("ours too")
            logging.getLogger("discord.http").debug("the message of a person")
            logging.getLogger("alembic.runtime").info("its own insides")
        finally:
            logging.getLogger("discord.http").setLevel(logging.NOTSET)
    assert events(stream.getvalue()) == [
        "ours",
        "ours too",
    ]


def test_warnings_alone() -> None:
    stream = io.StringIO()
    with written_log(Log(level="warning"), stream):
        logging.getLogger("bot.x").info("not this")
        logging.getLogger("discord.gateway").info("nor this")
        logging.getLogger("bot.x").warning("but this")
    assert events(stream.getvalue()) == ["but this"]


def test_it_is_over_when_the_block_is_and_the_loggers_are_as_before() -> None:
    stream = io.StringIO()
    before = logging.getLogger("bot").level, list(logging.getLogger().handlers)
    with written_log(Log(level="debug"), stream):
        assert logging.getLogger("bot").level == logging.DEBUG
    logging.getLogger("bot.x").error("too late")
    assert stream.getvalue() == ""
    assert (logging.getLogger("bot").level, logging.getLogger().handlers) == before


def test_a_reader_that_stands_still_makes_nobody_wait_and_is_told_what_it_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "WAITING", 100)
    reading, writing_end = os.pipe()
    taken: list[str] = []
    with os.fdopen(reading) as pipe, os.fdopen(writing_end, "w") as stream:
        with written_log(Log(), stream):
            for number in range(2000):
                logging.getLogger("bot.x").info("line %d %s", number, "x" * 1000)
            reader = threading.Thread(target=lambda: taken.extend(pipe), daemon=True)
            reader.start()
        stream.close()
        reader.join()
    assert taken[0].split("] ")[1].startswith("line 0 ")
    left_out = [line for line in taken if "were left out" in line]
    assert (
        len(taken) - len(left_out) + sum(int(line.split(": ")[1].split(".")[0]) for line in left_out) == 2000
    )


def test_a_reader_that_never_reads_does_not_keep_the_bot_from_leaving(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "LAST_WORDS", 0.05)
    reading, writing_end = os.pipe()
    with os.fdopen(writing_end, "w") as stream, os.fdopen(reading) as pipe:
        with written_log(Log(), stream):
            for _ in range(100):
                logging.getLogger("bot.x").info("x" * 10_000)
        (still_writing,) = [thread for thread in threading.enumerate() if thread.name == "log"]
        reader = threading.Thread(target=pipe.read, daemon=True)
        reader.start()
        still_writing.join(30)
        stream.close()
        reader.join()
    assert not still_writing.is_alive()
