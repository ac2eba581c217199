"""Find and read the languages that there are: all that have a file in `config/locales`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.i18n.label_table import LabelTable
from bot.i18n.language import Language

CONFIG = Path(__file__).parents[2] / "config"
LOCALES, LABELS = CONFIG / "locales", CONFIG / "labels"


class _Locale(Protocol):
    """What of `discord.Locale` is needed here. The command line does without discord.py, half a second."""

    @property
    def value(self) -> str:
        """Discord's name: `pt-BR`."""


def _sentences(file: Path) -> NullTranslations:
    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, domain="whatsit"))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _base(name: str) -> str:
    return name.partition("-")[0]


def _labels(folder: Path, name: str) -> LabelTable:
    """Return the table of `pt-BR`, else of `pt`, else one in which everything has its English name."""
    for each in (name, _base(name)):
        if (file := folder / f"{each}.tsv").exists():
            return LabelTable.read(file)
    return LabelTable()


ENGLISH = Language("en", NullTranslations(), _labels(LABELS, "en"))


class Languages:
    """The languages of a folder, and English. All are read at once: nothing is read from disk later."""

    def __init__(self, locales: Path = LOCALES, labels: Path = LABELS) -> None:
        self._by_name = {ENGLISH.name: ENGLISH} | {
            file.stem: Language(file.stem, _sentences(file), _labels(labels, file.stem))
            for file in sorted(locales.glob("*.po"))
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def of(self, *wishes: str | _Locale | None) -> Language:
        """Return the first language of these that there is, a locale's `pt` for its `pt-BR`; else English.

        None is no wish.
        """
        names = (wish if isinstance(wish, str) else wish.value for wish in wishes if wish is not None)
        return next((known for name in names if (known := self._known(name))), ENGLISH)

    def _known(self, name: str) -> Language | None:
        return self._by_name.get(name) or self._by_name.get(_base(name))


languages = Languages()
