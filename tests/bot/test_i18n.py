"""A language is one file: what stands in it is what people read, in messages and in Discord's own menus."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import bot
from bot import i18n
from bot.download.downloader import Gone
from bot.i18n.command_translator import CommandTranslator
from tests.bot.pressing import pressable
from tests.world import World, classified, picture

CODE = Path(bot.__file__).parent
CALLS: dict[str, tuple[int | tuple[int, int] | tuple[int, str], ...] | None] = {
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
    "NC_": ((1, "c"), 2),
    "locale_str": None,
}

SHOWING = {
    *(
        "TextDisplay",
        "Embed",
        "Label",
        "Modal",
        "TextInput",
        "SelectOption",
        "set_footer",
        "set_author",
        "add_field",
    ),
    *("send_message", "edit_message", "edit_original_response", "send", "reply", "say", "line", "Answer"),
    *("button", "select", "form", "InteractionRefused"),
}
"""What shows a text that it is given on Discord."""
SHOWN_OPTIONS = {"content", "text", "label", "title", "description", "placeholder", "value", "note", "plain"}
LANGUAGES = sorted(file.stem for file in i18n.LOCALES.glob("*.po"))
COMMAND = re.compile(r"/(?:about|classify|help|preferences|settings(?: [a-z]+)?|stats)")
WORD = re.compile(r"[A-Za-z]{2,} |[A-Z][a-z]+")
"""A beginning of a sentence, unlike an id, a file's name or Markdown."""

COMMANDS = {
    *("about", "classify", "find", "help", "labels", "preferences", "privacy", "settings", "similar"),
    *("index", "backfill", "stats", "teach", "examples", "rename", "merge", "remove", "undo", "test"),
    *("panel", "show", "where", "how", "what", "quotas", "reset", "export", "import", "feedback", "delete"),
}
GERMAN = """
msgid ""
msgstr ""
"Language: de\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Say what is in a picture"
msgstr "Sagt, was auf einem Bild ist"

msgid "This picture is no longer there. Upload it again."
msgstr "Dieses Bild ist nicht mehr da. Lade es noch einmal hoch."

msgid "and {more} more"
msgid_plural "and {more} more"
msgstr[0] "und eines mehr"
msgstr[1] "und {more} mehr"

msgid "I'm not sure. Maybe **{label:indefinite}**?"
msgstr "Ich bin nicht sicher. Vielleicht **{label:nominative}**?"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> i18n.Languages:
    """Somebody adds a file."""
    (tmp_path / "de.po").write_text(GERMAN, "utf-8")
    languages = i18n.Languages(tmp_path)
    for module in ("bot.i18n", "bot.policy.effective_settings"):
        monkeypatch.setattr(f"{module}.languages", languages)
    return languages


def sentences_in_the_code() -> set[tuple[str | None, str | tuple[str, ...]]]:
    """Each with the context in which it is meant, if it has one."""
    return {
        (context, message if isinstance(message, str) else tuple(message))
        for _, _, message, _, context in extract_from_dir(CODE, keywords=CALLS)
    }


def test_the_list_of_what_to_translate_is_complete() -> None:
    listed = {(message.context, message.id) for message in catalogue("whatsit.pot")}
    assert listed == sentences_in_the_code(), "run: make docs"


def test_every_sentence_that_is_shown_is_in_the_list() -> None:
    """Also where Babel does not look: behind a short name for `gettext`, or on Python 3.11 in an f-string."""
    listed = {
        text
        for _, entry in sentences_in_the_code()
        for text in ([entry] if isinstance(entry, str) else entry)
    }
    missing = [
        f"{file.relative_to(CODE)}: {text}"
        for file in CODE.rglob("*.py")
        if not file.is_relative_to(CODE / "cli") and not file.is_relative_to(CODE / "demo")
        for text in shown_in(ast.parse(file.read_text("utf-8")))
        if text not in listed
    ]
    assert not missing


def shown_in(tree: ast.Module) -> Iterator[str]:
    """Each text with a word in it that is given to what translates or shows, but not by way of a call."""
    translating = set(CALLS) | short_names_of_gettext(tree)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and (called := name_of(call)) in translating | SHOWING:
            words = call.args[called == "NC_" :]  # its context is for translators alone
            given = [*words, *(each.value for each in call.keywords if each.arg in SHOWN_OPTIONS)]
            for text in (text for argument in given for text in texts_in(argument)):
                if called in translating or WORD.search(text):
                    yield text


def short_names_of_gettext(tree: ast.Module) -> set[str]:
    """The variables that hold a language's `gettext`, also beside others: `say, n = language.gettext, 1`."""
    names = set()
    for assigned in ast.walk(tree):
        if isinstance(assigned, ast.Assign):
            value = assigned.value
            for target in assigned.targets:
                targets, values = [target], [value]
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                    targets, values = target.elts, value.elts
                names |= {
                    ast.unparse(name)
                    for name, held in zip(targets, values, strict=True)
                    if isinstance(held, ast.Attribute) and held.attr == "gettext"
                }
    return names


