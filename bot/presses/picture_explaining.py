"""Show where in a picture the model saw what it names, as a picture that only the presser sees."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import discord

from bot.answering.image_fetching import ImageFetching
from bot.buttons.image_mark import ImageMark
from bot.download.downloader import DownloadError
from bot.i18n import N_, Language
from bot.policy.effective_settings import guild_settings
from bot.policy.quota import Quota
from bot.presentation.errors import sentence
from bot.presentation.explanation_sheet import explanation_sheet, mapped
from bot.presentation.taught_name import TaughtName
from bot.presses.answer_picture import AnswerPictureLookup
from bot.presses.errors import InteractionRefused
from bot.store import Store
from config.settings import Limits
from inference.charts.client import ChartPainter
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed
from inference.results import Classification, Explanation, InferenceError, ModelInfo

log = logging.getLogger(__name__)

NOT_FOUND = N_("I can't find the picture any more. Show it to me again with `/classify`.")


class PictureExplaining:
    """Finds the picture of an answer again, and has its heat maps drawn."""

    def __init__(
        self,
        *,
        store: Store,
        fetching: ImageFetching,
        quota: Quota,
        painter: ChartPainter,
        lookup: AnswerPictureLookup,
        knowledge: Knowledge,
        limits: Limits,
    ) -> None:
        self._store = store
        self._fetching = fetching
        self._quota = quota
        self._painter = painter
        self._lookup = lookup
        self._knowledge = knowledge
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
        """Return a PNG of the picture under a map for each of its likeliest names, the taught one first.

        Raises `InteractionRefused` where the picture is no longer there or cannot be looked at, and
        `ChartFailed`.
        """
        labels = mapped(mark.finding.labels)
        name = await self.taught_name(interaction.guild_id, mark)
        try:
            explained = await self._explained(interaction, mark, model, [label.index for label in labels])
        except (InferenceError, DownloadError) as error:
            raise InteractionRefused(sentence(error, language, self._limits)) from error
        if explained is None:
            raise InteractionRefused(language.gettext(NOT_FOUND))
        maps, is_taught = explained
        taught = name if is_taught else None
        return await self._painter.draw(explanation_sheet(maps, labels, language, taught))

    async def taught_name(self, guild_id: int | None, mark: ImageMark) -> TaughtName | None:
        """Return the taught label that an answer said; None where it said none, or that is gone.

        Raises a `StoreError`.
        """
        if guild_id is None or mark.taught is None:
            return None
        name = (await self._store.teaching.names(guild_id)).get(mark.taught)
        return None if name is None else TaughtName(mark.taught, name, mark.few)

    async def _explained(
        self, interaction: discord.Interaction[Any], mark: ImageMark, model: ModelInfo, classes: list[int]
    ) -> tuple[Explanation, bool] | None:
        """Return the maps of the picture of `mark`, and whether the first is that of its taught label.

        None where the picture is not found any more.
        """
        charge = partial(self._quota.charge, interaction.user.id, interaction.guild_id)
        taught = mark.taught is not None
        for image in (await self._lookup.find(interaction, mark)).images:
            async with self._fetching.admit(image, group=interaction.guild_id, model=model.name) as admission:
                data = await self._fetching.fetch(image)
                named = await admission.classify(data, on_cost=charge, features=taught)
                if named.labels[0].index == mark.finding.labels[0].index:
                    direction = await self._direction(interaction.guild_id, mark, named)
                    wanted: list[int | bytes] = [*([direction] if direction else []), *classes]
                    return await admission.explain(data, wanted, on_cost=charge), direction is not None
            # It is another one: a file of the message that turned out to be no picture has no place here.
        return None

    async def _direction(self, guild_id: int | None, mark: ImageMark, named: Classification) -> bytes | None:
        """Return what speaks for the taught label of `mark`; None where it has none (any more)."""
        kind = named.fingerprint_kind
        if mark.taught is None or guild_id is None or kind is None or named.fingerprint is None:
            return None
        if mark.taught not in await self._store.teaching.names(guild_id):
            return None
        try:
            return await self._knowledge.direction(guild_id, kind, mark.taught, named.fingerprint)
        except KnowledgeFailed as failure:
            log.warning("What the server %d taught could not be asked. %s", guild_id, failure)
            return None
