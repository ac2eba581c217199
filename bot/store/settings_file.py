"""A server's settings as a file: out, in again all or nothing, and what would change."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pydantic_core
from pydantic import ValidationError

from bot.store.guild_settings import FIELDS, GuildSettings

FORMAT = 1
MAX_BYTES = 64 * 1024
"""Far more than 1,500 ids take."""
SHORT = 60
"""Characters of a value that are repeated to whoever gave it."""
Existing = Mapping[str, Collection[Any]]
"""What settings may name, by their kind: `model`, `language`, `channels`, `roles`. Of others: anything."""


@dataclass(frozen=True)
class SettingFault:
    """One thing that is wrong with settings. Its text is for the log; `bot.settings_ui` says it to people.

    `kind`: the file is too `large` (`given`: the KiB it may have), not `json` (`given`: line and column),
    holds `none` of our settings, or is of another `format`; it names an `unknown` setting; a `value` cannot
    be; or something is `missing` here (`given`: a name, or the ids of a list). `existing`: what there is.
    """

    kind: Literal["large", "json", "none", "format", "unknown", "value", "missing"]
    field: str = ""
    given: Any = None
    reason: str = ""
    existing: tuple[Any, ...] = ()

    def __str__(self) -> str:
        # Without what was given: that is for whoever gave it.
        place = f"{self.field}: " if self.field and self.kind != "unknown" else ""
        return f"{place}{self.kind}{self.reason and f' ({self.reason})'}"


class InvalidSettings(ValueError):
    """Settings cannot be as they were given. `faults` holds everything that is wrong with them."""

    def __init__(self, faults: Sequence[SettingFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


class SettingChange(NamedTuple):
    """One setting that differs."""

    field: str
    before: Any
    after: Any


def difference(before: GuildSettings, after: GuildSettings) -> tuple[SettingChange, ...]:
    """Return the settings that differ, in their own order."""
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in FIELDS)
    return tuple(SettingChange(name, was, will) for name, was, will in pairs if was != will)


def to_json(settings: GuildSettings) -> str:
    """Return the file that `from_json` reads: all settings, ids as text."""
    content = {"whatsit_settings": FORMAT, **settings.model_dump(mode="json")}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def from_json(
    text: str | bytes, *, defaults: GuildSettings, existing: Existing | None = None
) -> GuildSettings:
    """Read a file; a setting that it leaves out is as in `defaults`.

    Raises `InvalidSettings` with everything that is wrong, also what is missing in `existing`.
    """
    if len(text) > MAX_BYTES:
        raise InvalidSettings([SettingFault("large", given=MAX_BYTES // 1024)])
    try:
        content = pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidSettings([SettingFault("json", given=_position(error), reason=str(error))]) from error
    if not isinstance(content, dict) or "whatsit_settings" not in content:
        raise InvalidSettings([SettingFault("none")])
    if (found := content.pop("whatsit_settings")) != FORMAT:
        raise InvalidSettings([SettingFault("format", given=found)])
    try:
        settings = GuildSettings.model_validate({**defaults.model_dump(), **content})
    except ValidationError as error:
        raise InvalidSettings(faults_in(error)) from error
    if missing := tuple(_missing(settings, existing or {})):
        raise InvalidSettings(missing)
    return settings


def without_gone(settings: GuildSettings, existing: Existing) -> GuildSettings:
    """Return the settings without channels and roles that are gone; names of models and languages stay."""
    faults = [fault for fault in _missing(settings, existing) if isinstance(fault.given, tuple)]
    left = {fault.field: set(getattr(settings, fault.field)) - set(fault.given) for fault in faults}
    return settings.model_copy(update={name: tuple(sorted(ids)) for name, ids in left.items()})


def faults_in(error: ValidationError) -> list[SettingFault]:
    """Return what pydantic found to be wrong."""
    found = []
    for fault in error.errors(include_url=False):
        field = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            found.append(SettingFault("unknown", field, field))
        else:
            found.append(SettingFault("value", field, fault["input"], fault["msg"]))
    return found


def _missing(settings: GuildSettings, existing: Existing) -> Iterator[SettingFault]:
    for name, field in FIELDS.items():
        value, there = getattr(settings, name), existing.get(field.kind)
        if there is None or value is None:
            continue
        if isinstance(value, str):
            if value not in there:
                yield SettingFault("missing", name, value, existing=tuple(there))
        elif gone := tuple(each for each in value if each not in there):
            yield SettingFault("missing", name, gone)


def _position(error: ValueError) -> str:
    """Return `3:17`, the line and column that a JSON parser names; without them, an ellipsis."""
    found = re.search(r"line (\d+) column (\d+)", str(error))
    return ":".join(found.groups()) if found else "…"


def short(text: str) -> str:
    """Return as much of a text as is repeated to whoever wrote it."""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
