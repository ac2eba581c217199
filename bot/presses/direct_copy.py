"""Copy an answer for somebody's direct messages, where it no longer stands under its pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import discord

from bot.delivery.channel_permissions import FAILURES
from bot.delivery.outbox import source_of
from bot.discord_limits import MESSAGE_CONTENT
from bot.i18n import Language
from bot.image_source import ImageSource
from bot.presentation.answer import Answer, link_to


async def direct_copy(
    answer: discord.Message, images_of: Callable[[discord.Message], Sequence[ImageSource]], language: Language
) -> Answer:
    """Return the answer with its pictures, and with a link where there is room.

    `images_of` finds the images of a message. A spoiler is not shown, and where the message with the pictures
    cannot be read none is.
    """
    linked = f"{answer.content}\n{link_to(answer.jump_url, language)}".strip()
    note = linked if len(linked) <= MESSAGE_CONTENT else answer.content
    embeds = [embed.copy() for embed in answer.embeds] or [discord.Embed()]
    replied = answer.reference.message_id if answer.reference else None
    by_source: dict[int, list[discord.Embed]] = {}
    for embed in embeds:
        if not embed.thumbnail and (source_id := source_of(embed) or replied):
            by_source.setdefault(source_id, []).append(embed)
    for source_id, group in by_source.items():
        for embed, image in zip(group, await _images(answer, source_id, images_of), strict=False):
            if not image.spoiler:
                embed.set_thumbnail(url=image.url)
    return Answer(note, tuple(embed for embed in embeds if embed))


async def _images(
    answer: discord.Message, source_id: int, images_of: Callable[[discord.Message], Sequence[ImageSource]]
) -> Sequence[ImageSource]:
    source = answer.reference.resolved if answer.reference else None
    if not isinstance(source, discord.Message) or source.id != source_id:
        try:
            source = await answer.channel.fetch_message(source_id)
        except FAILURES:  # it is gone, or the bot may not read there: the words are still worth sending
            return ()
    return images_of(source)
