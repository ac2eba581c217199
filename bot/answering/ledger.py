"""Write down what is accepted and not answered yet, so that a crash forgets no image.

A store that fails costs a line in the log and the certainty that a crash forgets nothing, never an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, TypedDict

import discord

from bot.answering.request import InteractionOrigin, Request
from bot.delivery.destination import Promise
from bot.image_source import fingerprint
from bot.policy.quota import Grant
from bot.store import Store
from bot.store.store_guard import StoreGuard
from bot.tracing.request_tracing import RequestTrace
from bot.work_in_hand import WorkInHand


class _AnswerPlace(TypedDict):
    answer_id: int
    channel_id: int
    guild_id: int | None
    user_id: int
    images: int | None


class Ledger:
    """The bot's account of its open work; catching up reads it after a crash or a lost session."""

    def __init__(self, store: Store, guard: StoreGuard, work: WorkInHand) -> None:
        self._store = store
        self._guard = guard
        self._work = work
        self._in_work: set[int] = set()
        self._left_open: set[int] = set()

    @asynccontextmanager
    async def open(self, request: Request, grant: Grant, trace: RequestTrace) -> AsyncIterator[None]:
        """Write down that a request is accepted, and strike it out afterwards unless it is left open."""
        identity = request.origin.identity
        self._in_work.add(identity)
        self._left_open.discard(identity)
        try:
            with trace.stage("ledger"):
                await self._accept(request, grant)
            yield
        except asyncio.CancelledError:
            if self._work.stopping:  # the time to finish is over; a deletion cancels too
                self._left_open.add(identity)
            raise
        finally:
            self._in_work.discard(identity)
            if identity not in self._left_open:
                if isinstance(request.origin, InteractionOrigin):
                    await self.strike_interaction(identity)
                else:
                    await self.strike_message(identity)

    @asynccontextmanager
    async def open_press(self, interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
        """Write an interaction without images down before it is deferred, and strike it out afterwards.

        After a crash nobody can finish it, but the deferred response is ended.
        """
        self._in_work.add(interaction.id)
        try:
            await self._guard.write(
                self._store.work.accept_interaction,
                interaction_id=interaction.id,
                application_id=interaction.application_id,
                token=interaction.token,
                channel_id=interaction.channel_id,
                guild_id=interaction.guild_id,
                user_id=interaction.user.id,
                images=[],
                options={
                    "locale": interaction.locale.value,
                    "guild_locale": interaction.guild_locale.value if interaction.guild_locale else None,
                },
            )
            yield
        finally:
            self._in_work.discard(interaction.id)
            await self.strike_interaction(interaction.id)

    async def _accept(self, request: Request, grant: Grant) -> None:
        match request.origin:
            case InteractionOrigin(revived=True):
                pass  # it is written down already
            case InteractionOrigin() as origin:
                until = int(grant.until.timestamp()) if grant.until else None
                await self._guard.write(
                    self._store.work.accept_interaction,
                    interaction_id=origin.interaction_id,
                    application_id=origin.application_id,
                    token=origin.token,
                    channel_id=origin.channel_id,
                    guild_id=request.guild_id,
                    user_id=request.asker.id,
                    images=[asdict(image) for image in request.images[: grant.images]],
                    options={**origin.options, "refused": grant.refused, "until": until},
                )
            case origin:
                await self._guard.write(
                    self._store.work.accept_message,
                    message_id=origin.message_id,
                    channel_id=origin.channel_id,
                    guild_id=request.guild_id,
                    user_id=request.asker.id,
                    asked=origin.asked and not origin.edited,  # an edit is no click to be taken again
                )

    async def promised(self, request: Request, promise: Promise) -> None:
        """Note which message is the deferred response of an interaction."""
        if isinstance(request.origin, InteractionOrigin) and promise.response_id is not None:
            await self._guard.write(
                self._store.work.know_response, request.origin.interaction_id, promise.response_id
            )

    async def answered(self, request: Request, answer: discord.Message) -> None:
        """Strike a message out and note its answer, which goes when one of the request's sources does."""
        if isinstance(request.origin, InteractionOrigin):
            return
        where: _AnswerPlace = {
            "answer_id": answer.id,
            "channel_id": answer.channel.id,
            "guild_id": answer.guild.id if answer.guild else None,
            "user_id": request.asker.id,
            "images": fingerprint(request.images),
        }
        message_id = request.origin.message_id
        await self._guard.write(self._store.work.answered, message_id, **where)
        if others := request.source_ids - {message_id}:
            await self._guard.write(self._store.answers.add, source_ids=others, **where)

    async def found_answered(self, message: discord.Message, answer: discord.Message, asker_id: int) -> None:
        """Note the answer to a message that a crash may have kept from being noted."""
        await self._guard.write(
            self._store.answers.add,
            source_ids=[message.id],
            answer_id=answer.id,
            channel_id=answer.channel.id,
            guild_id=message.guild.id if message.guild else None,
            user_id=asker_id,
        )

    async def strike_message(self, message_id: int) -> None:
        """Note that a message is done, with or without an answer."""
        await self._guard.write(self._store.work.strike_message, message_id)

    async def strike_interaction(self, interaction_id: int) -> None:
        """Note that an interaction is done, or cannot be answered any more."""
        await self._guard.write(self._store.work.strike_interaction, interaction_id)

    def leave_open(self, request: Request) -> None:
        """Do not strike the request out: the next start or new session is to try again."""
        if request.origin.identity in self._in_work:
            self._left_open.add(request.origin.identity)

    def was_left_open(self, identity: int) -> bool:
        """Return whether it was left open when this process was at work on it last."""
        return identity in self._left_open

    def in_work(self, identity: int) -> bool:
        """Return whether this process is at work on a message or interaction."""
        return identity in self._in_work
