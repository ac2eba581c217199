"""From pictures that show what a word means to the examples that are kept of them: fingerprints alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import discord

from bot.answering.image_fetching import ImageFetching
from bot.answering.models import Models
from bot.download.downloader import DownloadError, Gone
from bot.image_source import ImageSource
from bot.policy.opt_out import is_left_alone
from bot.policy.quota import Grant, Quota
from bot.presentation.plain_text import shorten
from bot.store import Store, StoreError
from bot.store.taught_results import LABEL_NAME, NewExample, TaughtLesson, TeachingRefused
from inference.knowledge.client import Knowledge
from inference.knowledge.results import KnowledgeFailed
from inference.results import Classification, InferenceError, ModelInfo, ModelUnavailable

log = logging.getLogger(__name__)

LIKELY = 3
"""Names of a picture among which the one has to be that an answer gave it first."""


class ShownPicture(NamedTuple):
    """A picture that shows what a label means: whose it is, and which message it is in, if it is in one.

    `likeliest` is the class that the model named it first, where it has to be found among `others` of its
    message: not every file that looks like a picture is one.
    """

    image: ImageSource
    user_id: int
    channel_id: int | None = None
    message_id: int | None = None
    others: Sequence[ImageSource] = ()
    likeliest: int | None = None


class Lesson(NamedTuple):
    """What was taught, None where no picture could be looked at; and the files that could not, and why.

    `grant` says how many pictures were over the limit.
    """

    taught: TaughtLesson | None
    failed: Sequence[tuple[str, Exception]]
    grant: Grant


class ModelCannotBeTaught(TeachingRefused):
    """The model that answers in this server gives no fingerprints."""

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} gives no fingerprints")
        self.model = model


class PosterLeftAlone(TeachingRefused):
    """Whoever posted the picture wants their pictures left alone; `own`: that is who asks."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("the poster wants their pictures left alone")
        self.own = own


class TeachingOverQuota(TeachingRefused):
    """The limit of pictures a minute is used up."""

    def __init__(self, grant: Grant) -> None:
        super().__init__("the limit is used up")
        self.grant = grant


class LabelNeedsName(TeachingRefused):
    """A label's name is nothing but blanks."""


class Teacher:
    """Has pictures looked at, and keeps what they teach."""

    def __init__(
        self,
        *,
        store: Store,
        models: Models,
        fetching: ImageFetching,
        quota: Quota,
        knowledge: Knowledge,
    ) -> None:
        self._store = store
        self._models = models
        self._fetching = fetching
        self._quota = quota
        self._knowledge = knowledge

    async def model(self, guild_id: int) -> ModelInfo:
        """Return the model that answers in a server now. Raises a `StoreError`."""
        return self._models.info_of((await self._store.guilds.get(guild_id)).model)

    async def teach(
        self,
        teacher: discord.abc.Snowflake,
        guild_id: int,
        name: str | None,
        pictures: Sequence[ShownPicture],
    ) -> Lesson:
        """Teach a server's label, or "none of these", by pictures; each counts as one that was asked about.

        Raises a `TeachingRefused` or a `StoreError`, and then nothing was taught.
        """
        clean = None if name is None else label_name(name)
        if (info := await self.model(guild_id)).fingerprints is None:
            raise ModelCannotBeTaught(info.name)
        for user_id in {picture.user_id for picture in pictures}:
            if is_left_alone(await self._store.members.get(user_id)):
                raise PosterLeftAlone(own=user_id == teacher.id)
        grant = self._quota.take(
            teacher.id, len(pictures), guild_id=guild_id, settings=await self._store.guilds.get(guild_id)
        )
        if not grant.images:
            raise TeachingOverQuota(grant)
        charge = partial(self._quota.charge, teacher.id, guild_id)
        looked = await asyncio.gather(
            *(self._look(each, guild_id, info, charge) for each in pictures[: grant.images])
        )
        new = [each for each in looked if isinstance(each, NewExample)]
        failed = [
            (picture.image.filename, each)
            for picture, each in zip(pictures, looked, strict=False)
            if isinstance(each, Exception)
        ]
        taught = await self._store.teaching.teach(guild_id, clean, info.fingerprints, new) if new else None
        if taught:
            await self._prepare(guild_id, info.fingerprints)
        return Lesson(taught, failed, grant)

    async def _look(
        self, picture: ShownPicture, guild_id: int, info: ModelInfo, on_cost: Callable[[float], None]
    ) -> NewExample | Exception:
        found: NewExample | Exception = Gone(picture.image.url)
        for image in (picture.image, *picture.others):
            try:
                result = await self._classified(image, guild_id, info, on_cost)
            except (InferenceError, DownloadError) as error:
                found = error
                continue
            if result.fingerprint is None or result.fingerprint_kind != info.fingerprints:
                return ModelUnavailable(f"{info.name} was replaced by {result.model}")
            # The crops of an example are more than those of an answer, so the order may be another one.
            if not picture.others or picture.likeliest in {label.index for label in result.labels}:
                return NewExample(result.fingerprint, picture.user_id, picture.channel_id, picture.message_id)
        return found

    async def _classified(
        self, image: ImageSource, guild_id: int, info: ModelInfo, on_cost: Callable[[float], None]
    ) -> Classification:
        async with self._fetching.admit(image, group=guild_id, model=info.name) as admission:
            data = await self._fetching.fetch(image)
            return await admission.classify(data, top=LIKELY, on_cost=on_cost, features="example")

    async def _prepare(self, guild_id: int, kind: str) -> None:
        """Fit what was taught, so that no answer waits for it."""
        try:
            await self._knowledge.prepare(guild_id, kind)
        except (KnowledgeFailed, StoreError) as error:
            log.warning("What the server %d taught could not be fitted. %s", guild_id, error)


def label_name(typed: str) -> str:
    """Return what somebody typed as the name of a label. Raises `LabelNeedsName`."""
    if name := shorten(typed, LABEL_NAME):
        return name
    raise LabelNeedsName(typed)
