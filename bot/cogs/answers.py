"""What happens when somebody presses a button under an answer, also one of an earlier run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot.buttons.mark import OtherModel
from bot.buttons.pressed import Refused, obey
from bot.buttons.under import PANEL
from bot.delivery.channel_permissions import FAILURES, GONE
from bot.delivery.interaction_responses import say
from bot.i18n import N_
from bot.panel.controls import Press
from bot.policy.in_force import language_of
from bot.presentation.errors import LEAVING, SENTENCES
from bot.store import StoreError
from inference.results import ModelUnavailable

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Answers"]

log = logging.getLogger(__name__)

OUTDATED = N_("I no longer use the model that named this picture. Ask me again with `/classify`.")
UNKEPT = N_("I can't write that down right now. Try again in a minute.")
UNEXPECTED = N_("Something went wrong. Try again; if it fails again, tell whoever runs me.")


class Answers(commands.Cog):
    """More, was this right, alt text, and a copy by direct message."""

    def __init__(self, bot: Whatsit) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Whatsit]) -> None:
        """Do what was pressed, or say in one line why not."""
        press = Press.of(interaction, PANEL)
        if press is None:
            return
        language = await language_of(self.bot.store, interaction)
        if self.bot.stopping:
            await say(interaction, language.gettext(LEAVING))
            return
        with self.bot.in_hand():
            try:
                await obey(interaction, press, language)
            except FAILURES as failure:
                level = logging.INFO if getattr(failure, "code", None) in GONE else logging.WARNING
                log.log(level, "A press could not be answered: %s", failure)
            except Exception as error:  # noqa: BLE001 - `_sentence` logs whole what nobody foresaw
                await say(interaction, language.gettext(_sentence(error)))


def _sentence(error: Exception) -> str:
    match error:
        case Refused():
            return str(error)
        case OtherModel():
            return OUTDATED
        case ModelUnavailable():
            return SENTENCES[ModelUnavailable]
        case StoreError():
            log.warning("An opinion could not be kept. %s", error)
            return UNKEPT
    log.error("A button failed, and nobody knows why", exc_info=error)
    return UNEXPECTED
