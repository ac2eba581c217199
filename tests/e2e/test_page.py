"""The demo's page in a real browser."""

from __future__ import annotations

import os

import pytest

from tests.e2e.browser import PAGE, browser_is_missing, opened
from tests.e2e.command import CAT, COFFEE
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def browser() -> None:
    """Skip where there is no browser; where everything has to run, that is a failure."""
    if missing := browser_is_missing():
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


def test_a_file_classified_on_the_page_is_named_there_and_a_typed_path_appears_by_itself() -> None:
    with Terminal("demo") as terminal:
        url = terminal.wait_for(PAGE)[0]
        terminal.wait_for("Ctrl-D ends the demo")
        with opened(url) as page:
            page.classify(COFFEE)
            answer = page.wait_for_message("coffee.png")
            assert any(label in answer.text for label in ("espresso", "cup", "coffee mug"))
            page.wait_for_picture_in(answer)

            terminal.type(str(CAT))
            terminal.wait_for("posts chelsea.png in #pictures")
            page.wait_for_message("cat")
        assert terminal.end() == 0
