"""Bring each `config/locales/*.po` in step with `whatsit.pot` (`make docs`).

New sentences are added with an empty translation, at the place where the template has them; sentences that
the code no longer says go. What a translator wrote, and the head of the file, stay as they are.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

LOCALES = Path(__file__).parent / "locales"
WIDTH = 120
"""Characters of a line."""


def in_step(translated: str, template: str) -> str:
    """Return the text of a `.po` file with the messages of the template, and no others."""
    head, _, _ = translated.partition("\n\n")
    old = read_po(io.StringIO(translated))
    catalog = Catalog(locale=old.locale)
    for message in read_po(io.StringIO(template)):
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known else ""
            catalog.add(message.id, string, flags=message.flags, context=message.context)
    written = io.BytesIO()
    write_po(written, catalog, width=WIDTH, omit_header=True)
    return f"{head}\n\n{written.getvalue().decode().strip()}\n"


def main() -> None:
    """Rewrite the files."""
    template = (LOCALES / "whatsit.pot").read_text("utf-8")
    for file in sorted(LOCALES.glob("*.po")):
        file.write_text(in_step(file.read_text("utf-8"), template), "utf-8")


if __name__ == "__main__":
    main()
