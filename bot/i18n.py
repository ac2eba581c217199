"""Translate every sentence that a person reads on Discord into that person's language.

The code says its sentences in English, in `gettext`'s way. A language is one file,
`config/locales/<locale>.po`, named as Discord names its locales (`ja`, `pt-BR`); `config/locales/whatsit.pot`
lists what there is to translate.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

import discord
from discord import app_commands

FOLDER = Path(__file__).parents[1] / "config" / "locales"

Language = NullTranslations
"""What `gettext` calls translations: `language.gettext("…")`, `language.ngettext("…", "…", n)`."""

ENGLISH: Language = NullTranslations()


def N_(sentence: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark a sentence that is kept in a table and translated when it is shown."""
    return sentence


def _read(file: Path) -> Language:
    # Babel is 50 ms of start-up; who speaks only English does not pay it.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, domain="whatsit"))
    compiled.seek(0)
    return GNUTranslations(compiled)


class Languages:
    """The languages of one folder. All are read at once, so that nothing is read from disk later."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_locale = {file.stem: _read(file) for file in sorted(folder.glob("*.po"))}

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_locale)

    def named(self, name: str) -> Language:
        """Return the language that somebody chose by its name; English, if there is no such language."""
        return self._by_locale.get(name, ENGLISH)

    def of(self, locale: discord.Locale | None) -> Language:
        """Return the language of a person or a server: `pt-BR`, else `pt`, else English."""
        if locale is None:
            return ENGLISH
        exact = locale.value
        return self._by_locale.get(exact) or self._by_locale.get(exact.partition("-")[0]) or ENGLISH


languages = Languages()


class CommandTranslator(app_commands.Translator):
    """Translates the names and descriptions of commands for Discord's own menus."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 - one sentence reads the same everywhere
    ) -> str | None:
        translated = languages.of(locale).gettext(string.message)
        return None if translated == string.message else translated
