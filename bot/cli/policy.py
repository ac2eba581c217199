"""`whatsit policy`: a privacy policy and terms of service for the links of Discord's developer portal.

The texts are files in `config/policy/`, one a language. In them `$name` stands for what the settings say, a
line that begins with `@word` is there only where that holds, and a comment names the table of the store that
a line is about.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Literal

from babel.dates import format_timedelta

from bot.cli import OK
from bot.cli.language import language_for
from bot.cli.settings import complain, settings_for
from bot.i18n import Language
from bot.store import Retention
from bot.store.location import locate
from config.settings import Settings

FOLDER = Path(__file__).parents[2] / "config" / "policy"
TEXTS = ("privacy", "terms")
NO_CONTACT = "[YOUR CONTACT]"
WITHOUT_CONTACT = (
    f"Put an address or a link in place of {NO_CONTACT}; or set privacy.contact, and print the text again."
)
READ_IT = "Read it before you publish it, and change what does not hold for you. It is no legal advice."
_ONLY_IF = re.compile(r"^@(?P<word>[\w-]+) (?P<line>.*\n)", re.MULTILINE)
_COMMENT = re.compile(r"\s*<!-- [\w ]+ -->")


def main(args: argparse.Namespace) -> int:
    """Print the texts; return 0. Raises `ConfigError`."""
    settings, language = settings_for(args), language_for(args)
    texts = [text(each, settings, language) for each in ([args.text] if args.text else TEXTS)]
    print("\n".join(texts), end="")
    if settings.privacy.contact is None:
        complain(WITHOUT_CONTACT)
    print(READ_IT, file=sys.stderr)
    return OK


def text(name: str, settings: Settings, language: Language) -> str:
    """Return one of `TEXTS` in Markdown, in a language or, where it has no such file, in English.

    Raises `ConfigError` for an unusable `store.url`.
    """
    file = FOLDER / f"{name}.{language.name}.md"
    if not file.exists():
        file = FOLDER / f"{name}.en.md"
    holds = {
        "at-once" if not settings.privacy.keep_days else "kept",
        "sqlite" if locate(settings.store, settings.data).file else "postgresql",
        "cluster" if settings.inference.backend == "cluster" else "alone",
    }
    chosen = _ONLY_IF.sub(lambda found: found["line"] * (found["word"] in holds), file.read_text("utf-8"))
    return Template(_COMMENT.sub("", chosen)).substitute(_said(settings, language))


def _said(settings: Settings, language: Language) -> dict[str, str]:
    """Return what stands for each name in a text."""
    kept = Retention()
    return {
        "contact": settings.privacy.contact or NO_CONTACT,
        "button": language.gettext("Was this right?"),
        "answers": _span(kept.answers, "day", language),
        "feedback": _span(kept.feedback, "day", language),
        "sums": _span(kept.sums, "day", language),
        "messages": _span(kept.messages, "hour", language),
        "interactions": _span(kept.interactions, "minute", language),
        "keep_days": _span(timedelta(days=settings.privacy.keep_days), "day", language),
        "verdicts": language.number(settings.queue.verdicts),
    }


def _span(kept: timedelta, unit: Literal["day", "hour", "minute"], language: Language) -> str:
    """Return a span of time in one unit: "90 days", "1 Stunde", "15 分"."""
    # Without a threshold Babel would choose the unit: "3 months".
    return format_timedelta(kept, granularity=unit, threshold=math.inf, locale=language.locale)
