"""Write what is derived from the schema: `config/whatsit.toml` and README's table (`make docs`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

from config.loading import DEFAULT_FILE, allowed
from config.settings import sections

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- settings: written by `make docs` -->", "<!-- settings: end -->"

HEADER = """\
# Whatsit's settings. Every line that is commented out shows its default; take the # away to change it.
# A variable wins over this file: WHATSIT_MODEL__NAME for name in [model]; a list takes commas.
# Another file: WHATSIT_CONFIG=FILE or `whatsit --config FILE`.
#
# Written by `make docs` from config/settings.py.
"""


class Row(NamedTuple):
    """One setting; `default` is None where leaving it out is the default."""

    section: str
    key: str
    default: Any
    example: Any
    why: str


def _rows() -> Iterator[Row]:
    for section, schema in sections().items():
        for key, field in schema.model_fields.items():
            example = field.examples[0] if field.examples else None
            default = None if field.default_factory else field.default
            why = " ".join((field.description or "").split())
            yield Row(section, key, default, example, why)


def toml() -> str:
    """Return `config/whatsit.toml`: every setting, commented out, with its default or an example, and why."""
    lines, table = [HEADER], ""
    for row in _rows():
        if row.section != table:
            lines.append(f"\n[{row.section}]\n")
            table = row.section
        value = row.example if row.default is None else row.default
        note = " Unset by default; an example:" if row.default is None else ""
        lines += [f"# {line}\n" for line in wrap(row.why + note, 108)]
        lines.append(f"#{row.key} = {_value(value)}\n")
    return "".join(lines)


def table() -> str:
    """Return README's table in Markdown: setting, default, allowed values and reason."""
    lines = ["| setting | default | allowed | what it does |\n", "|---|---|---|---|\n"]
    for row in _rows():
        default = (
            f"`{_value(row.default)}`" if row.default is not None else f"unset (`{_value(row.example)}`)"
        )
        cells = (f"`{row.section}.{row.key}`", default, allowed(row.section, row.key), row.why)
        lines.append(
            "| "
            + " | ".join(cell.replace("|", "or" if cell is cells[2] else "\\|") for cell in cells)
            + " |\n"
        )
    return "".join(lines)


def in_readme(text: str) -> str:
    """Return the `text` of README with its table of settings written anew."""
    return re.sub(
        f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", lambda _: f"\n{table()}\n", text, flags=re.DOTALL
    )


def _value(value: Any) -> str:
    """Return `value` in TOML; JSON's notation is TOML's for all that the schema holds."""
    return re.sub(r"\B(?=(?:\d{3})+$)", "_", str(value)) if type(value) is int else json.dumps(value)


if __name__ == "__main__":
    DEFAULT_FILE.write_text(toml(), encoding="utf-8")
    README.write_text(in_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
