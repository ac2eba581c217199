"""Find pictures again, by name or by likeness, for somebody who may see them at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord
from cachetools import LRUCache

from bot.answering.image_fetching import ImageFetching
from bot.answering.image_indexing import ImageIndexing
from bot.answering.models import Models
from bot.delivery.channel_permissions import FAILURES
from bot.download.downloader import DownloadError
from bot.erasable_memory import ErasableMemory
from bot.i18n import N_, Language, languages
from bot.image_source import ImageSource
from bot.policy.effective_settings import guild_settings
from bot.policy.quota import Quota
from bot.presentation.errors import sentence
from bot.presses.errors import InteractionRefused
from bot.store import Store
from bot.store.indexed_images import PicturePlace
from bot.store.tables import IndexedImage
from config.settings import Limits
from inference.knowledge.image_search import ImageSearch
from inference.results import Classification, InferenceError

PAGE = 10
"""Pictures on one page."""
MOST_PAGES = 20
TAUGHT = "taught "
"""Before the number of a label of the server's own, in the place of an English name."""
QUESTIONS = 500
"""Questions "what looks like this?" whose further pages can be asked for."""
SEEN_MESSAGES = 10_000

FORGOTTEN = N_("I no longer know which picture this was about. Ask me again.")
NO_FEATURES = N_("The model in use here can only name pictures, not compare them.")
UNKNOWN_NAME = N_(
    "I don't call any picture here “{name}”. Pick a name from the list that appears as you type."
)
NO_INDEX = N_(
    "Pictures can't be found again in the channels that you can read here. A moderator can turn that on: "
    "{command}"
)
SWITCH = "`/settings where index:`"


@dataclass(frozen=True, slots=True)
class SimilarQuestion:
    """Fingerprints of one kind, and the message that they are of, which is no answer."""

    user_id: int
    guild_id: int
    kind: str
    fingerprints: Sequence[bytes]
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """One page of what was found. `page` counts from 0; `total` is how many there are in all."""

    images: Sequence[IndexedImage]
    page: int
    total: int

    @property
    def has_next(self) -> bool:
        """Whether there is one more."""
        return (self.page + 1) * PAGE < min(self.total, PAGE * MOST_PAGES)


