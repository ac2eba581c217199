"""Presses of buttons and menus and forms that are sent: under answers and in panels, also of earlier runs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

import discord
from discord import ui
from discord.ext import commands

from bot.delivery.interaction_responses import say
from bot.policy.effective_settings import language_of
from bot.presentation.errors import LEAVING
from bot.presses.errors import explain
from bot.presses.press import CUSTOM_ID, Press, PressHandler
from bot.store import Store
from bot.work_in_hand import WorkInHand


class PressesCog(commands.Cog):
    """Hands each press to the handler of its panel, unless the bot is about to leave or the presser may not.

    Buttons and menus come as a `ui.DynamicItem`, which discord.py makes anew from the message they stand in.
    Forms come by `on_interaction`: discord.py knows only the forms that it holds in memory, and one that was
    opened before a restart is to be taken too. For both, permissions are checked in `_handle` and not in
    `interaction_check`: forms have none, and discord.py swallows the errors of an item's.
    """

    def __init__(
        self, *, client: discord.Client, store: Store, work: WorkInHand, handlers: Iterable[PressHandler]
    ) -> None:
        self._client = client
        self._store = store
        self._work = work
        self._handlers = {handler.panel: handler for handler in handlers}
        self._item = _item_class(self._handle)

    async def cog_load(self) -> None:
        """Have discord.py hand over buttons and menus."""
        self._client.add_dynamic_items(self._item)

    async def cog_unload(self) -> None:
        """Undo `cog_load`."""
        self._client.remove_dynamic_items(self._item)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Take a form that somebody has filled in."""
        if interaction.type is discord.InteractionType.modal_submit:
            await self._handle(interaction, Press.of(interaction))

    async def _handle(self, interaction: discord.Interaction[Any], press: Press | None) -> None:
        handler = self._handlers.get(press.panel) if press else None
        if press is None or handler is None:
            return
        language = await language_of(self._store, interaction)
        if self._work.stopping:
            await say(interaction, language.gettext(LEAVING))
            return
        with self._work.hold():
            try:
                handler.check(interaction, press, language)
                await handler.act(interaction, press, language)
            except Exception as error:  # noqa: BLE001 - `explain` logs whole what nobody foresaw
                await explain(interaction, error, language, handler.sentences)


def _item_class(
    handle: Callable[[discord.Interaction[Any], Press | None], Awaitable[None]],
) -> type[ui.DynamicItem[ui.Item[Any]]]:
    """Return the class of all our buttons and menus, whose presses go to `handle`.

    The class is made here because discord.py makes its instances itself, and passes them nothing of ours.
    """

    class PressedItem(ui.DynamicItem[ui.Item[Any]], template=CUSTOM_ID):
        @classmethod
        async def from_custom_id(
            cls,
            interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's
            item: ui.Item[Any],
            match: re.Match[str],  # noqa: ARG003
            /,
        ) -> Self:
            return cls(item)

        async def callback(self, interaction: discord.Interaction[Any]) -> None:
            await handle(interaction, Press.of(interaction, self.item))

    return PressedItem
