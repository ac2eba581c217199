"""The buttons under a public answer. They outlive a restart: all they need is in the message above them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import discord

from bot import delivery
from bot.answers import CONTENT, Answer
from bot.errors import LEAVING, UNEXPECTED
from bot.i18n import ENGLISH, Language, languages

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["AnswerButtons", "under"]

log = logging.getLogger(__name__)


class AnswerButtons(discord.ui.View):
    """Registered once, this answers for every message with its buttons, also for those of an earlier run."""

    def __init__(self, language: Language = ENGLISH) -> None:
        super().__init__(timeout=None)
        self.send_to_my_dms.label = language.gettext("Send to my DMs")

    @discord.ui.button(custom_id="whatsit:dm", style=discord.ButtonStyle.secondary, emoji="📬")
    async def send_to_my_dms(
        self, interaction: discord.Interaction[Whatsit], _button: discord.ui.Button[AnswerButtons]
    ) -> None:
        """Copies the answer to whoever presses, and says so to that person only."""
        language = languages.of(interaction.locale)
        if interaction.client.stopping:
            await delivery.say(interaction, language.gettext(LEAVING))
            return
        with interaction.client.in_hand():
            if not await delivery.defer(interaction, ephemeral=True) or interaction.message is None:
                return
            answer = Answer(_with_link(interaction.message), tuple(interaction.message.embeds))
            await delivery.directly(interaction, answer, language)

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, _item: discord.ui.Item[Any]
    ) -> None:
        """A button failed for a reason nobody foresaw: logged whole, and the asker is not left waiting."""
        log.error("A button failed, and nobody knows why", exc_info=error)
        await delivery.say(interaction, languages.of(interaction.locale).gettext(UNEXPECTED))


def under(answer: Answer, language: Language) -> discord.ui.View | None:
    """The buttons for `answer`, if there is anything in it to keep."""
    if not answer.named:
        return None
    buttons = AnswerButtons(language)
    buttons.stop()  # so that discord.py does not keep this copy for ever: the registered one answers
    return buttons


def _with_link(message: discord.Message) -> str:
    linked = f"{message.content}\n{message.jump_url}".strip()
    return linked if len(linked) <= CONTENT else message.content
