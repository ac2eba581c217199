"""Where an answer goes: a reply in the channel, a direct message, or the response to an interaction.

Each fits the answer to what is allowed there, and none raises: an answer that cannot be delivered ends in
a reaction or in one line of the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import discord

from bot.i18n import Language
from bot.presentation.answer import CONTENT, Answer

__all__ = [
    "FAILURES",
    "GONE",
    "Allowed",
    "Deferred",
    "allowed_in",
    "defer",
    "direct",
    "directly",
    "respond",
    "say",
    "shape",
    "typing",
]

log = logging.getLogger(__name__)

FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What discord.py raises when Discord refuses, or cannot be reached after its own retries."""
GONE = frozenset({10008, 10015, 10062, 50027})
"""Unknown message, webhook or interaction, expired token: the person is no longer waiting for this answer."""
CLOSED, NO_SHARED_SERVER = 50007, 50278
TYPING = 8.0
"""Seconds between two typing indicators; Discord shows one for ten."""


class Allowed(NamedTuple):
    """What the bot may do where a message stands."""

    send: bool = True
    embeds: bool = True
    reference: bool = True
    react: bool = True


def allowed_in(channel: discord.abc.MessageableChannel, me: discord.Member | None) -> Allowed:
    """Computed from what the gateway told us, without asking Discord. `me` is None in a direct message."""
    if me is None or isinstance(
        channel, discord.PartialMessageable | discord.DMChannel | discord.GroupChannel
    ):
        return Allowed()
    if not isinstance(channel, discord.Thread):
        granted = channel.permissions_for(me)
        send = granted.send_messages
    elif channel.parent is None:
        return Allowed()  # its parent's permissions are not known: Discord will say
    else:
        granted = channel.permissions_for(me)
        closed = channel.archived or (channel.locked and not granted.manage_threads)
        send = granted.send_messages_in_threads and not closed
    see, history = granted.view_channel, granted.read_message_history
    return Allowed(
        send=see and send,
        embeds=granted.embed_links,
        reference=history,
        react=see and history and granted.add_reactions,
    )


@asynccontextmanager
async def typing(channel: discord.abc.Messageable) -> AsyncIterator[None]:
    """Shows "Whatsit is typing…" meanwhile: a courtesy, whose failure or slowness nobody waits for."""
    courtesy = asyncio.create_task(_keep_typing(channel))
    try:
        yield
    finally:
        courtesy.cancel()


async def _keep_typing(channel: discord.abc.Messageable) -> None:
    try:
        while True:
            await channel.typing()
            await asyncio.sleep(TYPING)
    except FAILURES as error:
        log.debug("No typing indicator: %s", error)


class Deferred(NamedTuple):
    """Discord shows that an answer is coming; `response_id` is the message that says so, where it is told."""

    response_id: int | None


async def defer(interaction: discord.Interaction[Any], *, ephemeral: bool) -> Deferred | None:
    """Tell Discord, which waits three seconds, that an answer is coming; None if it no longer waits."""
    try:
        told = await interaction.response.defer(ephemeral=ephemeral, thinking=True)
    except FAILURES as failure:
        log.warning("An interaction could not be acknowledged: %s", failure)
        return None
    return Deferred(told.message_id if told else None)


async def say(interaction: discord.Interaction[Any], line: str) -> None:
    """One line for the asker only, or, where an answer was promised already, in its place."""
    if interaction.response.is_done():
        await respond(interaction, Answer.line(line))
        return
    try:
        await interaction.response.send_message(line, ephemeral=True)
    except FAILURES as failure:
        log.warning("An interaction could not be answered: %s", failure)


async def direct(
    user: discord.abc.Snowflake, answer: Answer, language: Language, *, source_id: int
) -> discord.Message | str:
    """Send the answer to this person alone; the message, or the line that says why it could not be sent.

    `source_id` is what it answers: Discord takes a second message with the same nonce for the first.
    """
    if not isinstance(user, discord.User | discord.Member):
        raise TypeError(f"{user!r} cannot be written to")
    try:
        return await user.send(**shape(answer, embeds=True), nonce=str(source_id))
    except discord.Forbidden as refused:
        if refused.code == CLOSED:
            return language.gettext(
                "Your direct messages are closed to me, so here it is, for your eyes only."
            )
        if refused.code == NO_SHARED_SERVER:
            return language.gettext(
                "We share no server, so I can't write to you. Here it is, for your eyes only."
            )
        log.info("A direct message was refused: %s", refused)
    except FAILURES as failure:
        log.warning("A direct message failed: %s", failure)
    return language.gettext("I couldn't send you a direct message, so here it is, for your eyes only.")


async def directly(interaction: discord.Interaction[Any], answer: Answer, language: Language) -> bool:
    """Send the answer to the asker's direct messages, or, where these are closed, here for the asker only.

    The interaction must have been deferred ephemerally. Returns as `respond` does.
    """
    sent = await direct(interaction.user, answer, language, source_id=interaction.id)
    if isinstance(sent, str):
        note = f"{sent}\n{answer.note}".strip()
        return await respond(interaction, Answer(note[:CONTENT], answer.embeds))
    done = language.gettext("Sent to your DMs: {link}").format(link=sent.jump_url)
    return await respond(interaction, Answer.line(done))


async def respond(
    interaction: discord.Interaction[Any], answer: Answer, view: discord.ui.View | None = None
) -> bool:
    """Put the answer where the deferred response is waiting. False: nobody has it, and a later try may do.

    An edit of the original counts as no follow-up, of which a user-installed app has only five.
    """
    try:
        await interaction.edit_original_response(**shape(answer, embeds=True), view=view)
    except discord.HTTPException as error:
        level = logging.INFO if error.code in GONE else logging.WARNING
        log.log(level, "The response to an interaction could not be sent: %s", error)
        return not isinstance(error, discord.DiscordServerError)
    except FAILURES as failure:
        log.warning("The response to an interaction could not be sent: %s", failure)
        return False
    return True


def shape(answer: Answer, *, embeds: bool) -> dict[str, Any]:
    """The answer as discord.py's `send` and `edit` take it, with embeds or in plain text."""
    if not embeds:
        return {"content": answer.plain}
    return {"content": answer.note or None, "embeds": list(answer.embeds)}
