"""Takes README's picture of an answer from the demo's page: `make screenshot`."""

from __future__ import annotations

from pathlib import Path

from selenium.webdriver.common.by import By

from tests.e2e.browser import PAGE, browser_is_missing, opened
from tests.e2e.command import CAT
from tests.e2e.terminal import Terminal

__all__ = ["main"]

ANSWER = Path(__file__).parents[2] / "docs" / "answer.png"


def main() -> None:
    """Post the cat in the channel, and keep what the channel then shows."""
    if missing := browser_is_missing():
        raise SystemExit(missing)
    with Terminal("demo") as terminal:
        url = terminal.wait_for(PAGE)[0]
        terminal.wait_for("Ctrl-D ends the demo")
        with opened(url, width=900, height=900) as page:
            terminal.type(str(CAT))
            page.wait_for_message("cat")
            page.driver.find_element(By.ID, "channel-layout").screenshot(str(ANSWER))
        terminal.end()


if __name__ == "__main__":
    main()
