"""Takes README's picture of an answer from the demo's page: `make screenshot`."""

from __future__ import annotations

from pathlib import Path

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
        with opened(url, width=1000, height=900) as page:
            terminal.type(str(CAT))
            terminal.wait_for("posts chelsea.png in #pictures")
            page.wait_for_messages(5)
            page.show_only_the_last(2).screenshot(str(ANSWER))
        terminal.end()


if __name__ == "__main__":
    main()
