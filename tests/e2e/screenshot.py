"""Takes the pictures in `docs/` from the demo's page: `make screenshot`.

Those in English are README's. `docs/de` and `docs/ja` show what somebody sees who speaks German or Japanese;
`python -m tests.e2e.screenshot --all FOLDER` takes every screen in every language, to be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import discord
import skimage
from PIL import Image
from selenium.webdriver.remote.webelement import WebElement

from bot.client import Whatsit
from bot.demo.stage import PHOTOGRAPHS, Stage, staged
from bot.i18n import Language, languages
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
IN_DOCS = {
    "en": ("answer", "more", "ten", "ten-phone", "panel", "panel-where", "stats", "teach", "find", "why"),
    "de": ("answer", "alt-text", "panel"),
    "ja": ("answer", "alt-text", "ten-phone", "panel", "panel-where", "stats"),
}
"""The screens of each language that are kept in `docs/`."""


class Photographer:
    """Takes the screens of one language, each into `folder`, unless it is not `wanted` (None: all are)."""

    def __init__(self, stage: Stage, speech: Language, folder: Path, wanted: tuple[str, ...] | None) -> None:
        self._stage = stage
        self._say = speech.gettext
        self._language = speech
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._wanted = wanted

    async def take_all(self) -> None:
        """Do on the stage what leads to each screen, one after the other."""
        stage, store = self._stage, cast("Whatsit", self._stage.env.bot).store
        guild = stage.channel.guild
        assert guild is not None
        await store.members.update(stage.alice.id, {"language": self._language.name})
        await store.guilds.update(guild.id, {"language": self._language.name})
        await self._chart()
        await self._post(CAT)
        await self._take(self._one, "answer", "more", "alt-text", "alt-text-to-copy", "feedback", "why")
        await self._post(*TEN)
        await self._take(self._ten, "ten", "ten-phone")
        role = guild.create_role("moderators", permissions=discord.Permissions(manage_guild=True))
        stage.env.backend.add_member_role(guild.id, stage.alice.id, role.id)
        await store.guilds.update(guild.id, {"member_per_minute": 1000})  # for all that is posted now
        await self._teach()
        await self._find()
        await store.guilds.reset(guild.id, ["member_per_minute"])
        await stage.alice.slash(stage.channel, "settings where", watch="only", add=stage.channel)
        theirs = ("preferences", "privacy show", "privacy delete")
        for command in ("help", *theirs, "about", "settings feedback"):
            await stage.alice.slash(stage.channel, command)
            await stage.preview.refresh()
            await self._take(self._last, command.replace(" ", "-"))
        hello = cast("Any", stage.env.bot).get_cog("HelloCog")
        await hello.on_guild_join(stage.env.bot.get_guild(guild.id))
        await stage.preview.refresh()
        await self._take(self._last, "hello")
        await stage.alice.slash(stage.channel, "settings panel")
        await stage.preview.refresh()
        pages = ("panel-where", "panel-how", "panel-what", "panel-quotas")
        await self._take(self._panel, "panel", *pages)

    async def _teach(self) -> None:
        """Teach two words by views of a photograph each, and show what comes of it."""
        stage = self._stage
        for word, path in (("Chelsea", CAT), ("Eileen", TEN[-6])):
            views = await asyncio.to_thread(_views, path)
            await stage.alice.slash(stage.channel, "teach", label=word, **views)
        await self._post(CAT)
        await self._take(self._two, "teach")
        for command in ("labels show", "labels test"):
            await stage.alice.slash(stage.channel, command)
            await stage.preview.refresh()
            await self._take(self._last, command.replace(" ", "-"))

    async def _find(self) -> None:
        """Turn the index on, post the photographs again, and look for one of them."""
        stage = self._stage
        await stage.alice.slash(stage.channel, "settings where", index=stage.channel)
        await self._post(*TEN)
        await self._post(CAT)
        await stage.alice.slash(stage.channel, "find", text=self._language.labels.form("cat"))
        await stage.preview.refresh()
        await self._take(self._last, "find")

    async def _chart(self) -> None:
        """Draw the chart of `/stats`, of a month that was made up."""
        if self._wanted is not None and "stats" not in self._wanted:
            return
        days = [date(2026, 11, day) for day in range(1, 31)]
        pictures = {day: 24 + 30 * (day.isoweekday() >= 6) + day.day * 37 % 29 for day in days}
        certainties = {"sure": sum(pictures.values()) - 410, "probably": 220, "maybe": 150, "not_sure": 40}
        names = (
            "cat",
            "military uniform",
            "espresso",
            "Egyptian cat",
            "dog",
            "soup bowl",
            "Labrador retriever",
        )
        sums = GuildSums(
            pictures, certainties, dict(zip(names, (211, 160, 120, 77, 40, 32, 30), strict=True))
        )
        sheet = StatisticsWords(self._language, sums, OpinionCount(23, 5)).sheet()
        png = await ChartPainter(nice=0).draw(sheet)
        await asyncio.to_thread((self._folder / "stats.png").write_bytes, png)

    async def _post(self, *files: Path) -> None:
        """Post files in one message, and wait until it is answered."""
        pictures = [(file.name, await asyncio.to_thread(file.read_bytes)) for file in files]
        await self._stage.alice.send(self._stage.channel, attachments=pictures)
        await self._stage.preview.refresh()

    async def _take(self, screens: Callable[[str, str], None], *names: str) -> None:
        if self._wanted is None or not set(names).isdisjoint(self._wanted):
            await asyncio.to_thread(screens, self._stage.url, names[0])

    def _one(self, url: str, _: str) -> None:
        with opened(url, width=DESKTOP[0], height=DESKTOP[1]) as page:
            page.wait_for_messages(2)
            self._shoot(page, 2, "answer")
            page.press(self._say("More"))
            page.wait_for_messages(3)
            self._shoot(page, 1, "more")
            page.press(self._say("Alt text"))
            page.wait_for_form()
            self._save(page.form, "alt-text")
            page.send_form()
            page.wait_for_messages(4)
            self._shoot(page, 1, "alt-text-to-copy")
            page.press(self._say("Was this right?"))
            page.wait_for_messages(5)
            page.press(self._say("No"))
            page.wait_for_message(self._say("Thank you. What is it?"))
            self._shoot(page, 1, "feedback")
            page.press(self._say("More"))
            page.wait_for_messages(6)
            page.press(self._say("Why?"))
            page.wait_for_messages(7)
            self._shoot(page, 1, "why")

    def _ten(self, url: str, _: str) -> None:
        for name, (width, height) in (("ten", DESKTOP), ("ten-phone", PHONE)):
            with opened(url, width=width, height=height) as page:
                page.wait_for_messages(5)
                page.as_wide_as(width, height)
                self._shoot(page, 1, name)

    def _last(self, url: str, name: str) -> None:
        with opened(url, width=TALL[0], height=TALL[1]) as page:
            page.wait_for_messages(1)
            self._shoot(page, 1, name)

    def _two(self, url: str, name: str) -> None:
        with opened(url, width=TALL[0], height=TALL[1]) as page:
            page.wait_for_messages(2)
            self._shoot(page, 2, name)

    def _panel(self, url: str, _: str) -> None:
        with opened(url, width=TALL[0], height=1800) as page:
            page.wait_for_message(self._say("Reset everything…"))
            self._shoot(page, 1, "panel")
            for name, title in (
                ("where", "Channels"),
                ("how", "Replies"),
                ("what", "Answers"),
                ("quotas", "Limits"),
            ):
                page.press(self._say(title))
                page.wait_for_message(self._say("Reset this page"))
                page.point_elsewhere()
                self._shoot(page, 1, f"panel-{name}")

    def _shoot(self, page: Page, messages: int, name: str) -> None:
        page.show_only_the_last(messages)
        self._save(page.conversation, name)
        page.show_all()

    def _save(self, element: WebElement, name: str) -> None:
        """Save a picture of what is on the page, in 256 colours: a third of the bytes."""
        if self._wanted is None or name in self._wanted:
            shot = Image.open(BytesIO(element.screenshot_as_png)).convert("RGB")
            shot.quantize(256, kmeans=3).save(self._folder / f"{name}.png", optimize=True)


def _views(path: Path) -> dict[str, tuple[str, bytes]]:
    """Return options of `/teach`: five views of one photograph."""
    picture = Image.open(path).convert("RGB")
    views = {}
    for number, cut in enumerate((0, 10, 25, 40, 55), 1):
        data = BytesIO()
        picture.crop((cut, cut // 2, picture.width - cut // 3, picture.height)).save(data, "PNG")
        views[f"picture{number if number > 1 else ''}"] = (f"{path.stem}{number}.png", data.getvalue())
    return views


async def _take_all(folder: Path | None) -> None:
    """Take the pictures of `docs/`, or all that there are into a folder."""
    for name in languages:
        async with _opened_stage() as stage:
            place = folder / name if folder else DOCS if name == "en" else DOCS / name
            wanted = None if folder else IN_DOCS.get(name, ())
            await Photographer(stage, languages.of(name), place, wanted).take_all()


@asynccontextmanager
async def _opened_stage() -> AsyncIterator[Stage]:
    settings = Settings(model=Model(name="efficientnet_lite0"))
    classifier = Classifier(settings)
    try:
        await classifier.start()
        async with staged(settings, classifier) as stage:
            yield stage
    finally:
        await classifier.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--all", type=Path, metavar="FOLDER", help="every screen in every language, into FOLDER"
    )
    folder = parser.parse_args().all
    if missing := browser_is_missing():
        raise SystemExit(missing)
    asyncio.run(_take_all(folder))


if __name__ == "__main__":
    main()
