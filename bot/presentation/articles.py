"""The English article of a name, from a table whose every line was read by eye."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, cast

FILE = Path(__file__).parents[2] / "config" / "labels" / "articles.tsv"

Article = Literal["a", "an", "-"]
"""`-` is none, as of plurals (jeans) and of what cannot be counted (velvet)."""


def article_of(name: str) -> Article:
    """Return the article of a label or an everyday name; none for a name that the table does not know."""
    return _articles().get(name, "-")


@cache
def _articles() -> dict[str, Article]:
    lines = (line for line in FILE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return cast("dict[str, Article]", dict(line.split("\t") for line in lines))
