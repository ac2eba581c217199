"""Takes the pictures of answers and of the panel in `docs/` from the demo's page: `make screenshot`."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import discord
import skimage

from bot.demo.stage import PHOTOGRAPHS, Stage, staged
from bot.i18n import ENGLISH
from bot.presentation.statistics import StatisticsWords
from bot.store.daily_sums import GuildSums
from bot.store.feedback import OpinionCount
from config.settings import Model, Settings
from inference.charts.client import ChartPainter
from inference.serving.client import Classifier
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
DESKTOP, PHONE, TALL = (1000, 900), (390, 844), (1000, 1200)


async def shots() -> None:
    """One image, what More shows of it, ten images (these also as on a phone), and the settings."""
    await _chart()
    settings = Settings(model=Model(name="efficientnet_lite0"))
    classifier = Classifier(settings)
    try:
        await classifier.start()
        async with staged(settings, classifier) as stage:
            await _post(stage, CAT)
            await asyncio.to_thread(_one, stage.url)
            await _post(stage, *TEN)
            await asyncio.to_thread(_ten, stage.url)
            await _open_settings(stage)
            await asyncio.to_thread(_panel, stage.url)
    finally:
        await classifier.close()


async def _chart() -> None:
    """The chart of `/stats`, of a month that was made up."""
    days = [date(2026, 11, day) for day in range(1, 31)]
    pictures = {day: 24 + 30 * (day.isoweekday() >= 6) + day.day * 37 % 29 for day in days}
    total = sum(pictures.values())
    certainties = {"sure": total - 410, "probably": 220, "maybe": 150, "not_sure": 40}
    names = ("cat", "military uniform", "espresso", "Egyptian cat", "dog", "soup bowl", "Labrador retriever")
    sums = GuildSums(pictures, certainties, dict(zip(names, (211, 160, 120, 77, 40, 32, 30), strict=True)))
    sheet = StatisticsWords(ENGLISH, sums, OpinionCount(23, 5)).sheet()
    png = await ChartPainter(nice=0).draw(sheet)
    await asyncio.to_thread((DOCS / "stats.png").write_bytes, png)


async def _post(stage: Stage, *files: Path) -> None:
    """Post files in one message, and wait until it is answered."""
    pictures = [(file.name, await asyncio.to_thread(file.read_bytes)) for file in files]
    await stage.alice.send(stage.channel, attachments=pictures)
    await stage.preview.refresh()


async def _open_settings(stage: Stage) -> None:
    """Alice, who may manage the server now, opens the panel, which she alone sees; the page is hers."""
    guild = stage.channel.guild
    assert guild is not None
    role = guild.create_role("moderators", permissions=discord.Permissions(manage_guild=True))
    stage.env.backend.add_member_role(guild.id, stage.alice.id, role.id)
    await stage.alice.slash(stage.channel, "settings where", watch="only", add=stage.channel)
    await stage.alice.slash(stage.channel, "settings panel")
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


def _panel(url: str) -> None:
    with opened(url, width=TALL[0], height=TALL[1]) as page:
        page.wait_for_message("Reset everything")
        _shoot(page, 1, "panel")
        page.press("Channels")
        page.wait_for_message("Reset this page")
        page.point_elsewhere()
        _shoot(page, 1, "panel-where")


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
