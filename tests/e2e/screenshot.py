"""Takes the pictures of answers in `docs/` from the demo's page: `make screenshot`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import skimage

from bot.demo_stage import PHOTOGRAPHS, Stage, staged
from config.settings import Model, Settings
from inference.client import Classifier
from tests.e2e.browser import Page, browser_is_missing, opened
from tests.e2e.command import CAT

__all__ = ["main"]

DOCS = Path(__file__).parents[2] / "docs"
TEN = (
    *(photograph.path for photograph in PHOTOGRAPHS),
    *(
        Path(skimage.__file__).parent / "data" / f"{name}.png"
        for name in ("motorcycle_left", "astronaut", "camera", "coins", "horse", "clock_motion", "page")
    ),
)
DESKTOP, PHONE = (1000, 900), (390, 844)


async def shots() -> None:
    """One image, what More shows of it, and ten images: as wide as a desktop's window and as a phone."""
    settings = Settings(model=Model(name="efficientnet_lite0"))
    classifier = Classifier(settings)
    try:
        await classifier.start()
        async with staged(settings, classifier) as stage:
            await _post(stage, CAT)
            await asyncio.to_thread(_one, stage.url)
            await _post(stage, *TEN)
            await asyncio.to_thread(_ten, stage.url)
    finally:
        await classifier.close()


async def _post(stage: Stage, *files: Path) -> None:
    """Post files in one message, and wait until it is answered."""
    pictures = [(file.name, await asyncio.to_thread(file.read_bytes)) for file in files]
    await stage.alice.send(stage.channel, attachments=pictures)
    await stage.preview.refresh()


def _one(url: str) -> None:
    with opened(url, width=DESKTOP[0], height=DESKTOP[1]) as page:
        page.wait_for_messages(2)
        _shoot(page, 2, "answer")
        page.press("More")
        page.wait_for_messages(3)
        _shoot(page, 1, "more")


def _ten(url: str) -> None:
    for name, (width, height) in (("ten", DESKTOP), ("ten-phone", PHONE)):
        with opened(url, width=width, height=height) as page:
            page.wait_for_messages(5)
            page.as_wide_as(width, height)
            _shoot(page, 1, name)


def _shoot(page: Page, messages: int, name: str) -> None:
    page.show_only_the_last(messages)
    page.conversation.screenshot(str(DOCS / f"{name}.png"))


def main() -> None:
    """Take them all."""
    if missing := browser_is_missing():
        raise SystemExit(missing)
    asyncio.run(shots())


if __name__ == "__main__":
    main()
