"""Take messages in, one at a time each, and tell their authors when that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.answering.answerer import Answerer
from bot.answering.message_memory import MessageMemory
from bot.delivery.message_replies import OfferReaction
from bot.intake.message_requests import MessageRequests
from bot.intake.read_positions import ReadPositions
from bot.policy.audience import Audience
from bot.presentation.errors import UNEXPECTED
from bot.store import StoreError
from bot.work_in_hand import WorkInHand

log = logging.getLogger(__name__)


class MessageIntake:
    """The way of a message from its event to the `Answerer`."""

    def __init__(
        self,
        *,
        requests: MessageRequests,
        answerer: Answerer,
        audience: Audience,
        memory: MessageMemory,
        positions: ReadPositions,
        work: WorkInHand,
    ) -> None:
        self._requests = requests
        self._answerer = answerer
        self._audience = audience
        self._memory = memory
        self._positions = positions
        self._work = work
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def message_posted(
        self, message: discord.Message, *, missed: bool = False, charged: bool = False
    ) -> None:
        """Answer a message that is new to the bot.

        `missed`: it was posted while the bot was away. `charged`: an earlier run has charged its author.
        """
        with self._positions.reading(message) as replayed:
            await self.take(message, partial(self.read, missed=missed or replayed, charged=charged))

    async def read(self, message: discord.Message, *, missed: bool = False, charged: bool = False) -> None:
        """Answer a message, if it asks something or has images where these are watched."""
        images = self._requests.images_of(message)
        if images or not self._memory.is_whole(message.id):
            self._memory.saw(message.id, images)
        match await self._requests.of_message(message, missed=missed, charged=charged):
            case OfferReaction() as offer:
                await offer.show()
            case None:
                pass
            case request:
                await self._answerer.answer(request)

    async def take(
        self, message: discord.Message, step: Callable[[discord.Message], Awaitable[None]]
    ) -> None:
        """Take one step with a message that counts, while nobody else does; if it fails, say so there."""
        if self._work.stopping or not self._audience.listens_to(message):
            return
        with self._work.hold():
            async with self._turn(message.id):
                try:
                    await step(message)
                except StoreError as error:
                    log.warning(
                        "The message %d is not answered: whether its author wants to be left alone could not "
                        "be read. %s",
                        message.id,
                        error,
                    )
                    if self._requests.is_addressed(message):
                        await self._say_failed(message)
                except Exception:
                    log.exception(
                        "Answering the message %d failed unexpectedly; please report this", message.id
                    )
                    if self._requests.is_addressed(message):
                        await self._say_failed(message)

    def _turn(self, message_id: int) -> asyncio.Lock:
        if (lock := self._turns.get(message_id)) is None:
            self._turns[message_id] = lock = asyncio.Lock()
        return lock

    async def _say_failed(self, message: discord.Message) -> None:
        await self._answerer.report(self._requests.of_failure(message), UNEXPECTED)
