"""What things are called in one language, with the grammatical forms that its sentences need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAME, WORD = "name", "word"
"""The first column of every table, the English name by which a label is known everywhere, and the column of
the word that stands for itself. A table without the latter, as the English one, has the name for it."""


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The forms of each name: `{"tench": {"word": "Schleie", "dative": "einer Schleie"}}`.

    `forms` are the names of the columns after the first, and `rows` what stands in them.
    """

    forms: tuple[str, ...] = ()
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> LabelTable:
        """Read a table: UTF-8, a line for each name, tabs between the columns, the first line names them.

        Lines that begin with `#` are comments. Raises ValueError, which names the line, for anything else.
        """
        lines = [
            (number, tuple(line.split("\t")))
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
            if line and not line.startswith("#")
        ]
        head = lines[0][1] if lines else ()
        if head[:1] != (NAME,) or len(set(head)) < len(head):
            raise ValueError(f"{file}: the first line must name the columns, and the first of them {NAME!r}.")
        rows: dict[str, tuple[str, ...]] = {}
        for number, (name, *forms) in lines[1:]:
            if (
                len(forms) != len(head) - 1
                or not all(each.strip() for each in (name, *forms))
                or name in rows
            ):
                raise ValueError(
                    f"{file}, line {number}: {name!r} must stand there once, with one text for each of "
                    f"the columns {', '.join(head[1:])}."
                )
            rows[name] = tuple(forms)
        return cls(head[1:], rows)

    def form(self, name: str, form: str = "") -> str:
        """Return what a thing is called, in a form of the table's columns; without one, the word for it.

        A name that is in no table, as of somebody's own model, is its own word and has no other form.
        """
        forms = dict(zip(self.forms, self.rows.get(name, ()), strict=False))
        return forms.get(form) or forms.get(WORD) or name

    def name_of(self, word: str) -> str | None:
        """Return the name of what somebody calls by this word; None if the table does not know it."""
        folded = word.casefold()
        return next(
            (name for name in self.rows if folded in (name.casefold(), self.form(name).casefold())), None
        )
