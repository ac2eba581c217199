"""What happens to an image in a message: in a watched channel, with a mention, in a direct message."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot.answering.answerer import granted, written
from bot.delivery.replies import Replies
from bot.intake.message_images import Source, images_of
from bot.intake.message_requests import Request, asked_for, unasked, without_wishes
from bot.policy.audience import is_asked, is_heard, replied_to
from bot.presentation.answer import Answer
from bot.presentation.errors import UNEXPECTED
from bot.presentation.help_texts import word_of_help
from bot.store import StoreError

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Watch"]

log = logging.getLogger(__name__)


class Watch(commands.Cog):
    """Answers messages."""

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot
        self.replies = Replies(bot)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """From a message to its answer."""
        with self.bot.ledger.reading(message):
            await self.work_on(message, self.read)

    async def read(self, message: discord.Message) -> None:
        """Answer a message, if it asks something or has images where these are watched."""
        asked, images = is_asked(self.bot, message), images_of(message, self.bot.settings.watch)
        if images or not self.replies.recent.is_whole(message.id):
            self.replies.recent.saw(message.id, images)
        if asked:
            await self._ask(message, images)
        elif images and (request := await unasked(self.bot, message, images)):
            await self.answer(request)

    async def _ask(self, message: discord.Message, images: Sequence[Source]) -> None:
        """Somebody asks about these images, else about those of the message that they reply to."""
        other = None if images else replied_to(message)
        images = images_of(other, self.bot.settings.watch) if other else images
        request = await asked_for(self.bot, message, images, pictured=other)
        if request.images:
            await self.answer(request)
        else:
            await self._say(request, word_of_help(self.bot, request))

    async def answer(self, request: Request) -> bool:
        """Name the images of a request. False: it is not answered, and still may be."""
        if request.manner == "react":
            await self.replies.offer(request)
            return False
        if not await self.replies.possible(request):
            return False
        if not await self.replies.claim(request):
            return True
        grant = await granted(self.bot, request)
        if not grant.images:
            await self.replies.refuse(request, grant)
            return False
        async with self.bot.ledger.message(request):
            with self.replies.working_on(request.sources):
                answer = await written(self.bot, request, grant)
            return answer is None or await self.replies.send(request, *answer)

    async def _say(self, request: Request, line: str) -> None:
        """A word instead of a name; it counts like an image, or the bot could be made to talk without end."""
        if not await self.replies.possible(request) or not await self.replies.claim(request):
            return
        grant = await granted(self.bot, request, 1)
        if grant.images:
            await self.replies.send(request, Answer.line(line))
        else:
            await self.replies.refuse(request, grant)

    async def work_on(
        self, message: discord.Message, step: Callable[[discord.Message], Awaitable[None]]
    ) -> None:
        """Take one step with a message that counts, one at a time; if it fails, its author is told so."""
        if self.bot.stopping or not is_heard(self.bot, message):
            return
        with self.bot.in_hand():
            async with self.replies.turn(message.id):
                try:
                    await step(message)
                except StoreError as error:
                    log.warning("Nobody knows who wishes to be left alone: nothing is looked at. %s", error)
                    if is_asked(self.bot, message):
                        await self._fail(message)
                except Exception:
                    log.exception("A message could not be answered, and nobody knows why")
                    await self._fail(message)

    async def _fail(self, message: discord.Message) -> None:
        request = without_wishes(self.bot, message)
        await self.replies.send(request, Answer.line(request.language.gettext(UNEXPECTED)))
