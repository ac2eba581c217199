"""Send an answer to one person alone."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.buttons import AnswerButtons
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.destination import message_body
from bot.i18n import Language
from bot.presentation.answer import Answer

log = logging.getLogger(__name__)

CLOSED, NO_SHARED_SERVER = 50007, 50278
SEARCHED = 50
"""Direct messages that are looked through for one that an earlier run may have sent."""


async def send_directly(
    client: discord.Client,
    user: discord.abc.Snowflake,
    answer: Answer,
    language: Language,
    *,
    source_id: int,
    nonce: str | None = None,
    buttons: AnswerButtons | None = None,
    again: bool = False,
) -> discord.Message | str:
    """Send the answer; return the message, or the sentence that says why it could not be sent.

    `source_id` is what it answers. Discord takes a second message with the same `nonce` for the first; None
    makes it from `source_id`. `again`: an earlier run may have sent it before it crashed, and Discord forgets
    nonces, so it is first looked for.
    """
    try:
        channel = await client.create_dm(user)
        body = message_body(answer, embeds=True)
        if buttons is not None and (view := buttons.view()):
            body["view"] = view
        if again and (sent := await _already_sent(client, channel, body, source_id)):
            return sent
        return await channel.send(**body, nonce=nonce or str(source_id))
    except FAILURES as failure:
        return _why_not(failure, user, language)


async def send_file_directly(
    client: discord.Client,
    user: discord.abc.Snowflake,
    file: discord.File,
    line: str,
    language: Language,
    *,
    source_id: int,
) -> discord.Message | str:
    """Send a file with one line; return the message, or the sentence that says why it could not be sent.

    `source_id` is the command that asked for it.
    """
    try:
        channel = await client.create_dm(user)
        return await channel.send(line, file=file, nonce=str(source_id))
    except FAILURES as failure:
        return _why_not(failure, user, language)


def _why_not(failure: Exception, user: discord.abc.Snowflake, language: Language) -> str:
    """Return the sentence for a direct message that could not be sent."""
    code = getattr(failure, "code", None)
    if code == CLOSED:
        return language.gettext("You don't accept direct messages from me, so here it is; only you see it.")
    if code == NO_SHARED_SERVER:
        return language.gettext(
            "We don't share a server, so I can't message you. Here it is; only you see it."
        )
    if isinstance(failure, discord.Forbidden):
        log.info("The direct message to the user %d was refused: %s", user.id, failure)
    else:
        log.warning("The direct message to the user %d could not be sent: %s", user.id, failure)
    return language.gettext("I couldn't send you a direct message, so here it is; only you see it.")


async def _already_sent(
    client: discord.Client, channel: discord.DMChannel, body: Mapping[str, Any], source_id: int
) -> discord.Message | None:
    """Return the message with this body that was sent after its source; None if there is none."""
    wanted = _words(body.get("content"), body.get("embeds", ()))
    async for message in channel.history(limit=SEARCHED, after=discord.Object(source_id)):
        if message.author == client.user and _words(message.content, message.embeds) == wanted:
            return message
    return None


def _words(content: str | None, embeds: Sequence[discord.Embed]) -> list[tuple[str | None, str | None]]:
    """Return what people read of a message; of the rest, Discord changes addresses."""
    return [(None, content or None), *((embed.title, embed.description) for embed in embeds)]