class PictureFinding(ErasableMemory):
    """Searches the index of a server. Who may see what is looked up for each page anew."""

    def __init__(
        self,
        *,
        client: discord.Client,
        store: Store,
        models: Models,
        fetching: ImageFetching,
        quota: Quota,
        search: ImageSearch,
        indexing: ImageIndexing,
        images_of: Callable[[discord.Message], Sequence[ImageSource]],
        limits: Limits,
    ) -> None:
        """`images_of` finds the images of a message."""
        self._client = client
        self._store = store
        self._models = models
        self._fetching = fetching
        self._quota = quota
        self._search = search
        self._indexing = indexing
        self._images_of = images_of
        self._limits = limits
        self._questions: LRUCache[int, SimilarQuestion] = LRUCache(QUESTIONS)
        self._there: LRUCache[int, None] = LRUCache(SEEN_MESSAGES)

    def forget_everyone(self) -> None:
        """Forget what anybody asked about."""
        self._questions.clear()

    def forget_user(self, user_id: int) -> None:
        """Forget what a person asked about."""
        for key in [key for key, asked in self._questions.items() if asked.user_id == user_id]:
            del self._questions[key]

    def forget_guild(self, guild_id: int) -> None:
        """Forget what was asked in a server."""
        for key in [key for key, asked in self._questions.items() if asked.guild_id == guild_id]:
            del self._questions[key]

    def session_began(self) -> None:
        """Forget which messages are there: some may have been deleted meanwhile, and nobody told."""
        self._there.clear()

    async def readable(self, interaction: discord.Interaction[Any], language: Language) -> list[int]:
        """Return the channels with pictures that the asker may read now.

        Raises `InteractionRefused` where there is none.
        """
        guild, member = interaction.guild, interaction.user
        places = await self._store.images.places(guild.id) if guild else ()
        may = [
            place
            for place in places
            if guild and isinstance(member, discord.Member) and _may_read(guild.get_channel(place), member)
        ]
        if not may:
            raise InteractionRefused(language.gettext(NO_INDEX).format(command=SWITCH))
        return may

    async def names(self, interaction: discord.Interaction[Any], language: Language) -> dict[str, str]:
        """Return what pictures are called that the asker may see: English names, and the asker's words.

        A label of the server's own is `TAUGHT` and its number.

        Raises `InteractionRefused` where there are none.
        """
        places = await self.readable(interaction, language)
        names = await self._store.images.names(interaction.guild_id or 0, places)
        said = {name: language.labels.form(name) for name in names}
        own = await self._store.teaching.names(interaction.guild_id or 0)
        for number in await self._store.images.taught(interaction.guild_id or 0, places):
            if number in own:
                said[f"{TAUGHT}{number}"] = own[number]
        return dict(sorted(said.items(), key=lambda item: item[1].casefold()))

    async def name_meant(self, interaction: discord.Interaction[Any], text: str, language: Language) -> str:
        """Return the English name of what somebody calls by any language's word.

        Raises `InteractionRefused` where no picture that the asker may see is called so.
        """
        names = await self.names(interaction, language)
        tables = [language.labels, *(languages.of(name).labels for name in languages)]
        own = (key for key, word in names.items() if key.startswith(TAUGHT) and _same(word, text))
        meant = [text, *own, *(table.name_of(text.strip()) for table in tables)]
        for name in meant:
            if name in names:
                return name
        raise InteractionRefused(
            language.gettext(UNKNOWN_NAME).format(name=discord.utils.escape_markdown(text))
        )

    async def called(
        self, interaction: discord.Interaction[Any], name: str, page: int, language: Language
    ) -> FoundPage:
        """Return pictures of this name, as of `names`, that the asker may see, newest first.

        Raises `InteractionRefused`, and a `StoreError`.
        """
        places = await self.readable(interaction, language)
        meant = int(name.removeprefix(TAUGHT)) if name.startswith(TAUGHT) else name
        rows, total = await self._store.images.called(
            interaction.guild_id or 0, meant, places, skip=page * PAGE, most=PAGE
        )
        return FoundPage(await self._still_there(rows), page, total)

    async def word_of(self, guild_id: int, name: str, language: Language) -> str:
        """Return what people call a name of `names`."""
        if not name.startswith(TAUGHT):
            return language.labels.form(name)
        number = int(name.removeprefix(TAUGHT))
        return (await self._store.teaching.names(guild_id)).get(number, "?")

    async def ask_about(
        self, interaction: discord.Interaction[Any], images: Sequence[ImageSource], language: Language
    ) -> int:
        """Look at pictures, charge the asker, and return the number under which `similar` knows them.

        Raises `InteractionRefused` where they cannot be looked at.
        """
        settings = await guild_settings(self._store, interaction.guild_id)
        grant = self._quota.take(
            interaction.user.id, len(images), guild_id=interaction.guild_id, settings=settings
        )
        if not grant.images:
            raise InteractionRefused(grant.line(language))
        charge = partial(self._quota.charge, interaction.user.id, interaction.guild_id)
        looked: list[Classification] = []
        try:
            for image in images[: grant.images]:
                async with self._fetching.admit(
                    image, group=interaction.guild_id, model=settings.model
                ) as admission:
                    data = await self._fetching.fetch(image)
                    looked.append(await admission.classify(data, on_cost=charge, features=True))
        except (InferenceError, DownloadError) as error:
            raise InteractionRefused(sentence(error, language, self._limits)) from error
        kind = looked[-1].fingerprint_kind
        known = [each.fingerprint for each in looked if each.fingerprint and each.fingerprint_kind == kind]
        if kind is None or not known:
            raise InteractionRefused(language.gettext(NO_FEATURES))
        return self._remember(interaction, kind, known, None)

    async def ask_about_message(
        self, interaction: discord.Interaction[Any], message: discord.Message, language: Language
    ) -> int:
        """Do the same for the pictures of a message; those in the index need no second look."""
        rows = await self._store.images.of_message(message.id)
        settings = await guild_settings(self._store, interaction.guild_id)
        kind = self._models.info_of(settings.model).fingerprints
        known = [row.fingerprint for row in rows if row.kind == kind]
        if kind is None or not known:
            images = self._images_of(message)[: self._limits.images_per_answer]
            if not images:
                raise InteractionRefused(language.gettext("I don't see a picture in that message."))
            question = self._questions[await self.ask_about(interaction, images, language)]
            kind, known = question.kind, list(question.fingerprints)
        return self._remember(interaction, kind, known, message.id)

    async def similar(
        self, interaction: discord.Interaction[Any], number: int, page: int, language: Language
    ) -> FoundPage:
        """Return the pictures that look most like those asked about and that the asker may see.

        Raises `InteractionRefused`, also where the question is forgotten, a `StoreError` and KnowledgeFailed.
        """
        question = self._questions.get(number)
        if question is None or question.user_id != interaction.user.id:
            raise InteractionRefused(language.gettext(FORGOTTEN))
        places = await self.readable(interaction, language)
        likeness: dict[PicturePlace, float] = {}
        for fingerprint in question.fingerprints:
            for found in await self._search.similar(question.guild_id, question.kind, fingerprint, places):
                place = found.message_id, found.position
                likeness[place] = max(found.cosine, likeness.get(place, -1.0))
        ranked = sorted(
            (place for place in likeness if place[0] != question.message_id),
            key=lambda place: -likeness[place],
        )
        shown = ranked[page * PAGE : (page + 1) * PAGE]
        rows: Mapping[PicturePlace, IndexedImage] = await self._store.images.these(shown)
        there = await self._still_there([rows[place] for place in shown if place in rows])
        return FoundPage(there, page, len(ranked))

    def _remember(
        self,
        interaction: discord.Interaction[Any],
        kind: str,
        fingerprints: Sequence[bytes],
        message_id: int | None,
    ) -> int:
        self._questions[interaction.id] = SimilarQuestion(
            interaction.user.id, interaction.guild_id or 0, kind, fingerprints, message_id
        )
        return interaction.id

    async def _still_there(self, rows: Sequence[IndexedImage]) -> list[IndexedImage]:
        """Return those whose messages are not deleted; the index forgets the others."""
        ids = {row.message_id: row.channel_id for row in rows if row.message_id not in self._there}
        there = await asyncio.gather(*(self._is_there(*each) for each in ids.items()))
        gone = {message_id for message_id, is_there in zip(ids, there, strict=True) if not is_there}
        await self._indexing.forget_messages(gone)
        return [row for row in rows if row.message_id not in gone]

    async def _is_there(self, message_id: int, channel_id: int) -> bool:
        try:
            await self._client.get_partial_messageable(channel_id).fetch_message(message_id)
        except discord.NotFound:
            return False
        except FAILURES:  # it cannot be told now
            return True
        self._there[message_id] = None
        return True


def _same(word: str, text: str) -> bool:
    return word.casefold() == text.strip().casefold()


def _may_read(channel: discord.abc.GuildChannel | None, member: discord.Member) -> bool:
    """Return whether a member may read what was posted in a channel; of one that is gone, nobody may."""
    if channel is None:
        return False
    granted = channel.permissions_for(member)
    joins = granted.connect or not isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return granted.view_channel and granted.read_message_history and joins
