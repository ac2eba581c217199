"""What a line of the log may hold, whoever writes it and however it is formatted."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from sqlalchemy.exc import IntegrityError
from yarl import URL

from bot.download.downloader import Unreachable
from bot.log_privacy import WITHHELD, LogPrivacyFilter, without_secrets

CDN = "https://cdn.discordapp.com/attachments/1/2/my-secret.png?ex=1&is=2&hm=3"


class Log:
    """What a handler writes."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter("%(name)s: %(message)s %(why)s", defaults={"why": ""}))
        self.handler.addFilter(LogPrivacyFilter())

    @property
    def text(self) -> str:
        return self.stream.getvalue()


NAMES = ("", "bot", "discord", "aiohttp", "aiosqlite", "asyncio", "sqlalchemy")


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    before = {name: logging.getLogger(name).level for name in NAMES}
    for name in NAMES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(log.handler)
    yield log
    logging.getLogger().removeHandler(log.handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def ours() -> logging.Logger:
    return logging.getLogger("bot.example")


def library(name: str = "discord.example") -> logging.Logger:
    return logging.getLogger(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET {CDN} failed", "GET https://cdn.discordapp.com failed"),
        ("see https://example.org/a/cat.png.", "see https://example.org"),
        (
            "POST https://discord.com/api/v10/channels/5/messages with {}",
            "POST https://discord.com/api/v10/channels/5/messages with {}",
        ),
        (
            "POST https://discord.com/api/v10/webhooks/5/aW50ZXJhY3Rpb24/messages/@original?wait=1",
            "POST https://discord.com/api/v10/webhooks/5/…/messages/@original",
        ),
        ("/interactions/6/aW50ZXJhY3Rpb24/callback", "/interactions/6/…/callback"),
        ("http://127.0.0.1:8080/api/v9/users/@me", "http://127.0.0.1:8080/api/v9/users/@me"),
        ("wss://gateway.discord.gg/?v=10&resume=secret", "wss://gateway.discord.gg"),
        ("https://user:password@example.org/api/v9/", "https://example.org/api/v9/"),
        ("https://[broken", "(an address)"),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "…"),
        ("nothing of the kind: bot.store.store, 1.2.3", "nothing of the kind: bot.store.store, 1.2.3"),
    ],
)
def test_an_address_keeps_its_host_and_a_path_of_the_api_its_ids(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    "name", ["discord.gateway", "aiohttp.client", "aiosqlite", "asyncio", "sqlalchemy.pool"]
)
def test_a_library_that_tells_of_its_insides_is_not_heard(log: Log, name: str) -> None:
    library(name).debug("WebSocket Event: %s", {"content": "a secret"})
    ours().debug("The message %d", 5)
    assert log.text == "bot.example: The message 5 \n"


def test_what_discord_told_of_is_its_id(log: Log) -> None:
    channel = object.__new__(discord.TextChannel)
    channel.id, channel.name = 5, "a secret"
    ours().info("in %s", channel)
    library().warning("in %s, %r", channel, channel)
    assert log.text == "bot.example: in 5 \ndiscord.example: in 5, 5 \n"


def test_of_other_objects_in_a_library_s_line_their_type_is_all(log: Log) -> None:
    library().info("%s %s %s %.1f %d", {"a": "secret"}, b"secret", "words", 0.5, 3)
    assert log.text == "discord.example: <dict> <bytes> words 0.5 3 \n"


def test_names_of_arguments_and_extra_fields_are_cleaned_alike(log: Log) -> None:
    ours().info("%(why)s", {"why": CDN}, extra={"why": f"because of {CDN}"})
    assert log.text == "bot.example: https://cdn.discordapp.com because of https://cdn.discordapp.com\n"


