"""docs/scaling.md names commands and settings that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bot.cli import _parser
from config.loading import load

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SETTINGS = [body for kind, body in BLOCKS if kind == "toml"]
COMMANDS = [
    line.partition(" # ")[0].strip()
    for kind, body in BLOCKS
    if kind == "sh"
    for line in body.splitlines()
    if line.startswith("whatsit ")
]


def headings() -> set[str]:
    """The anchors of its own headings."""
    words = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in words}


@pytest.mark.parametrize("settings", SETTINGS)
def test_its_settings_can_be_used(settings: str, tmp_path: Path) -> None:
    file = tmp_path / "whatsit.toml"
    file.write_text(settings)
    load(file, {})


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_are_understood(command: str) -> None:
    args, rest = _parser().parse_known_args(shlex.split(command)[1:])
    assert not rest
    assert args.module.startswith("bot.cli.")


def test_it_has_commands_and_settings_for_every_step() -> None:
    assert len(COMMANDS) >= 7
    assert len(SETTINGS) >= 3


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", TEXT)
    assert len(links) > 8
    for page, heading in links:
        if not page:
            assert heading in headings(), heading
        elif not page.startswith("http"):
            assert (PAGE.parent / page).exists(), page


def test_every_step_says_how_to_go_back() -> None:
    steps = re.split(r"^## Step ", TEXT, flags=re.MULTILINE)[1:]
    assert len(steps) == 4
    assert all("**Back:**" in step for step in steps)
