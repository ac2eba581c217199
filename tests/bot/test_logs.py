"""The log: text for people, JSON for programs, and in neither a trick or an access."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bot import logs
from bot.log_privacy import OURS, WITHHELD
from config.settings import Log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Loggers belong to the process: leave them as they were."""
    changed = [logging.getLogger(name) for name in ("", *OURS, *logs.TALKATIVE)]
    before = [(logger.level, list(logger.handlers)) for logger in changed]
    yield
    for logger, (level, handlers) in zip(changed, before, strict=True):
        logger.setLevel(level)
        logger.handlers = handlers


def written(wanted: Log, stream: io.StringIO | None = None) -> io.StringIO:
    stream = io.StringIO() if stream is None else stream
    logs.set_up(wanted, stream)
    return stream


def fail(error: Exception, held: str = "") -> None:
    """Let something fail whose traceback is logged; `held` is in a variable of it."""

    def work() -> None:
        assert held is not None
        raise error

    try:
        work()
    except type(error):
        logging.getLogger("bot.x").exception("It failed")


def parsed(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_text_has_one_line_with_all_that_a_record_holds_and_no_colour() -> None:
    stream = written(Log())
    logging.getLogger("bot.x").info("image", extra={"id": "3fa", "send_ms": 1.5})
    line = stream.getvalue()
    assert line.endswith(" [info     ] image [bot.x] id=3fa send_ms=1.5\n")
    assert "\x1b" not in line


def test_a_terminal_shows_colours() -> None:
    stream = written(Log(), Terminal())
    logging.getLogger("bot.x").info("image")
    assert "\x1b[" in stream.getvalue()


def test_json_is_an_object_a_line_also_for_libraries_and_tracebacks() -> None:
    stream = written(Log(format="json"), Terminal())
    logging.getLogger("discord.gateway").info("Shard ID %s has connected.", None)
    logging.getLogger("bot.x").info("image", extra={"id": "3fa", "send_ms": 1.5, "remembered": True})
    fail(LookupError("nothing is there"))
    library, image, failure = parsed(stream)
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
    stream = written(wanted)
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
    stream = written(wanted)
    logging.getLogger("discord.http").warning("%s responded with 429", address, extra={"at": address})
    fail(OSError(f"Cannot connect to {address}"))
    assert stream.getvalue().count(shown) == 3
    assert address not in stream.getvalue()


def test_the_variables_of_a_failed_function_are_not_shown() -> None:
    stream = written(Log(), Terminal())
    fail(OSError("It did not work"), held="of-this-function")
    assert "of-this-function" not in stream.getvalue()


def test_the_level_is_that_of_our_own_lines_and_libraries_stay_quiet() -> None:
    stream = written(Log(level="debug"))
    logging.getLogger("discord.http").setLevel(logging.DEBUG)
    try:
        logging.getLogger("bot.x").debug("ours")
        logging.getLogger("inference.serving").debug("ours too")
        logging.getLogger("discord.http").debug("the message of a person")
        logging.getLogger("alembic.runtime").info("its own insides")
    finally:
        logging.getLogger("discord.http").setLevel(logging.NOTSET)
    assert [line.split("] ")[1].split(" [")[0] for line in stream.getvalue().splitlines()] == [
        "ours",
        "ours too",
    ]


def test_warnings_alone() -> None:
    stream = written(Log(level="warning"))
    logging.getLogger("bot.x").info("not this")
    logging.getLogger("discord.gateway").info("nor this")
    logging.getLogger("bot.x").warning("but this")
    assert [line.split("] ")[1].split(" [")[0] for line in stream.getvalue().splitlines()] == ["but this"]
