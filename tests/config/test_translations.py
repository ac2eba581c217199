"""`make docs` brings translations in step with the code, and keeps what translators wrote."""

from __future__ import annotations

from config.translations import LOCALES, in_step

TEMPLATE = """
msgid "A new sentence"
msgstr ""

msgid "Hello"
msgstr ""

#, python-brace-format
msgid "{n} picture"
msgid_plural "{n} pictures"
msgstr[0] ""
msgstr[1] ""
"""
GERMAN = """# A note of the translator.
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Hello"
msgstr "Hallo"

msgid "No longer said"
msgstr "Weg"
"""


def test_new_sentences_are_added_and_old_ones_go() -> None:
    assert in_step(GERMAN, TEMPLATE) == GERMAN.partition("\n\n")[0] + (
        '\n\nmsgid "A new sentence"\nmsgstr ""\n\nmsgid "Hello"\nmsgstr "Hallo"\n\n'
        '#, python-brace-format\nmsgid "{n} picture"\nmsgid_plural "{n} pictures"\n'
        'msgstr[0] ""\nmsgstr[1] ""\n'
    )


def test_what_is_in_step_stays_as_it_is() -> None:
    template = (LOCALES / "whatsit.pot").read_text("utf-8")
    for file in LOCALES.glob("*.po"):
        text = file.read_text("utf-8")
        assert in_step(text, template) == text, f"{file.name}: run: make docs"
