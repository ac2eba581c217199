"""Channels whose past is read into the index: begun, stopped, and gone on with after a restart."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar

import discord

from bot.answering.image_indexing import indexed_place
from bot.components import controls
from bot.delivery.channel_permissions import FAILURES, permissions_in
from bot.erasable_memory import ErasableMemory
from bot.i18n import N_, Language, languages
from bot.intake.channel_past import PAGE_PAUSE, ChannelPast, PastChannel, is_lost
from bot.presses.errors import InteractionRefused, PressOutdated, Sentences
from bot.presses.press import Press, PressHandler
from bot.settings_ui.guild_panel_presses import may_manage
from bot.settings_ui.setting_faults import MANAGERS_ONLY
from bot.store import Store, StoreError
from bot.store.backfills import BackfillState
from bot.store.tables import Backfill
from bot.work_in_hand import WorkInHand
from inference.knowledge.results import KnowledgeFailed

log = logging.getLogger(__name__)

PANEL = "backfill"
SHOW_EVERY = 15.0
"""Seconds between two changes of a progress message."""
AGAIN = 60.0
"""Seconds until something that failed is tried again."""

RUNNING = N_("I'm reading the past of {channel}: {messages} messages so far, and {images} new pictures.")
STOPPED = N_(
    "I stopped reading the past of {channel}: {messages} messages so far, and {images} new pictures."
)
DONE = N_("I have read the past of {channel}: {messages} messages, and {images} new pictures.")
SENTENCES_OF_STATES = {"running": RUNNING, "stopped": STOPPED, "done": DONE}
NOT_LISTED = N_("Pictures can't be found again in {channel} yet. Turn that on first: {command}")
SWITCH = "`/settings where index:`"
UNREADABLE = N_("I can't read the history of {channel}. Let me view it, and its message history.")
ALREADY = N_("I'm reading the past of {channel} already: {link}")
BACKFILL_SENTENCES: Sentences = {
    discord.app_commands.CheckFailure: MANAGERS_ONLY,
    StoreError: N_("I can't reach my database right now. Try again in a minute."),
}


class IndexBackfill(PressHandler, ErasableMemory):
    """Reads each channel in a task of its own, as far as the store says that it is wanted."""

    panel: ClassVar[str] = PANEL
    sentences: ClassVar[Sentences] = BACKFILL_SENTENCES

    def __init__(self, *, client: discord.Client, store: Store, past: ChannelPast, work: WorkInHand) -> None:
        self._client = client
        self._store = store
        self._past = past
        self._work = work
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._shown_at: dict[int, float] = {}

    async def begin(
        self, interaction: discord.Interaction[Any], channel: PastChannel, language: Language
    ) -> None:
        """Begin to read a channel, or go on where it was stopped, and answer with the progress.

        Raises `InteractionRefused`, and a `StoreError`.
        """
        blanks = {"channel": channel.mention}
        settings = await self._store.guilds.get(channel.guild.id)
        if indexed_place(channel, settings) is None:
            raise InteractionRefused(language.gettext(NOT_LISTED).format(command=SWITCH, **blanks))
        if not permissions_in(channel, channel.guild.me).reference:
            raise InteractionRefused(language.gettext(UNREADABLE).format(**blanks))
        before = await self._store.backfills.of(channel.id)
        if before and before.state == "running":
            raise InteractionRefused(language.gettext(ALREADY).format(link=_link(before), **blanks))
        goes_on = before if before and before.state == "stopped" else None
        text = _words(channel.id, "running", goes_on, language)
        await interaction.response.send_message(text, view=_buttons(channel.id, "running", language))
        shown = await interaction.original_response()
        await self._store.backfills.begin(
            channel_id=channel.id,
            guild_id=channel.guild.id,
            before_id=goes_on.before_id if goes_on else interaction.id,
            messages=goes_on.messages if goes_on else 0,
            images=goes_on.images if goes_on else 0,
            progress_channel_id=shown.channel.id,
            progress_message_id=shown.id,
            language=language.name,
        )
        self._start(channel.guild.id, channel.id)

    async def go_on(self) -> None:
        """Go on with all channels that were being read when the bot ended. Raises a `StoreError`."""
        for row in await self._store.backfills.running():
            if self._client.get_guild(row.guild_id) is not None:
                self._start(row.guild_id, row.channel_id)

    async def close(self) -> None:
        """End all tasks; the next start goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def forget_channel(self, channel_id: int) -> None:
        """Stop reading a channel that is gone."""
        if task := self._tasks.get(channel_id):
            task.cancel()

    def check(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:  # noqa: ARG002
        """Refuse whoever may not manage the server."""
        if not may_manage(interaction):
            raise InteractionRefused(language.gettext(MANAGERS_ONLY))

    async def act(self, interaction: discord.Interaction[Any], press: Press, language: Language) -> None:  # noqa: ARG002
        """Stop, or go on."""
        row = await self._store.backfills.of(int(press.what)) if press.what.isdecimal() else None
        if row is None or press.verb not in ("stop", "resume") or row.guild_id != interaction.guild_id:
            raise PressOutdated
        if press.verb == "stop" and (task := self._tasks.get(row.channel_id)):
            task.cancel()
        if row.state != "done":
            state: BackfillState = "stopped" if press.verb == "stop" else "running"
            await self._store.backfills.set_state(row.channel_id, state)
            row.state = state
        shown = languages.of(row.language)
        await interaction.response.edit_message(
            content=_words(row.channel_id, row.state, row, shown),
            view=_buttons(row.channel_id, row.state, shown),
        )
        if row.state == "running":
            self._start(row.guild_id, row.channel_id)

    def _start(self, guild_id: int, channel_id: int) -> None:
        if channel_id not in self._tasks:
            task = asyncio.create_task(self._read(guild_id, channel_id), name=f"backfill {channel_id}")
            self._tasks[channel_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(channel_id, None))

    async def _read(self, guild_id: int, channel_id: int) -> None:
        """Read page after page until nothing is left, or nobody wants it any more."""
        with self._work.of(guild_id):
            while True:
                try:
                    if not await self._read_page(channel_id):
                        return
                except (StoreError, KnowledgeFailed, *FAILURES) as failure:
                    log.warning("The past of the channel %d is read on later. %s", channel_id, failure)
                    await asyncio.sleep(AGAIN)
                else:
                    await asyncio.sleep(PAGE_PAUSE)

    async def _read_page(self, channel_id: int) -> bool:
        """Read one page and note how far that is; return False where there is no more to do."""
        row = await self._store.backfills.of(channel_id)
        if row is None or row.state != "running":
            return False
        channel = self._client.get_channel(channel_id)
        settings = await self._store.guilds.get(row.guild_id)
        if not isinstance(channel, PastChannel) or indexed_place(channel, settings) is None:
            await self._end(row, "stopped")
            return False
        try:
            messages = await self._past.page(channel, row.before_id)
        except FAILURES as failure:
            if not is_lost(failure):
                raise
            await self._end(row, "stopped")
            return False
        if not messages:
            await self._end(row, "done")
            return False
        for message in messages:
            new = await self._past.take(message, channel)
            row.images, row.messages, row.before_id = row.images + new, row.messages + 1, message.id
            if (new or message is messages[-1]) and not await self._note(row):
                return False
        return True

    async def _note(self, row: Backfill) -> bool:
        """Note how far a channel is read, and show it now and then; return whether it is still wanted."""
        await self._store.backfills.advance(
            row.channel_id, before_id=row.before_id, messages=row.messages, images=row.images
        )
        current = await self._store.backfills.of(row.channel_id)
        if current is None or current.state != "running":
            return False
        now = asyncio.get_running_loop().time()
        if now - self._shown_at.get(row.channel_id, -SHOW_EVERY) >= SHOW_EVERY:
            self._shown_at[row.channel_id] = now
            await self._show(row)
        return True

    async def _end(self, row: Backfill, state: BackfillState) -> None:
        self._shown_at.pop(row.channel_id, None)
        await self._store.backfills.set_state(row.channel_id, state)
        row.state = state
        await self._show(row)

    async def _show(self, row: Backfill) -> None:
        """Change the progress message; that somebody has deleted it changes nothing."""
        language = languages.of(row.language)
        place = self._client.get_partial_messageable(row.progress_channel_id)
        try:
            await place.get_partial_message(row.progress_message_id).edit(
                content=_words(row.channel_id, row.state, row, language),
                view=_buttons(row.channel_id, row.state, language),
            )
        except FAILURES as failure:
            log.info("How far channel %d is read could not be shown. %s", row.channel_id, failure)


def _words(channel_id: int, state: str, row: Backfill | None, language: Language) -> str:
    return language.gettext(SENTENCES_OF_STATES[state]).format(
        channel=f"<#{channel_id}>",
        messages=language.number(row.messages if row else 0),
        images=language.number(row.images if row else 0),
    )


def _buttons(channel_id: int, state: str, language: Language) -> discord.ui.View:
    if state == "done":
        return controls.view()
    verb, label = ("stop", N_("Stop")) if state == "running" else ("resume", N_("Go on"))
    identity = controls.custom_id(PANEL, verb, str(channel_id))
    return controls.view(controls.button(identity, language.gettext(label)))


def _link(row: Backfill) -> str:
    return f"https://discord.com/channels/{row.guild_id}/{row.progress_channel_id}/{row.progress_message_id}"
