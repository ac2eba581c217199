"""Answer an interaction: at once in one line, or where its deferred response is waiting."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar

import discord

from bot.buttons import AnswerButtons
from bot.delivery.channel_permissions import FAILURES, GONE
from bot.delivery.destination import ApartFromImages, Delivered, Fate, Promise, message_body
from bot.delivery.direct_messages import send_directly, send_file_directly
from bot.discord_limits import MESSAGE_CONTENT
from bot.i18n import Language
from bot.presentation.answer import Answer

log = logging.getLogger(__name__)

Edit = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class InteractionResponse(ApartFromImages):
    """The response to a command or a button, as a destination.

    `interaction_id` and `asker` say what is answered, and whom. `edit` edits the deferred response: an edit
    counts as no follow-up, of which a user-installed app has only five. `interaction` is None for one that an
    earlier run of the bot has deferred. `by_dm`: the answer goes to the asker's direct messages, and the
    response tells so; it must be private then. `in_dm`: it stands in the bot's own direct messages.
    """

    client: discord.Client
    interaction: discord.Interaction[Any] | None
    interaction_id: int
    asker: discord.abc.Snowflake
    edit: Edit
    language: Language
    private: bool
    by_dm: bool = False
    in_dm: bool = False
    source_link: ClassVar[str] = ""

    @classmethod
    def to(
        cls, interaction: discord.Interaction[Any], language: Language, *, private: bool, by_dm: bool = False
    ) -> InteractionResponse:
        """Make the destination of an interaction that has just come."""
        return cls(
            interaction.client,
            interaction,
            interaction.id,
            interaction.user,
            interaction.edit_original_response,
            language,
            private,
            by_dm,
            in_dm=interaction.context.dm_channel,
        )

    @property
    def pointless_buttons(self) -> frozenset[str]:
        """Whoever alone sees an answer can dismiss it, and a direct message needs no copy in one."""
        direct, dismissed = self.by_dm or self.in_dm, self.private and not self.by_dm
        return frozenset({"dm_button"} if direct else ()) | frozenset({"delete"} if dismissed else ())

    async def admits(self) -> bool:
        """Return True: an interaction can always be answered."""
        return True

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[Promise | None]:
        """Defer the response, unless an earlier run has done so."""
        yield Promise() if self.interaction is None else await defer(self.interaction, private=self.private)

    async def refuse(self, line: str, reaction: str) -> None:  # noqa: ARG002 - for messages
        """Say so to the asker alone."""
        if self.interaction is not None:
            await say(self.interaction, line)

    async def deliver(self, answer: Answer, buttons: AnswerButtons | None) -> Delivered:
        """Put the answer where the deferred response is waiting, or send it by direct message."""
        if self.by_dm:
            sent = await send_directly(
                self.client,
                self.asker,
                answer,
                self.language,
                source_id=self.interaction_id,
                buttons=buttons,
                again=self.interaction is None,
            )
            if isinstance(sent, str):
                note = f"{sent}\n{answer.note}".strip()
                answer = Answer(note[:MESSAGE_CONTENT], answer.embeds)
            else:
                done = self.language.gettext("Sent to your DMs: {link}").format(link=sent.jump_url)
                answer, buttons = Answer.line(done), None
        view = buttons.view() if buttons else None
        return Delivered(await _edit(self.edit, self.interaction_id, answer, view))


async def defer(interaction: discord.Interaction[Any], *, private: bool) -> Promise | None:
    """Tell Discord, which waits three seconds, that an answer is coming; None if it no longer waits."""
    try:
        told = await interaction.response.defer(ephemeral=private, thinking=True)
    except FAILURES as failure:
        log.warning("The interaction %d could not be acknowledged: %s", interaction.id, failure)
        return None
    return Promise(told.message_id if told else None)


async def say(interaction: discord.Interaction[Any], line: str) -> None:
    """Say one line to the asker only, or, where an answer was promised already, in its place."""
    if interaction.response.is_done():
        await _edit(interaction.edit_original_response, interaction.id, Answer.line(line), None)
        return
    try:
        await interaction.response.send_message(line, ephemeral=True)
    except FAILURES as failure:
        log.warning("The interaction %d could not be answered: %s", interaction.id, failure)


async def hand_over(
    interaction: discord.Interaction[Any], name: str, data: bytes, line: str, language: Language
) -> None:
    """Send a file to the asker's direct messages, or where that cannot be put it into the deferred response.

    `line` is said with it; the response is for the asker's eyes only.
    """
    sent = await send_file_directly(
        interaction.client,
        interaction.user,
        discord.File(BytesIO(data), name),
        line,
        language,
        source_id=interaction.id,
    )
    if not isinstance(sent, str):
        await say(interaction, language.gettext("Sent to your DMs: {link}").format(link=sent.jump_url))
        return
    try:
        file = discord.File(BytesIO(data), name)
        await interaction.edit_original_response(content=sent, attachments=[file])
    except FAILURES as failure:
        log.warning("The response to the interaction %d could not be sent: %s", interaction.id, failure)


async def _edit(edit: Edit, interaction_id: int, answer: Answer, view: discord.ui.View | None) -> Fate:
    try:
        await edit(**message_body(answer, embeds=True), view=view)
    except discord.HTTPException as error:
        level = logging.INFO if error.code in GONE else logging.WARNING
        log.log(level, "The response to the interaction %d could not be sent: %s", interaction_id, error)
        return Fate.POSTPONED if isinstance(error, discord.DiscordServerError) else Fate.DROPPED
    except FAILURES as failure:
        log.warning("The response to the interaction %d could not be sent: %s", interaction_id, failure)
        return Fate.POSTPONED
    return Fate.SENT
