"""A server's settings as a file: out, in again all or nothing, and what would change."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core
from pydantic import ValidationError

from bot.store.settings import GuildSettings

__all__ = ["Allowed", "Change", "InvalidSettings", "changes", "difference", "faults", "from_json", "to_json"]

FORMAT = 1
MAX_CHARACTERS = 64 * 1024
"""Far more than 1,500 ids take."""


class InvalidSettings(ValueError):
    """Settings that cannot be; `faults` has one line for each thing that is wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
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
    """One field that differs. As text, for a person: `top: 3 -> 5`, `channels: + <#12>, - <#34>`."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if not isinstance(self.before, tuple):
            return f"{self.field}: {_shown(self.before)} → {_shown(self.after)}"
        mention = {"channels": "<#{}>", "ignored_roles": "<@&{}>", "unlimited_roles": "<@&{}>"}.get(
            self.field, "{}"
        )
        added = [f"+ {mention.format(item)}" for item in self.after if item not in self.before]
        removed = [f"- {mention.format(item)}" for item in self.before if item not in self.after]
        return f"{self.field}: {', '.join(added + removed)}"


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
        raise InvalidSettings([f"The file is larger than {MAX_CHARACTERS // 1024} KiB; settings never are."])
    try:
        content = pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidSettings([f"The file is not JSON: {error}."]) from error
    if not isinstance(content, dict) or "whatsit_settings" not in content:
        raise InvalidSettings(["The file holds no settings of Whatsit: take one that /settings export gave."])
    if (found := content.pop("whatsit_settings")) != FORMAT:
        raise InvalidSettings([f"The file is of format {found!r}; this Whatsit reads format {FORMAT}."])
    try:
        settings = GuildSettings.model_validate({**defaults.model_dump(), **content})
    except ValidationError as error:
        raise InvalidSettings(faults(error)) from error
    if missing := tuple(_not_here(settings, allowed)):
        raise InvalidSettings(missing)
    return settings


def faults(error: ValidationError) -> list[str]:
    """One line for each fault: the field, what is wrong with it, and what stood there."""
    lines = []
    for fault in error.errors(include_url=False):
        place = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(f"{place}: there is no such setting")
            continue
        what = (
            fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("Input ")
        )
        given = json.dumps(fault["input"], ensure_ascii=False, default=str)
        lines.append(f"{place}: cannot be {given if len(given) <= 60 else given[:59] + '…'}: {what}")  # noqa: PLR2004
    return lines


def _not_here(settings: GuildSettings, allowed: Allowed) -> list[str]:
    lines = []
    for field, one, many in (
        ("model", settings.model, allowed.models),
        ("language", settings.language, allowed.languages),
    ):
        if one is not None and many is not None and one not in many:
            lines.append(f"{field}: there is no {one} here. There are: {', '.join(sorted(many))}")
    for field, ids, here in (
        ("channels", settings.channels, allowed.channels),
        ("ignored_roles", settings.ignored_roles, allowed.roles),
        ("unlimited_roles", settings.unlimited_roles, allowed.roles),
    ):
        if here is not None and (strange := [str(each) for each in ids if each not in here]):
            lines.append(f"{field}: not of this server: {', '.join(strange)}")
    return lines


def _shown(value: Any) -> str:
    return "default" if value is None else str(value)