def test_an_event_of_structlog_is_cleaned_too() -> None:
    record = logging.makeLogRecord({"name": "bot.example", "levelno": logging.INFO})
    record.msg = {"event": "image", "why": f"not {CDN}", "bytes": 5}
    assert LogPrivacyFilter().filter(record)
    assert record.msg == {"event": "image", "why": "not https://cdn.discordapp.com", "bytes": 5}


def response(status: int, reason: str) -> Any:
    return SimpleNamespace(status=status, reason=reason)


ERRORS = [
    (ValueError("a secret"), f"ValueError {WITHHELD}"),
    (KeyError("a secret"), f"KeyError {WITHHELD}"),
    (TimeoutError(), "TimeoutError"),
    (AttributeError("'NoneType' object has no attribute 'id'"), "'NoneType' object has no attribute 'id'"),
    (
        FileNotFoundError(2, "No such file or directory", "/data/x"),
        "[Errno 2] No such file or directory: '/data/x'",
    ),
    (
        discord.HTTPException(response(400, "Bad Request"), {"code": 50035, "message": "a secret"}),
        "400 Bad Request (error code: 50035)",
    ),
    (aiohttp.InvalidURL(CDN), "https://cdn.discordapp.com"),
    (
        Unreachable(f"cdn.discordapp.com: 400, url={CDN!r}"),
        "cdn.discordapp.com: 400, url='https://cdn.discordapp.com'",
    ),
    (
        IntegrityError("INSERT INTO feedback VALUES (?)", ("a secret",), ValueError("a secret")),
        "ValueError [SQL: INSERT INTO feedback VALUES (?)]",
    ),
]


@pytest.mark.parametrize(("error", "shown"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS])
def test_an_error_shows_what_is_its_own_and_not_what_it_was_given(
    log: Log, error: Exception, shown: str
) -> None:
    ours().warning("It failed: %s", error)
    assert log.text == f"bot.example: It failed: {shown} \n"


WRITTEN = "a secret"


def look_up() -> None:
    try:
        _ = dict[str, str]()[WRITTEN]
    except KeyError:
        int(WRITTEN)


def fail() -> None:
    try:
        look_up()
    except ValueError as cause:
        raise Unreachable("the host is away") from cause


def test_a_traceback_shows_the_code_and_of_the_errors_what_they_may_show(log: Log) -> None:
    try:
        fail()
    except Unreachable:
        ours().exception("Something failed")
    assert "secret" not in log.text
    assert "in look_up" in log.text
    assert f"KeyError: {WITHHELD}" in log.text
    assert f"ValueError: {WITHHELD}" in log.text
    assert "bot.download.downloader.Unreachable: the host is away" in log.text
    assert "The above exception was the direct cause of the following exception" in log.text


def test_errors_behind_each_other_and_a_group_of_errors_are_shown_once(log: Log) -> None:
    first, second = ValueError(WRITTEN), TimeoutError()
    first.__context__, second.__context__ = second, first
    ours().error("Several", exc_info=ExceptionGroup(WRITTEN, [first, second, Unreachable("away")]))
    assert f"It holds: ValueError: {WITHHELD}; TimeoutError; Unreachable: away" in log.text
    assert "ExceptionGroup" in log.text
    assert "secret" not in log.text


async def test_a_task_that_nobody_waited_for_tells_no_more_than_where_it_failed(log: Log) -> None:
    loop = asyncio.get_running_loop()
    error = ValueError("a secret")
    loop.default_exception_handler(
        {"message": "Task exception was never retrieved", "exception": error, "why": "a secret"}
    )
    library("asyncio").warning("Executing %s took %.3f seconds", "<Handle f('a secret')>", 0.5)
    assert "secret" not in log.text
    assert "Task exception was never retrieved" in log.text
    assert "asyncio: Executing" in log.text


def test_an_address_as_an_object_is_cut_like_text(log: Log) -> None:
    library("aiohttp.client").warning("could not read %s", URL(CDN))
    assert log.text == "aiohttp.client: could not read https://cdn.discordapp.com \n"
