"""Keep people out of the log: ids may pass; names, what people write, file names, signed addresses may not.

`LogPrivacyFilter` can be added to any handler, whatever formats its lines. Our own lines are written such
that they hold ids alone. The filter is for what libraries add, for the texts of errors, and for addresses.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import aiohttp
import discord
from sqlalchemy.exc import DBAPIError
from yarl import URL

OURS = ("bot", "inference", "config")
"""The packages whose lines and errors are our own."""
WITHHELD = "(text withheld: it may repeat what people write)"

_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s'\"<>()]+")
_API_PATH = re.compile(r"/api(/v\d+)?/")
_SECRET_PART = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?'\"<>]+")
"""Whoever knows these parts of an address may post in the bot's name."""
_BOT_TOKEN = re.compile(r"\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_HARMLESS = (
    *(OSError, sqlite3.Error, aiohttp.ClientError),  # codes, hosts and addresses; addresses are cut
    *(ArithmeticError, AttributeError, ImportError, MemoryError, NameError, RecursionError),
)
"""Errors whose texts name parts of programs and machines, and repeat nothing that they were given."""


class LogPrivacyFilter(logging.Filter):
    """Lets no line of a library below `info` pass, for these repeat whole messages; and cleans all others.

    An object of discord.py's becomes its id; any other object in a library's line becomes the name of its
    type; of an error that is not our own the text goes, unless such errors repeat nothing; an address loses
    what is signed in it, and its path if that may be a file's. What a traceback shows of the code stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean a record in place. False: it is not to be written."""
        is_ours = _is_ours(record.name)
        if not is_ours and record.levelno < logging.INFO:
            return False
        record.msg = _clean_message(record, is_ours=is_ours)
        if isinstance(record.args, Mapping):
            record.args = {key: _clean(value, is_ours=is_ours) for key, value in record.args.items()}
        elif record.args:
            record.args = tuple(_clean(value, is_ours=is_ours) for value in record.args)
        for name in vars(record).keys() - _STANDARD:
            setattr(record, name, _clean(getattr(record, name), is_ours=is_ours))
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            error = _stand_in(record.exc_info[1], {})
            record.exc_info, record.exc_text = (type(error), error, error.__traceback__), None
        return True


def without_secrets(text: str) -> str:
    """Return `text` with nothing in its addresses that grants access or names a file, and no bot's token."""
    return _BOT_TOKEN.sub("…", _SECRET_PART.sub(r"\1…", _ADDRESS.sub(_cut, text)))


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def _clean_message(record: logging.LogRecord, *, is_ours: bool) -> Any:
    if isinstance(record.msg, Mapping):  # structlog's events
        return {key: _clean(value, is_ours=is_ours) for key, value in record.msg.items()}
    if isinstance(record.msg, BaseException):
        return _text_of(record.msg)
    text = str(record.msg)
    if record.name == "asyncio":  # beyond its first line, and in its arguments, it shows calls with theirs
        text, record.args = text.partition("\n")[0].partition("%")[0], ()
    return without_secrets(text)


def _clean(value: Any, *, is_ours: bool) -> Any:
    """Return what may be shown of a line's argument."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, BaseException):
        return _text_of(value)
    if type(value).__module__.startswith("discord.") and isinstance(getattr(value, "id", None), int):
        return value.id
    if isinstance(value, URL):
        return without_secrets(str(value))
    return without_secrets(str(value)) if is_ours else f"<{type(value).__name__}>"


def _text_of(error: BaseException) -> str:
    """Return what may be shown of an error's text."""
    kind = type(error)
    if isinstance(error, discord.HTTPException):
        return f"{error.status} {error.response.reason} (error code: {error.code})"
    if isinstance(error, DBAPIError):
        return f"{type(error.orig).__name__} [SQL: {error.statement}]"
    if _is_ours(kind.__module__) or isinstance(error, _HARMLESS):
        return without_secrets(str(error)) or kind.__name__
    return f"{kind.__name__} {WITHHELD}" if str(error) else kind.__name__


def _stand_in(error: BaseException, known: dict[int, BaseException]) -> BaseException:
    """Return an error that prints as this one, with its traceback and the errors behind it, but for its text.

    `known`: the stand-ins of errors that were met before, by the errors' `id`.
    """
    if id(error) in known:
        return known[id(error)]
    kind = type(error)
    text = _text_of(error).removeprefix(kind.__name__).strip()
    named = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    stand_in: BaseException = type(kind.__name__, (Exception,), named)(*([text] if text else []))
    known[id(error)] = stand_in
    stand_in.__traceback__ = error.__traceback__
    stand_in.__cause__ = error.__cause__ and _stand_in(error.__cause__, known)
    stand_in.__context__ = error.__context__ and _stand_in(error.__context__, known)
    stand_in.__suppress_context__ = error.__suppress_context__
    if isinstance(error, BaseExceptionGroup):
        inner = [_stand_in(each, known) for each in error.exceptions]
        stand_in.add_note("It holds: " + "; ".join(map(_line, inner)))
    return stand_in


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _cut(address: re.Match[str]) -> str:
    """Leave of an address its host, and of one of Discord's API also the path, which holds ids."""
    try:
        url = URL(address[0].rstrip(".,;:"))
        origin = str(url.origin())
    except ValueError:
        return "(an address)"
    return f"{origin}{url.raw_path}" if _API_PATH.match(url.path) else origin