def texts_in(node: ast.expr) -> Iterator[str]:
    """The texts that stand in an expression itself: what a call in it returns is looked at at that call."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield from (str(part.value) for part in parts if isinstance(part, ast.Constant))
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            yield from (*texts_in(one), *texts_in(other))


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_has_a_translation_of_every_sentence(name: str) -> None:
    """But of the names of commands."""
    said = {(message.context, message.id): message.string for message in catalogue(f"{name}.po")}
    wanted = {(message.context, message.id) for message in catalogue("whatsit.pot")}
    assert said.keys() == wanted, "run: make docs"
    empty = [
        text
        for (_, text), given in said.items()
        if not given or (isinstance(given, tuple) and not all(given))
    ]
    assert not set(empty) - COMMANDS, f"translate these in config/locales/{name}.po"
    assert set(empty) == COMMANDS, f"commands keep their English names: leave them empty in {name}.po"


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_translation_neither_loses_nor_invents_a_blank(name: str) -> None:
    """A blank is a `{name}`; the commands that a sentence names are as fixed as these."""
    wrong = []
    for message in catalogue(f"{name}.po"):
        originals = [message.id] if isinstance(message.id, str) else message.id
        translated = [message.string] if isinstance(message.string, str) else message.string or ()
        allowed = [kept_words(text) for text in originals]
        wrong += [text for text in translated if text and kept_words(text) not in allowed]
    assert not wrong


def catalogue(file: str) -> list[Message]:
    with (i18n.LOCALES / file).open("rb") as source:
        return [message for message in read_po(source) if message.id]


def kept_words(text: str) -> list[str]:
    """What every language says alike, each as often as it stands in the sentence."""
    return sorted([*blanks(text), *COMMAND.findall(text)])


def blanks(text: str) -> Iterator[str]:
    return (name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


async def test_translated_commands_are_within_discords_limits(world: World) -> None:
    for command in world.bot.tree.get_commands():
        payload = await command.get_translated_payload(world.bot.tree, CommandTranslator())
        for place in nested(payload):
            assert set(place.get("description_localizations") or {}) in (set(), {*i18n.languages} - {"en"})
            for text in (place.get("description_localizations") or {}).values():
                assert 0 < len(text) <= 100
            for text in (place.get("name_localizations") or {}).values():
                assert 0 < len(text) <= 32 or ("value" in place and len(text) <= 100)


async def test_every_option_has_a_name_of_its_own_in_every_language(world: World) -> None:
    """Discord takes small letters, numbers, `-` and `_`, and no name twice in one command."""
    found = 0
    for command in world.bot.tree.get_commands():
        payload = await command.get_translated_payload(world.bot.tree, CommandTranslator())
        for place in nested(payload):
            options = [each for each in place.get("options", ()) if each["type"] > 2]
            found += len(options)
            for name in LANGUAGES:
                names = [(each.get("name_localizations") or {}).get(name, each["name"]) for each in options]
                assert len(set(names)) == len(names), names
                assert all(re.fullmatch(r"[-_\w]{1,32}", each) and each == each.lower() for each in names)
                asked = [i18n.languages.of(name).pgettext("option", each["name"]) for each in options]
                assert names == asked
    assert found > 30


async def test_no_option_keeps_its_english_name_for_want_of_a_translation(world: World) -> None:
    listed = {message.id for message in catalogue("whatsit.pot") if message.context == "option"}
    used = set()
    for command in world.bot.tree.walk_commands():
        if isinstance(command, discord.app_commands.Command):
            used |= {parameter.name for parameter in command.parameters}
    assert listed == used, "list them in bot/i18n/command_translator.py, and run: make docs"


def nested(payload: Any) -> Iterator[dict[str, Any]]:
    """The payload and every object in it."""
    if isinstance(payload, dict):
        yield payload
    for part in payload.values() if isinstance(payload, dict) else payload:
        if isinstance(part, dict | list):
            yield from nested(part)


async def test_who_chooses_german_is_answered_in_german(world: World) -> None:
    world.classifier.otherwise = classified(("lynx", 0.11), ("hare", 0.1))
    await world.bot.store.members.update(world.alice.id, {"language": "de"})
    result = await world.alice.slash(world.channel, "classify", picture=picture(), private=True)
    assert result.response is not None
    (embed,) = result.response.embeds
    assert str(embed.description) == "Ich bin nicht sicher. Vielleicht **ein Luchs**?"


def test_an_unknown_locale_is_english(german: i18n.Languages) -> None:
    for locale in (None, discord.Locale.japanese, discord.Locale.british_english):
        assert (
            german.of(locale)
            .gettext("This picture is no longer there. Upload it again.")
            .startswith("This picture")
        )


def test_a_region_falls_back_on_its_language(tmp_path: Path) -> None:
    (tmp_path / "pt.po").write_text(GERMAN.replace("de", "pt", 1), "utf-8")
    languages = i18n.Languages(tmp_path)
    assert languages.of(discord.Locale.brazil_portuguese) is languages.of(discord.Locale("pt-BR"))
    assert (
        languages.of(discord.Locale.brazil_portuguese).gettext("Say what is in a picture").startswith("Sagt")
    )


DUTCH = """
msgid ""
msgstr ""
"Language: nl\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Probably **{label:indefinite}**."
msgstr "Waarschijnlijk **{label:met lidwoord}**."

