"""Show where in a picture the model saw what it names, as a picture that only the presser sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import discord

from bot.answering.models import Models
from bot.buttons.image_mark import ImageMark
from bot.delivery.channel_permissions import FAILURES
from bot.delivery.outbox import source_of
from bot.download.downloader import DownloadError, Fetcher
from bot.i18n import N_, Language
from bot.image_source import ImageSource
from bot.policy.effective_settings import guild_settings
from bot.policy.quota import Quota
from bot.presentation.errors import sentence
from bot.presentation.explanation_sheet import explanation_sheet, mapped
from bot.presses.errors import InteractionRefused
from bot.store import Store
from config.settings import Limits
from inference.charts.client import ChartPainter
from inference.results import Explanation, InferenceError, ModelInfo

NOT_FOUND = N_("I can't find the picture any more. Show it to me again with `/classify`.")


class PictureExplaining:
    """Finds the picture of an answer again, and has its heat maps drawn."""

    def __init__(
        self,
        *,
        store: Store,
        models: Models,
        fetcher: Fetcher,
        quota: Quota,
        painter: ChartPainter,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
        limits: Limits,
    ) -> None:
        """`images_of` finds the images of a message."""
        self._store = store
        self._models = models
        self._fetcher = fetcher
        self._quota = quota
        self._painter = painter
        self._images_of = images_of
        self._limits = limits

    async def charge(self, interaction: discord.Interaction[Any], language: Language) -> None:
        """Charge the presser for one picture. Raises `InteractionRefused` if their quota is used up."""
        settings = await guild_settings(self._store, interaction.guild_id)
        grant = self._quota.take(interaction.user.id, 1, guild_id=interaction.guild_id, settings=settings)
        if not grant.images:
            raise InteractionRefused(grant.line(language))

    async def draw(
        self, interaction: discord.Interaction[Any], mark: ImageMark, model: ModelInfo, language: Language
    ) -> bytes:
        """Return a PNG of the picture under a map for each of its likeliest names.

        Raises `InteractionRefused` where the picture is no longer there or cannot be looked at, and
        `ChartFailed`.
        """
        labels = mapped(mark.finding.labels)
        try:
            explained = await self._explained(interaction, mark, model, [label.index for label in labels])
        except (InferenceError, DownloadError) as error:
            raise InteractionRefused(sentence(error, language, self._limits)) from error
        if explained is None:
            raise InteractionRefused(language.gettext(NOT_FOUND))
        return await self._painter.draw(explanation_sheet(explained, labels, language))

    async def _explained(
        self, interaction: discord.Interaction[Any], mark: ImageMark, model: ModelInfo, classes: list[int]
    ) -> Explanation | None:
        """Return the maps of `classes` in the picture of `mark`; None where it is not found any more."""
        charge = partial(self._quota.charge, interaction.user.id, interaction.guild_id)
        most = self._limits.image_bytes
        for image in await self._images(interaction, mark):
            size = most if image.size is None else min(image.size, most)
            async with self._models.admit(size, group=interaction.guild_id, model=model.name) as admission:
                data = await self._fetcher.fetch(image.url, size=image.size, dimensions=image.dimensions)
                named = await admission.classify(data, on_cost=charge)
                if named.labels[0].index == classes[0]:
                    return await admission.explain(data, classes, on_cost=charge)
            # It is another one: a file of the message that turned out to be no picture has no place here.
        return None

    async def _images(self, interaction: discord.Interaction[Any], mark: ImageMark) -> Sequence[ImageSource]:
        """Return the pictures of the answer, the one that is meant first; the likely other ones after it."""
        answer = await self._answer(interaction, mark)
        if answer is None:
            return ()
        embed = answer.embeds[mark.image] if mark.image < len(answer.embeds) else None
        if embed and embed.thumbnail.url:
            return [ImageSource(embed.thumbnail.url, "", "attachment")]
        replied = answer.reference.message_id if answer.reference else None
        source_id = (source_of(embed) if embed else None) or replied
        if source_id is None or not isinstance(interaction.channel, discord.abc.Messageable):
            return ()
        try:
            images = self._images_of(await interaction.channel.fetch_message(source_id))
        except FAILURES:
            return ()
        before = [each for each in answer.embeds[: mark.image] if source_of(each) == source_id]
        index = len(before) if embed and source_of(embed) else mark.image
        return [*images[index:], *images[:index]]

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
