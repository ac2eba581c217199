"""What somebody is told, and nobody else, when a press or a command about settings cannot be done."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import discord
from discord import app_commands

from bot.delivery.channel_permissions import FAILURES, GONE
from bot.delivery.interaction_responses import say
from bot.i18n import N_, Language
from bot.store import StoreError

log = logging.getLogger(__name__)

Sentences = Mapping[type[Exception], str | Callable[[Any, Language], str]]
"""For each error a sentence that is still to be translated, or what makes one of the error."""

UNEXPECTED = N_("Something went wrong. Try again; if it fails again, tell the bot's owner.")


class InteractionRefused(Exception):
    """What somebody asked for cannot be, or they may not; the message says so in their language."""


class PressOutdated(Exception):
    """This version of Whatsit offers nothing such as what was pressed."""


async def explain(
    interaction: discord.Interaction[Any], error: Exception, language: Language, sentences: Sentences
) -> None:
    """Tell the person in one line what went wrong, and the log what its reader should know.

    An error without a sentence is a fault of ours: it is logged whole.
    """
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    what = _described(interaction)
    if isinstance(error, FAILURES) and not isinstance(error, app_commands.AppCommandError):
        level = logging.INFO if getattr(error, "code", None) in GONE else logging.WARNING
        log.log(level, "Discord did not take the answer to %s: %s", what, error)
        return
    known = next((sentences[kind] for kind in type(error).__mro__ if kind in sentences), None)
    if isinstance(error, InteractionRefused):
        line = str(error)
    elif known is None:
        log.error(
            "%s failed. This is a fault in Whatsit; please report it with what follows.", what, exc_info=error
        )
        line = language.gettext(UNEXPECTED)
    else:
        level = logging.WARNING if isinstance(error, StoreError) else logging.INFO
        log.log(level, "%s was not done: %s: %s", what, type(error).__name__, error)
        line = known(error, language) if callable(known) else language.gettext(known)
    await _tell(interaction, line)


def _described(interaction: discord.Interaction[Any]) -> str:
    """Return what was done, by whom and where, for the log; of a press without what its `custom_id` packs."""
    command = interaction.command
    data = cast("Mapping[str, Any]", interaction.data or {})
    pressed = ":".join(str(data.get("custom_id", "")).split(":")[:3])
    operation = f"the command {command.qualified_name}" if command else f"the press of {pressed}"
    return f"{operation} by the user {interaction.user.id} in the server {interaction.guild_id}"


async def _tell(interaction: discord.Interaction[Any], line: str) -> None:
    if interaction.type is discord.InteractionType.application_command or not interaction.response.is_done():
        await say(interaction, line)
        return
    try:  # not in place of the message that was pressed: it holds what can be pressed again
        await interaction.followup.send(line, ephemeral=True)
    except FAILURES as failure:
        log.warning("Discord did not take the answer to %s: %s", _described(interaction), failure)
