"""The language that the command line speaks: the one that was typed, or else the terminal's."""

from __future__ import annotations

import argparse
import os
import re

from bot.i18n import Language, languages
from config.settings import ConfigError

LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where POSIX has the language of messages; the first that is set and not empty counts."""


def language_for(args: argparse.Namespace) -> Language:
    """Return the language of `--lang`, else that of the terminal's locale where it is spoken, else English.

    Raises `ConfigError` for a `--lang` that is not spoken.
    """
    if args.lang is None:
        return languages.of(terminal_locale())
    wanted = _discords_name(args.lang)
    language = languages.of(wanted)
    if wanted.partition("-")[0] != language.name.partition("-")[0]:
        raise ConfigError(
            f"--lang {args.lang}: there is no such language. Choose one of {', '.join(languages)}."
        )
    return language


def terminal_locale() -> str | None:
    """Return the terminal's locale by Discord's name for it, `ja-JP` for `ja_JP.UTF-8`; None without one."""
    value = next((value for name in LOCALE_VARIABLES if (value := os.environ.get(name))), None)
    return value and _discords_name(value)


def _discords_name(locale: str) -> str:
    return re.split("[.@]", locale)[0].replace("_", "-")
