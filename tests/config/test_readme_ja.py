"""`README.ja.md` is in step with `README.md`: whoever changes the one finds here what the other wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, JAPANESE = ROOT / "README.md", ROOT / "README.ja.md"
CODE_BLOCK = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]+`")
LINK = re.compile(r"\]\(([^)#\s]+)\)|<(https?://[^>]+)>")
FIGURE = re.compile(r"\*\*[\d./,x% ]+(?: ?(?:ms|s|MB))?\*\*")
"""A cell that is a figure and no words: it is the same in every language."""


class Heading(NamedTuple):
    """A heading's level, and its words."""

    level: int
    words: str


def text(file: Path) -> str:
    return file.read_text("utf-8")


def without_code_blocks(file: Path) -> str:
    return CODE_BLOCK.sub("", text(file))


def headings(file: Path) -> list[Heading]:
    found = re.findall(r"^(#+) (.*)$", without_code_blocks(file), re.MULTILINE)
    return [Heading(len(signs), words) for signs, words in found]


def tables(file: Path) -> list[list[list[str]]]:
    """Each table as rows of cells, the line below its head left out."""
    found = re.findall(r"(?:^\|.*\n)+", without_code_blocks(file) + "\n", re.MULTILINE)
    return [
        [
            re.split(r"(?<!\\)\|", line)[1:-1]
            for line in table.splitlines()
            if not re.match(r"\|[-|]+\|$", line)
        ]
        for table in found
    ]


def rows() -> Iterator[tuple[list[str], list[str]]]:
    """Rows of the English tables, each with the Japanese row at the same place."""
    for english, japanese in zip(tables(ENGLISH), tables(JAPANESE), strict=True):
        yield from zip(english, japanese, strict=True)


def test_it_has_the_same_headings_at_the_same_levels() -> None:
    english, japanese = headings(ENGLISH), headings(JAPANESE)
    assert [heading.level for heading in japanese] == [heading.level for heading in english], (
        "Give README.ja.md the headings that README.md has, at the same places. "
        f"README.md: {[heading.words for heading in english]}. "
        f"README.ja.md: {[heading.words for heading in japanese]}."
    )


def test_it_has_the_same_blocks_of_code() -> None:
    english = [match[0] for match in CODE_BLOCK.finditer(text(ENGLISH))]
    japanese = [match[0] for match in CODE_BLOCK.finditer(text(JAPANESE))]
    assert japanese == english, "Copy the blocks of code of README.md to README.ja.md as they are."


def test_its_tables_have_the_same_rows() -> None:
    english, japanese = tables(ENGLISH), tables(JAPANESE)
    assert len(japanese) == len(english), (
        "Give README.ja.md the tables that README.md has, in the same order."
    )
    for wanted, there in zip(english, japanese, strict=True):
        names, known = first_codes(wanted), first_codes(there)
        assert names == known, (
            f"In the table of README.ja.md that begins with {there[0][0].strip()}: add rows for "
            f"{names - known or 'none'}, in Japanese, at the places that they have in README.md, and take "
            f"out {known - names or 'none'}."
        )
        assert len(there) == len(wanted), (
            f"The table of README.ja.md that begins with {there[0][0].strip()} has {len(there)} rows, and in "
            f"README.md {len(wanted)}: {[row[0].strip() for row in wanted]}."
        )


def first_codes(table: list[list[str]]) -> set[str]:
    """What is code in the table's first column: commands, settings, addresses."""
    return {code for row in table for code in CODE.findall(row[0])}


def test_code_and_figures_in_its_tables_are_the_same() -> None:
    for english, japanese in rows():
        assert len(english) == len(japanese), f"README.ja.md: as many columns as in README.md: {japanese}"
        assert CODE.findall(japanese[0]) == CODE.findall(english[0]), (
            f"README.ja.md has the row of {japanese[0].strip()} where README.md has that of "
            f"{english[0].strip()}."
        )
        for wanted, there in zip(english, japanese, strict=True):
            if FIGURE.fullmatch(wanted.strip()):
                assert there == wanted, f"README.ja.md says {there.strip()}, and README.md {wanted.strip()}"


def test_defaults_of_settings_are_the_same() -> None:
    (english,) = (table for table in tables(ENGLISH) if table[0][0].strip() == "setting")
    japanese = tables(JAPANESE)[tables(ENGLISH).index(english)]
    for wanted, there in zip(english, japanese, strict=True):
        assert CODE.findall(there[1]) == CODE.findall(wanted[1]), (
            f"README.ja.md: the default of {wanted[0].strip()} is {wanted[1].strip()}."
        )


def test_it_leads_to_the_same_places() -> None:
    """But to each other, and to pictures of a Japanese screen where there are some."""
    english, japanese = (
        {first or second for first, second in LINK.findall(without_code_blocks(file))}
        - {"README.md", "README.ja.md"}
        for file in (ENGLISH, JAPANESE)
    )
    japanese = {link.replace("docs/ja/", "docs/") for link in japanese}
    assert japanese == english, (
        f"README.ja.md: add the links {english - japanese or 'none'}, "
        f"take out {japanese - english or 'none'}."
    )


@pytest.mark.parametrize("file", [ENGLISH, JAPANESE])
def test_what_it_shows_is_there(file: Path) -> None:
    missing = [
        first
        for first, _ in LINK.findall(without_code_blocks(file))
        if first and "://" not in first and not (ROOT / first).exists()
    ]
    assert missing == []


def test_links_within_it_lead_to_its_headings() -> None:
    for file in (ENGLISH, JAPANESE):
        anchors = {
            re.sub(r"[^\w -]", "", each.words).strip().lower().replace(" ", "-") for each in headings(file)
        }
        assert set(re.findall(r"\]\(#([^)]+)\)", text(file))) <= anchors
