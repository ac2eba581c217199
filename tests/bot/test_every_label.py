"""Whatever is in a picture, in whatever language: the answer is inside Discord's limits and says the name."""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import pytest
from babel.messages.pofile import read_po

from bot import buttons
from bot.buttons import MarkSeal
from bot.discord_limits import (
    ALT_TEXT,
    EMBED_DESCRIPTION,
    EMBEDS_CHARACTERS,
    MESSAGE_CONTENT,
    OPTION_LABEL,
    SELECT_PLACEHOLDER,
)
from bot.i18n import LOCALES, Language, languages
from bot.image_source import ImageSource
from bot.presentation.alt_text import alt_text
from bot.presentation.answer import DETAILED, Outcome, Writer
from bot.presentation.naming import Finding
from bot.presentation.plain_text import neutral
from bot.store import BUTTONS, GuildSettings
from config.settings import Settings
from inference.results import RANKED, Classification, Coarse, Label, ModelInfo, PictureKind

NAMES = sorted(languages.of("en").labels.rows)
SURE, PROBABLE, POSSIBLE, DOUBTFUL = 0.95, 0.75, 0.4, 0.05
MODEL = ModelInfo("m", "openvino", 224, len(NAMES), None, "0" * 64, 1, tuple(NAMES), (None,) * len(NAMES))


def every_label(probability: float) -> Iterator[Classification]:
    """Classifications in which each name comes first once, with nine others behind it."""
    for first in range(len(NAMES)):
        ranked = [(first + place) % len(NAMES) for place in range(RANKED)]
        labels = tuple(
            Label(NAMES[index], index, probability if place == 0 else probability / 2, None)
            for place, index in enumerate(ranked)
        )
        yield Classification(labels, "m", "openvino", (9, 9), 1, 1, 1)


def answers(probability: float, images: int) -> Iterator[list[Outcome]]:
    source = ImageSource("https://cdn.discordapp.com/a", "a" * 300 + ".png", "attachment", spoiler=True)
    outcomes = [Outcome(source, result) for result in every_label(probability)]
    for first in range(0, len(outcomes), images):
        yield outcomes[first : first + images]


@pytest.mark.parametrize("language", list(languages))
@pytest.mark.parametrize(("style", "images"), [("bars", DETAILED), ("bars", 10), ("compact", 10)])
def test_every_answer_is_inside_discords_limits(language: str, style: str, images: int) -> None:
    guild = GuildSettings.model_validate({"style": style, "top": RANKED, "buttons": list(BUTTONS)})
    speech = languages.of(language)
    for probability in (SURE, PROBABLE, POSSIBLE, DOUBTFUL):
        writer = Writer(Settings(), speech, guild=guild, top=RANKED, apart=True)
        for outcomes in answers(probability, images):
            answer = writer.write(outcomes, writer.left_out(100))
            assert sum(map(len, answer.embeds)) <= EMBEDS_CHARACTERS
            assert all(0 < len(embed.description or "") <= EMBED_DESCRIPTION for embed in answer.embeds)
            assert len(answer.plain) <= MESSAGE_CONTENT
            for forms in first_names(outcomes, speech):
                assert any(form in answer.plain for form in forms)
    check_buttons(outcomes, guild, speech)


def first_names(outcomes: Sequence[Outcome], speech: Language) -> Iterator[list[str]]:
    """Of each image, the beginnings of all forms of its name: of very many long names, each is cut."""
    for outcome in outcomes:
        assert isinstance(outcome.result, Classification)
        name = outcome.result.labels[0].name
        yield [neutral(speech.labels.form(name, form), 80)[:12] for form in ("", *speech.labels.forms)]


def check_buttons(outcomes: Sequence[Outcome], guild: GuildSettings, speech: Language) -> None:
    people = buttons.People(2**64 - 1, 2**64 - 1)
    seal = MarkSeal(b"a key of the tests")
    under = buttons.buttons_for(outcomes, people, speech, guild=guild, models=[MODEL], seal=seal)
    for view in (under.view(), buttons.merged_view([buttons.MergedPart(2**64 - 1, "a" * 32, under)] * 10)):
        assert view is not None
        for item in (item for row in view.to_components() for item in row["components"]):
            assert len(item["custom_id"]) <= 100
            assert len(item.get("label", "")) <= 80
            assert len(item.get("placeholder", "")) <= SELECT_PLACEHOLDER
            assert all(0 < len(each["label"]) <= OPTION_LABEL for each in item.get("options", ()))


@pytest.mark.parametrize("language", list(languages))
def test_every_alt_text_is_a_sentence_of_one_line(language: str) -> None:
    speech = languages.of(language)
    kinds: tuple[PictureKind | None, ...] = (None, *get_args(PictureKind))
    for probability, kind in itertools.product((SURE, PROBABLE, POSSIBLE, DOUBTFUL), kinds):
        for result in every_label(probability):
            sentence = alt_text(Finding.of(result, 0.3), kind, speech)
            assert len(sentence.splitlines()) == 1
            assert len(sentence) <= ALT_TEXT
            assert not set("{}*_|") & set(sentence)
            assert sentence[-1] in ".。"


def test_two_words_that_one_language_does_not_tell_apart_are_not_said_twice() -> None:
    labels = (Label("ear of corn", 0, 0.5, "corn"),)
    result = Classification(labels, "m", "openvino", (9, 9), 1, 1, 1, (Coarse("corn", 0.75, 2),))
    outcome = Outcome(ImageSource("https://cdn.discordapp.com/a", "a.png", "attachment"), result)
    for name in languages:
        speech = languages.of(name)
        same = speech.labels.form("corn") == speech.labels.form("ear of corn")
        (embed,) = Writer(Settings(), speech).write([outcome]).embeds
        first = str(embed.description).splitlines()[0]
        assert first.count("**") == (2 if same else 4), first


@pytest.mark.parametrize("language", list(languages))
def test_every_form_that_a_sentence_asks_for_is_a_column_of_that_languages_table(language: str) -> None:
    with (LOCALES / "whatsit.pot" if language == "en" else LOCALES / f"{language}.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts: list[Any] = [message.id if language == "en" else message.string for message in messages]
    asked = {
        form
        for text in texts
        for each in ([text] if isinstance(text, str) else text)
        for _, blank, form, _ in string.Formatter().parse(each)
        if blank and form
    }
    assert asked <= {*languages.of(language).labels.forms}
