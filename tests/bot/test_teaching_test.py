"""`/labels test`: what is said and drawn of how well a server's labels name its own examples."""

from __future__ import annotations

import random

from bot.i18n import ENGLISH
from bot.presentation.teaching_test import TeachingTestWords
from inference.charts.sheet import ConfusionPanel
from inference.knowledge.results import SuspectExample, TeachingReport

REMOVED = 42
NAMES = {1: "Mochi", 2: "Biscuit", 3: "Rex *the* Great"}


def report(**changes: object) -> TeachingReport:
    made = TeachingReport(
        labels=(1, 2, 3),
        counts=(8, 10, 3),
        confusion=((6, 1, 0), (4, 5, 0), (0, 0, 2)),
        refused=(1, 1, 1),
        nones=4,
        suspects=(SuspectExample(501, 1, 2), SuspectExample(502, 2, 1)),
    )
    return made._replace(**changes)  # type: ignore[arg-type]


def words(made: TeachingReport) -> TeachingTestWords:
    names = {label: NAMES.get(label, f"label {label}") for label in made.labels if label != REMOVED}
    return TeachingTestWords(ENGLISH, made, names, {501: "https://discord.com/channels/1/2/3"})


def test_it_says_how_many_are_right_and_which_pairs_are_mixed_up() -> None:
    text = words(report()).text()
    assert "Of 21 examples, each asked as if I had not seen it, I name 13 right (62%)." in text
    assert "**Biscuit** and **Mochi** (5)" in text
    assert "“Not this”" not in text


def test_an_example_that_looks_wrong_has_a_jump_link_where_its_message_is_known() -> None:
    text = words(report()).text()
    assert (
        "[example 501](https://discord.com/channels/1/2/3) of **Mochi**, which looks like **Biscuit**" in text
    )
    assert "example 502 of **Biscuit**" in text


def test_labels_with_few_examples_are_to_be_taught_next_and_else_those_that_are_often_wrong() -> None:
    assert r"**Teach next**: **Rex \*the\* Great**: each needs at least 5 examples." in words(report()).text()
    enough = words(report(counts=(8, 10, 5))).text()
    assert r"more pictures of **Biscuit** and **Rex \*the\* Great**, as different as they come" in enough


def test_without_none_of_these_it_says_that_strangers_are_known_badly() -> None:
    assert "Press “Not this” under such answers" in words(report(nones=0)).text()


def test_where_nothing_can_be_tested_it_says_what_is_missing_and_draws_nothing() -> None:
    empty = report(confusion=((0, 0, 0),) * 3, refused=(0, 0, 0), counts=(1, 1, 1), suspects=())
    assert "a label needs two examples" in words(empty).text()
    assert words(empty).sheet() is None


def test_the_matrix_has_a_column_for_what_was_not_recognised() -> None:
    sheet = words(report()).sheet()
    assert sheet is not None
    panel = sheet.rows[0].stacks[0][0]
    assert isinstance(panel, ConfusionPanel)
    assert panel.labels == ("Mochi", "Biscuit", "Rex *the* Great")
    assert panel.counts == ((6, 1, 0, 1), (4, 5, 0, 1), (0, 0, 2, 1))


def test_of_many_labels_the_matrix_shows_those_mixed_up_most_and_loses_no_example() -> None:
    dice = random.Random(1)  # noqa: S311 - no secret
    size = 25
    confusion = tuple(
        tuple(5 if row == column else dice.choice((0, 0, 0, 0, 0, 1)) for column in range(size))
        for row in range(size)
    )
    made = words(
        report(
            labels=tuple(range(30, size + 30)), counts=(20,) * size, confusion=confusion, refused=(2,) * size
        )
    )
    sheet = made.sheet()
    assert sheet is not None
    panel = sheet.rows[0].stacks[0][0]
    assert isinstance(panel, ConfusionPanel)
    assert len(panel.labels) < size
    for name, row in zip(panel.labels, panel.counts, strict=True):
        label = int(name.removeprefix("label "))  # a label that was removed meanwhile has its number alone
        assert sum(row) == sum(confusion[label - 30]) + 2
    assert "labels that are mixed up most" in panel.title
    assert len(made.description()) <= 1024
    assert len(made.text()) <= 4000
