"""Find the picture again that a button under an answer is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import discord

from bot.buttons.image_mark import ImageMark
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.outbox import source_of
from bot.image_source import ImageSource


class PictureOfAnswer(NamedTuple):
    """The pictures that it can be, the likeliest first, and the message they are in, if that is known."""

    images: Sequence[ImageSource] = ()
    message: discord.Message | None = None


class AnswerPictureLookup:
    """Reads the answer that a button stands under, and the message that it answers."""

    def __init__(self, images_of: Callable[[discord.Message], Sequence[ImageSource]]) -> None:
        """`images_of` finds the images of a message."""
        self._images_of = images_of

    async def find(self, interaction: discord.Interaction[Any], mark: ImageMark) -> PictureOfAnswer:
        """Return the picture of `mark`, and after it others of its message; none where it is gone."""
        answer = await self._answer(interaction, mark)
        if answer is None:
            return PictureOfAnswer()
        embed = answer.embeds[mark.image] if mark.image < len(answer.embeds) else None
        if embed and embed.thumbnail.url:
            return PictureOfAnswer([ImageSource(embed.thumbnail.url, "", "attachment")])
        replied = answer.reference.message_id if answer.reference else None
        source_id = (source_of(embed) if embed else None) or replied
        if source_id is None or not isinstance(interaction.channel, discord.abc.Messageable):
            return PictureOfAnswer()
        try:
            message = await interaction.channel.fetch_message(source_id)
        except FAILURES:
            return PictureOfAnswer()
        images = self._images_of(message)
        before = [each for each in answer.embeds[: mark.image] if source_of(each) == source_id]
        index = len(before) if embed and source_of(embed) else mark.image
        return PictureOfAnswer([*images[index:], *images[:index]], message)

    async def _answer(self, interaction: discord.Interaction[Any], mark: ImageMark) -> discord.Message | None:
        """Return the answer that is meant: the message that was pressed, or the one that it tells more of."""
        message = interaction.message
        if message is None or mark.answer in (0, message.id):
            return message
        if not isinstance(interaction.channel, discord.abc.Messageable):
            return None
        try:
            return await interaction.channel.fetch_message(mark.answer)
        except FAILURES:  # it was for the presser's eyes alone, or it is gone
            return None
