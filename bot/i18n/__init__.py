"""Say to every person, in their own language, what they read on Discord and on the terminal.

The code says its sentences in English, in `gettext`'s way. A language is two files, named as Discord names
its locales (`ja`, `pt-BR`): its sentences in `config/locales/<locale>.po` (`config/locales/whatsit.pot` lists
what there is to translate), and in `config/labels/<locale>.tsv` what things are called in it.
"""

from __future__ import annotations

from bot.i18n.label_table import LabelTable
from bot.i18n.language import N_, NC_, OPTION, Language
from bot.i18n.language_folder import ENGLISH, LABELS, LOCALES, Languages, languages

__all__ = [
    "ENGLISH",
    "LABELS",
    "LOCALES",
    "NC_",
    "N_",
    "OPTION",
    "LabelTable",
    "Language",
    "Languages",
    "languages",
]
