"""An evening on a server, with all that people type, and with faults of ours: the log holds ids alone.

`tests/wire/test_log_secrets.py` is the same over the network, with what libraries say of it.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import discord
import pytest

from bot.download.downloader import Gone
from bot.log_privacy import LogPrivacyFilter
from bot.store import StoreUnavailable
from inference.results import CorruptImage
from tests.bot.moderation import moderator, refusal
from tests.bot.pressing import private
from tests.bot.wishes import server
from tests.world import CAT, World, classified, picture

WRITTEN = "my grandmother's emerald"
FILE = "holiday-in-brindisi"
CHANNEL, SHUT = "below-the-stairs", "behind-the-curtain"
PLANTED = (WRITTEN, FILE, CHANNEL, SHUT, "alice", "bob-the-moderator", "Cat lovers", "Egyptian cat", "beagle")
"""What people wrote and uploaded, the names of channels, people and the server, and labels."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that any logger says, with what a program would be given of it; the filter is the real one."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogPrivacyFilter())
    handler.setFormatter(_Everything())
    loggers = [
        logging.root,
        *(each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)),
    ]
    before = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(1)
    logging.root.addHandler(handler)
    yield stream
    logging.root.removeHandler(handler)
    for logger, level in before.items():
        logger.setLevel(level)


NOT_SAID = ("msg", "exc_info", "message", "exc_text")
"""Of a record, what other handlers have made of it before."""


class _Everything(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        known = {name: value for name, value in vars(record).items() if name not in NOT_SAID}
        return f"{super().format(record)} {json.dumps(known, default=repr)}"


async def typed(world: World) -> None:
    """What people and moderators type, good and bad."""
    mod = moderator(world, "bob-the-moderator")
    secret = picture(f"{FILE}.png")
    message = await world.alice.send(world.channel, f"{world.me.mention} {WRITTEN}", attachments=[secret])
    await world.alice.slash(world.channel, "preferences", language=WRITTEN)
    await mod.slash(world.channel, "settings what", top=5, model=WRITTEN, language=WRITTEN)
    await mod.slash(world.channel, "settings how", emoji=WRITTEN)
    for content in (b"{", json.dumps({"whatsit_settings": 1, WRITTEN: WRITTEN, "emoji": WRITTEN}).encode()):
        await mod.slash(world.channel, "settings import", file=(f"{FILE}.json", content))
    answer = world.only_answer()
    judged = await world.alice.click(answer, label="Was this right?")
    await world.alice.click(private(judged).message, label="No")
    await world.alice.slash(world.channel, "classify", picture=secret, dm=True)
    await world.alice.slash(world.channel, "privacy export")
    await world.alice.delete(message)


async def fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures, Discord, the store and our own code fail, and the errors repeat what people wrote."""
    secret = picture(f"{FILE}.png")
    errors = (CorruptImage("it is cut off"), ValueError(WRITTEN), KeyError(f"{FILE}.png"))
    for number, error in enumerate(errors):
        world.classifier.says = {f"{number}".encode(): error}
        await world.alice.send(
            world.channel, world.me.mention, attachments=[picture(f"{FILE}.png", f"{number}".encode())]
        )
    world.fetcher.fails = {f"{FILE}.png": Gone(f"https://cdn.discordapp.com/1/2/{FILE}.png?hm={WRITTEN}")}
    await world.alice.send(world.channel, world.me.mention, attachments=[secret])
    world.fetcher.fails = {}
    path = f"/channels/{world.channel.id}/messages"
    for status, code in ((400, 50035), (403, 50013), (500, 0)):
        world.env.inject_error("POST", path, status=status, code=code, message=WRITTEN)
        await world.alice.send(world.channel, WRITTEN, attachments=[secret])

    async def out_of_order(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{WRITTEN} in {FILE}")

    async def full(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("The disk is full. Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(world.bot.store.members, "get", out_of_order)
        await world.alice.send(world.channel, f"{world.me.mention} {WRITTEN}", attachments=[secret])
    with monkeypatch.context() as patch:
        patch.setattr(world.bot.store.members, "get", full)
        await world.alice.send(world.channel, f"{world.me.mention} {WRITTEN}", attachments=[secret])
        refusal(world, await world.alice.slash(world.channel, "preferences"))
        await world.alice.slash(world.channel, "classify", picture=secret)
    nothing = discord.PermissionOverwrite(send_messages=False, add_reactions=False)
    shut = world.guild.create_text_channel(SHUT, overwrites={world.me: nothing})
    await world.alice.send(shut, attachments=[secret])


@pytest.mark.logs_errors
@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_nothing_that_people_wrote_or_are_called_is_in_the_log(
    world: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.channel = world.guild.create_text_channel(CHANNEL)
    await server(world, how="reply")
    world.classifier.otherwise = replace(CAT, labels=(*CAT.labels, *classified(("beagle", 0.001)).labels))
    await typed(world)
    await fails(world, monkeypatch)
    await world.restart()
    lines = log.getvalue().splitlines()
    assert len([line for line in lines if "failed unexpectedly" in line]) >= 3
    assert [(secret, line) for secret in PLANTED for line in lines if secret in line] == []
