"""The page for owners, and how a machine reads it. `make operations` follows it."""

from __future__ import annotations

import pytest

from tests.deployment.guide import ANSWERS, PAGE, GuideError, steps

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_followed_from_installing_to_removing() -> None:
    followed = [step for step in steps(TEXT) if step.is_followed]
    assert followed[0].section == "Install"
    assert followed[-1].section == "Remove"
    assert sum(ANSWERS in step.notes for step in followed) >= 5


def test_a_block_belongs_to_its_heading_and_to_the_notes_before_it() -> None:
    text = f"# One\n\n<!-- {ANSWERS} -->\n\n```sh\na\nb\n```\n\n## Two\n\n"
    text += "<!-- not followed: why -->\n```sh\nc\n```\n"
    one, two = steps(text)
    assert (one.section, one.commands, one.notes, one.is_followed) == ("One", "a\nb\n", (ANSWERS,), True)
    assert (two.section, two.is_followed) == ("Two", False)


@pytest.mark.parametrize(
    "text", ["<!-- whatever -->\n", "```\na\n```\n", "```bash\na\n```\n", f"<!-- {ANSWERS} -->\n"]
)
def test_what_would_silently_not_be_followed_is_refused(text: str) -> None:
    with pytest.raises(GuideError):
        steps(text)
