"""A bot that uses the classifier settles in the simulated Discord: also with a worker that dies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import simcord
from discord.ext import commands

from config import settings
from inference.results import InferenceError
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, deed, picture


class Namer(commands.Bot):
    """Answers every attachment with its label."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__("!", intents=discord.Intents.all())
        self.classifier = classifier

    async def setup_hook(self) -> None:
        await self.classifier.start()

    async def on_message(self, message: discord.Message) -> None:
        for attachment in message.attachments:
            async with self.classifier.admit(attachment.size, group=message.guild) as admission:
                try:
                    answer = await admission.classify(await attachment.read())
                except InferenceError as error:
                    await message.reply(error.code)
                else:
                    await message.reply(answer.labels[0].name)


@asynccontextmanager
async def closing(classifier: Classifier) -> AsyncIterator[None]:
    """Outside of the bot, which simcord leaves without closing it."""
    try:
        yield
    finally:
        await classifier.close()


async def test_a_bot_settles_with_its_answers_given() -> None:
    wanted = settings.Settings(worker=settings.Worker(deadline=1.5))
    classifier = Classifier(wanted, load="tests.inference.fakes:load")
    async with closing(classifier), simcord.run(Namer(classifier), settle_timeout=60) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("pictures")
        member = guild.add_member(env.create_user("ada"))

        async def post(*pictures: bytes) -> list[str]:
            before = len(channel.history())
            await member.send(channel, attachments=[(f"{n}.png", data) for n, data in enumerate(pictures)])
            return [message.content for message in channel.history()[before + 1 :]]

        assert await post(picture(7)) == ["shade 7"]
        assert await post(picture(7), b"no picture", deed(Deed.UNSURE, 9)) == [
            "shade 7",
            "not_an_image",
            "shade 9",
        ]
        assert await post(deed(Deed.KILL), picture(3)) == ["harmful_image", "shade 3"]
        assert await post(deed(Deed.HANG), picture(5)) == ["harmful_image", "shade 5"]
        assert await post(picture(4)) == ["shade 4"]
