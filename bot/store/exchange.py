"""A server's settings as a file: out, in again all or nothing, and what would change."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pydantic_core
from pydantic import ValidationError

from bot.store.settings import GuildSettings

__all__ = [
    "Allowed",
    "Change",
    "Fault",
    "InvalidSettings",
    "changes",
    "difference",
    "faults",
    "from_json",
    "short",
    "to_json",
]

FORMAT = 1
MAX_CHARACTERS = 64 * 1024
"""Far more than 1,500 ids take."""
SHORT = 60
"""Characters of a value that are repeated, in the log and to whoever gave it."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. As text it is for the log; `bot.settings_ui.setting_checks` says it to people.

    `kind`: the file is too `large` (`given`: the KiB it may have), not `json` (where), holds `none` of our
    settings, or is of another `format`; it names an `unknown` setting; a `value` cannot be; or what is given
    is `strange` here (of lists, the items that are). `allowed`: what there is instead.
    """

    kind: Literal["large", "json", "none", "format", "unknown", "value", "strange"]
    field: str = ""
    given: Any = None
    reason: str = ""
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.field}: " if self.field else ""
        given = short(json.dumps(self.given, ensure_ascii=False, default=str))
        return f"{place}{self.kind}: {given}{self.reason and f' ({self.reason})'}"


class InvalidSettings(ValueError):
    """Settings that cannot be, and everything that is wrong with them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Allowed:
    """What exists here, for a file that may come from elsewhere. None: not looked at."""

    models: Collection[str] | None = None
    languages: Collection[str] | None = None
    channels: Collection[int] | None = None
    roles: Collection[int] | None = None


@dataclass(frozen=True)
class Change:
    """One field that differs."""

    field: str
    before: Any
    after: Any


def difference(before: GuildSettings, after: GuildSettings) -> tuple[Change, ...]:
    """The fields that differ, in their own order; empty if none does."""
    return tuple(
        Change(field, getattr(before, field), getattr(after, field))
        for field in GuildSettings.model_fields
        if getattr(before, field) != getattr(after, field)
    )


def changes(before: GuildSettings, after: GuildSettings) -> dict[str, Any]:
    """What `Choices.update` needs to make `before` into `after`."""
    return {change.field: change.after for change in difference(before, after)}


def to_json(settings: GuildSettings) -> str:
    """The file that `from_json` reads: all fields, ids as text."""
    content = {"whatsit_settings": FORMAT, **settings.model_dump(mode="json")}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def from_json(text: str | bytes, *, defaults: GuildSettings, allowed: Allowed = Allowed()) -> GuildSettings:
    """Read a file; a field that it leaves out is as in `defaults`.

    Raises `InvalidSettings` with everything that is wrong, also what is not `allowed`.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidSettings([Fault("large", given=MAX_CHARACTERS // 1024)])
    try:
        content = pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidSettings([Fault("json", given=_position(error), reason=str(error))]) from error
    if not isinstance(content, dict) or "whatsit_settings" not in content:
        raise InvalidSettings([Fault("none")])
    if (found := content.pop("whatsit_settings")) != FORMAT:
        raise InvalidSettings([Fault("format", given=found)])
    try:
        settings = GuildSettings.model_validate({**defaults.model_dump(), **content})
    except ValidationError as error:
        raise InvalidSettings(faults(error)) from error
    if missing := tuple(_not_here(settings, allowed)):
        raise InvalidSettings(missing)
    return settings


def faults(error: ValidationError) -> list[Fault]:
    """What pydantic found."""
    found = []
    for fault in error.errors(include_url=False):
        field = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            found.append(Fault("unknown", field, field))
        else:
            found.append(Fault("value", field, fault["input"], fault["msg"]))
    return found


def _not_here(settings: GuildSettings, allowed: Allowed) -> Iterator[Fault]:
    for field, one, many in (
        ("model", settings.model, allowed.models),
        ("language", settings.language, allowed.languages),
    ):
        if one is not None and many is not None and one not in many:
            yield Fault("strange", field, one, allowed=tuple(many))
    for field, ids, here in (
        ("channels", settings.channels, allowed.channels),
        ("ignored_roles", settings.ignored_roles, allowed.roles),
        ("unlimited_roles", settings.unlimited_roles, allowed.roles),
    ):
        if here is not None and (strange := tuple(each for each in ids if each not in here)):
            yield Fault("strange", field, strange)


def _position(error: ValueError) -> str:
    """`3:17`, the line and column that a JSON parser names; without them, an ellipsis."""
    found = re.search(r"line (\d+) column (\d+)", str(error))
    return ":".join(found.groups()) if found else "…"


def short(text: str) -> str:
    """As much of a text as is repeated to whoever wrote it."""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
