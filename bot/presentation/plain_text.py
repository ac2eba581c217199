"""Text of strangers, made one line in which no markdown or mention works."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"([\\*_~|`<\[/])")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\s]+")


def neutral(text: str, width: int) -> str:
    """Return `text` as one line of at most `width` characters, in which no markdown or mention works."""
    return _MARKUP.sub(r"\\\1", shorten(text, width)).replace("@", "@\u200b")


def shorten(text: str, width: int) -> str:
    """Return `text` as one line of at most `width` characters."""
    line = _UNSEEN.sub(" ", text).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