msgid "More"
msgstr "Meer"
"""


async def test_a_language_that_is_added_as_files_alone_is_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    (tmp_path / "nl.po").write_text(DUTCH, "utf-8")
    (tmp_path / "nl.tsv").write_text(
        "name\tword\tmet lidwoord\ntabby\tcyperse kat\teen cyperse kat\n", "utf-8"
    )
    languages = i18n.Languages(tmp_path, tmp_path)
    for module in ("bot.i18n", "bot.policy.effective_settings"):
        monkeypatch.setattr(f"{module}.languages", languages)
    world.classifier.otherwise = classified(("tabby", 0.8), ("lynx", 0.1))
    await world.alice.slash(world.channel, "preferences", language="nl")
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    answer = world.only_answer()
    (embed,) = answer.embeds
    assert str(embed.description).splitlines() == [
        "Waarschijnlijk **een cyperse kat**.",
        "`████████░░  80%` cyperse kat",
        "`█░░░░░░░░░  10%` lynx",  # a name without a word of its own
    ]
    assert pressable(answer)[0] == "Meer"
    found = await world.alice.autocomplete(world.channel, "preferences", "language", "ned")
    assert [choice["value"] for choice in found] == ["nl"]


def test_plurals_follow_the_language(german: i18n.Languages) -> None:
    language = german.of(discord.Locale.german)
    assert language.ngettext("and {more} more", "and {more} more", 1) == "und eines mehr"
    assert language.ngettext("and {more} more", "and {more} more", 2) == "und {more} mehr"


async def test_a_servers_language_is_the_one_answered_in(german: i18n.Languages, world: World) -> None:
    guild = world.env.create_guild("Katzenfreunde", preferred_locale="de")
    channel = guild.create_text_channel("bilder")
    alice = guild.add_member(world.alice.user)
    world.fetcher.fails = {"weg.png": Gone("404")}
    await alice.send(channel, world.me.mention, attachments=[picture("weg.png")])
    (embed,) = world.only_answer(channel).embeds
    assert embed.description == "Dieses Bild ist nicht mehr da. Lade es noch einmal hoch."


async def test_commands_are_described_in_each_language(german: i18n.Languages, world: World) -> None:
    (command,) = [c for c in world.bot.tree.get_commands() if c.name == "classify"]
    payload = await command.get_translated_payload(world.bot.tree, CommandTranslator())
    assert payload["description_localizations"] == {"de": "Sagt, was auf einem Bild ist"}
    assert "name_localizations" not in payload or payload["name_localizations"] == {}
