"""`kill -9` at random instants, over every way in: nothing is forgotten, and nothing is answered twice.

There are `KILL_RUNS` kills, `IN_A_ROW` of them on one store: what one leaves, the next may interrupt again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import discord
import pytest

from tests.wire.bots import LABEL
from tests.wire.forks import Fork, forked
from tests.wire.rest import LOADING
from tests.wire.test_kill import rows
from tests.wire.wire import Wire
from tests.wire.world import Interaction, Payload

RUNS = int(os.environ.get("KILL_RUNS", "20"))
IN_A_ROW = 10
PICTURE = ("cat.png", b"\x89PNG and so on")
MENU = "What's in this picture?"
ENOUGH = {"WHATSIT_LIMITS__USER_BURST": "1000", "WHATSIT_LIMITS__USER_IMAGES_PER_MINUTE": "1000"}
ROUND = 0.6
"""Seconds that people take over a round of what they do."""


@dataclass
class Owed:
    """What people did, and are owed an answer for. `images` is how many each message shows in the end."""

    images: dict[str, int] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    interactions: list[Interaction] = field(default_factory=list)
    by_dm: list[Interaction] = field(default_factory=list)


class People:
    """Those who use the bot by every way in, whether it is there or not."""

    def __init__(self, wire: Wire, chance: random.Random) -> None:
        self._wire = wire
        self._chance = chance
        self._before: Payload | None = None
        self.owed = Owed()

    async def act(self) -> None:
        """Use all ways in, in any order, within `ROUND` seconds."""
        ways: list[Callable[[str], Awaitable[None]]] = [
            *(
                self._post,
                self._edit_words,
                self._edit_answered,
                self.write_directly,
                self._burst,
                self._delete,
            ),
            *(self._command, self._private_command, self._command_by_dm, self._menu),
        ]
        self._chance.shuffle(ways)
        for way in ways:
            await way(self.owed.channels[-1])
            await asyncio.sleep(self._chance.uniform(0, 2 * ROUND / len(ways)))

    def is_content(self) -> bool:
        """Whether all that is owed is there."""
        return self.answers() == self.owed.images and not self.waiting() and self.direct() >= self.promised()

    def answers(self) -> dict[str, int]:
        """How many images the answers to each message name."""
        found: Counter[str] = Counter()
        for channel in [*self.owed.channels, self._wire.world.dm(self._wire.world.person)]:
            for answer in self._wire.world.answers(channel):
                source = answer.get("message_reference", {}).get("message_id")
                for embed in answer["embeds"]:
                    link = str(embed.get("author", {}).get("url", "")).rpartition("/")[2]
                    found.update([link or source] if link or source else [])
        return dict(found)

    def waiting(self) -> list[str]:
        """The responses that still say "thinking...", or say something else than what was asked for."""
        return [
            str(response)
            for interaction in self.owed.interactions + self.owed.by_dm
            for response in [self._response(interaction)]
            if response is not None and (response["flags"] & LOADING or not _is_answer(response))
        ]

    def direct(self) -> Counter[str]:
        """The names of the pictures in answers by direct message to commands.

        After some kills answers to direct messages may be merged: these name an author, and reply to nothing.
        """
        answers = self._wire.world.answers(self._wire.world.dm(self._wire.world.person))
        return Counter(
            embed["title"]
            for answer in answers
            if "message_reference" not in answer
            for embed in answer["embeds"]
            if "author" not in embed
        )

    def promised(self) -> Counter[str]:
        """Those that were to come."""
        return Counter(
            attachment["filename"]
            for interaction in self.owed.by_dm
            if interaction.callback is not None
            for attachment in interaction.payload["data"]["resolved"]["attachments"].values()
        )

    def _response(self, interaction: Interaction) -> Payload | None:
        if not interaction.message_ids:  # killed before it was acknowledged: Discord tells the asker
            return None
        return self._wire.world.messages[interaction.channel_id][interaction.message_ids[0]]

    async def _post(self, channel: str) -> None:
        self._before = await self._owe(await self._wire.post(PICTURE, channel=channel))

    async def _owe(self, message: Payload, images: int = 1) -> Payload:
        self.owed.images[message["id"]] = images
        return message

    async def _edit_words(self, channel: str) -> None:
        message = await self._wire.post(content="wait for it", channel=channel)
        await asyncio.sleep(self._chance.choice([0, 0.05]))
        await self._edit(message, channel)

    async def _edit_answered(self, channel: str) -> None:
        if self._before is not None and self._before["id"] not in self.owed.gone:
            await self._edit(self._before, self._before["channel_id"])

    async def _edit(self, message: Payload, channel: str) -> None:
        attachments = [*message["attachments"], self._wire.attachment(channel, *PICTURE)]
        now = discord.utils.utcnow().isoformat()
        await self._owe(message, len(attachments))
        await self._wire.edit(message, attachments=attachments, edited_timestamp=now)

    async def write_directly(self, _channel: str = "") -> None:
        await self._owe(await self._wire.post_dm(PICTURE))

    async def _burst(self, channel: str) -> None:
        for _ in range(7):
            await self._owe(await self._wire.post(PICTURE, channel=channel))

    async def _delete(self, channel: str) -> None:
        message = await self._wire.post(PICTURE, channel=channel)
        await asyncio.sleep(self._chance.choice([0, 0.05, 0.1]))
        self.owed.gone.add(message["id"])
        await self._wire.delete(message)

    async def _command(self, _channel: str) -> None:
        self.owed.interactions.append(await self._wire.slash("classify", PICTURE))

    async def _private_command(self, _channel: str) -> None:
        self.owed.interactions.append(await self._wire.slash("classify", PICTURE, PICTURE, private=True))

    async def _command_by_dm(self, _channel: str) -> None:
        name = f"{len(self.owed.by_dm)}.png"
        self.owed.by_dm.append(await self._wire.slash("classify", (name, PICTURE[1]), dm=True))

    async def _menu(self, _channel: str) -> None:
        if self._before is not None:
            self.owed.interactions.append(await self._wire.menu(MENU, self._before))


def _is_answer(response: Payload) -> bool:
    return LABEL in str(response) or "Sent to your DMs" in str(response)


@contextmanager
def killing(wire: Wire, bot: Fork, chance: random.Random) -> Iterator[None]:
    """Kill the bot within: after some time, or when one of its requests is done and not answered yet."""
    last = len(wire.world.requests) + chance.randrange(60)
    changed = wire.world.changed

    def count() -> None:
        changed()
        if len(wire.world.requests) > last:
            bot.kill()

    if chance.random() < 0.5:
        timer = asyncio.get_running_loop().call_later(chance.uniform(0, 2 * ROUND), bot.kill)
        yield
        timer.cancel()
        return
    with patch.object(wire.world, "changed", count):
        yield


@asynccontextmanager
async def running(wire: Wire, data: Path, chance: random.Random) -> AsyncIterator[Fork]:
    """A bot, once it is connected. Discord has forgotten what it knew of nonces since the last one."""
    wire.world.nonces.clear()
    wire.gateway.sessions.clear()
    async with forked(wire, data, ENOUGH, seconds=chance.uniform(0, 0.1), ready=0.05) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        yield bot


def are_struck_out(data: Path) -> bool:
    return rows(data, "open_message") + rows(data, "open_interaction") == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", range(-(-RUNS // IN_A_ROW)))
async def test_killed_at_any_instant_it_answers_each_once(wire: Wire, tmp_path: Path, run: int) -> None:
    chance = random.Random(run)  # noqa: S311 - no secret
    people = People(wire, chance)
    async with running(
        wire, tmp_path, chance
    ):  # whoever has never written to it, Discord tells it nothing of
        await people.write_directly()
        await wire.world.until(lambda: people.answers() == people.owed.images)
    for _ in range(IN_A_ROW):
        people.owed.channels.append(wire.world.add_channel("lively"))
        async with running(wire, tmp_path, chance) as bot:
            with killing(wire, bot, chance):
                await people.act()
    async with running(wire, tmp_path, chance):
        with suppress(AssertionError):  # what is wrong is said below in fewer words
            await wire.world.until(lambda: people.is_content() and are_struck_out(tmp_path), patience=30)
        await asyncio.sleep(0.3)  # time for one too many
    assert are_struck_out(tmp_path)
    assert people.answers() == people.owed.images
    assert people.waiting() == []
    assert people.direct() == people.promised()
