"""Read the settings: a file, then variables, and one error that lists everything that is wrong with them."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from config.settings import ConfigError, Settings, sections

DEFAULT_FILE = Path(__file__).with_name("whatsit.toml")
PREFIX = "WHATSIT_"
CONFIG_VARIABLE = "WHATSIT_CONFIG"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read `path`, else what `WHATSIT_CONFIG` names, else `config/whatsit.toml`; then the variables.

    The variables are those of `environ`, which is `os.environ` where it is not given; an empty one counts as
    unset. Raises `ConfigError`, which lists every fault there is, one a line.
    """
    environ = os.environ if environ is None else environ
    file = _File.read(path or Path(environ.get(CONFIG_VARIABLE) or DEFAULT_FILE))
    variables = {
        name.upper(): value
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and name.upper() != CONFIG_VARIABLE
    }
    known = {variable(section, key) for section, keys in sections().items() for key in keys.model_fields}
    faults = [
        f"{name}: there is no such setting.{_suggest_variable(name, known)}"
        for name in sorted(variables.keys() - known)
    ]
    merged = dict(file.values)
    for section, keys in _Variables({name: variables[name] for name in variables.keys() & known})().items():
        below = merged.get(section, {})
        merged[section] = {**below, **keys} if isinstance(below, dict) else below
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        faults += [_explain(fault, file, variables) for fault in error.errors()]
    if faults:
        raise ConfigError("\n".join(faults))
    return settings


def variable(section: str, key: str) -> str:
    """Return the variable that sets `section.key`."""
    return f"{PREFIX}{section}__{key}".upper()


def allowed(section: str, key: str) -> str:
    """Return the values that `section.key` may take, in words."""
    return _in_words(sections()[section].model_json_schema()["properties"][key])


def _in_words(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:  # optional: to leave it out is how "nothing" is said
        schema = next(kind for kind in schema["anyOf"] if kind["type"] != "null")
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if schema["type"] == "array":
        return f"a list, each {_in_words(schema['items'])}"
    if schema["type"] in ("integer", "number"):
        bounds = (("exclusiveMinimum", ">"), ("minimum", ">="), ("exclusiveMaximum", "<"), ("maximum", "<="))
        limits = [f"{sign} {schema[bound]}" for bound, sign in bounds if bound in schema]
        return " ".join(["whole number" if schema["type"] == "integer" else "number", " and ".join(limits)])
    if "pattern" in schema:
        return _PATTERNS[schema["pattern"]]
    return {"boolean": "true | false", "string": "a path" if schema.get("format") == "path" else "text"}[
        schema["type"]
    ]


_PATTERNS = {
    r"^[A-Za-z0-9.-]+$": "a host name, such as cdn.discordapp.com",
    r"^https?://\S+$": "an address that begins with https:// (or http://)",
    r"^wss?://\S+$": "an address that begins with wss:// (or ws://)",
}


@dataclass(frozen=True)
class _File:
    """A configuration file as it was read; the text is kept for its line numbers."""

    path: Path
    text: str
    values: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            text = path.read_text(encoding="utf-8")
            return cls(path, text, tomllib.loads(text))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: is not a text file in UTF-8.") from error
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: is not valid TOML: {error}.") from error

    def place(self, location: str) -> str:
        """Return the file and, where the key is written in a usual way, the line that sets `location`."""
        table = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
                table = header[1]
                found = table
            elif key := re.match(r"\s*([\w.-]+)\s*=", line):
                found = f"{table}.{key[1]}".lstrip(".")
            else:
                continue
            if found == location:
                return f"{self.path}, line {number}"
        return str(self.path)


class _Reader(Settings, BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True)


class _Variables(EnvSettingsSource):
    """pydantic-settings' reading of `WHATSIT_SECTION__KEY`, from a mapping that is passed in."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._given = variables
        super().__init__(_Reader)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._given.items() if value}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """A list is JSON, or items with commas between them; what is neither is the schema's to refuse."""
        if not value.lstrip().startswith("["):
            return [item.strip() for item in value.split(",")]
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _suggest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f" Did you mean {close[0]}?" if close else f" There are: {', '.join(known)}."


def _suggest_variable(name: str, known: Iterable[str]) -> str:
    """Return what `_suggest` does, without the prefix, which would make all names look alike."""
    by_key = {each.removeprefix(PREFIX): each for each in known}
    close = get_close_matches(name.removeprefix(PREFIX), by_key, n=1)
    return f" Did you mean {by_key[close[0]]}?" if close else f" {DEFAULT_FILE} lists what there is."


def _explain(fault: ErrorDetails, file: _File, variables: Mapping[str, str]) -> str:
    """Return one line for one fault: the key, where it stands, its value, and what is allowed instead."""
    section, *rest = (str(part) for part in fault["loc"])
    key = rest[0] if rest else ""
    location = f"{section}.{key}" if key else section
    name = variable(section, key)
    place = name if variables.get(name) else file.place(location)
    if fault["type"] == "extra_forbidden":
        known = list(sections()[section].model_fields) if key else list(sections())
        return f"{place}: there is no setting {location}.{_suggest(key or section, known)}"
    if not key:
        what = (
            str(fault["ctx"]["error"]) if fault["type"] == "value_error" else f"must be a table: [{section}]"
        )
        return f"{place}: {location}: {what}."
    given = json.dumps(fault["input"], default=str, ensure_ascii=False)
    if fault["type"] == "value_error":
        return f"{place}: {location} cannot be {given}: {fault['ctx']['error']}."
    return f"{place}: {location} cannot be {given}. Allowed: {allowed(section, key)}."
