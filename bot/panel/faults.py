"""What somebody is told when a setting could not be read or changed. Nothing is lost: what stood, stands."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import app_commands

from bot.delivery.channel_permissions import FAILURES, GONE
from bot.delivery.interaction_responses import say
from bot.download.downloader import DownloadError
from bot.i18n import N_, Language
from bot.panel import invalid
from bot.presentation.answer import CONTENT
from bot.store import InvalidSettings, StoreError

__all__ = ["MODERATORS", "OUTDATED", "Refused", "explain", "listed"]

log = logging.getLogger(__name__)

STORE = N_(
    "I can't get at my notes right now, so nothing was changed. Try again in a minute; if it fails again, "
    "tell whoever runs me."
)
FETCH = N_("I couldn't fetch that file. Try again in a minute.")
UNEXPECTED = N_("Something went wrong. Try again; if it fails again, tell whoever runs me.")
MODERATORS = N_("Only who may manage this server can see or change its settings.")


OUTDATED = N_("This panel is of another version of me. Open a new one.")


class Refused(Exception):
    """What was asked for cannot be; the message is a sentence for the person, in their language."""


async def explain(interaction: discord.Interaction[Any], error: Exception, language: Language) -> None:
    """Tell the person, and nobody else, what went wrong; the log hears what its owner must mend."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, FAILURES) and not isinstance(error, app_commands.AppCommandError):
        level = logging.INFO if getattr(error, "code", None) in GONE else logging.WARNING
        log.log(level, "Settings could not be shown: %s", error)
        return
    await _tell(interaction, _sentence(error, language))


def _sentence(error: Exception, language: Language) -> str:
    match error:
        case Refused():
            return str(error)
        case InvalidSettings():
            lines = tuple(invalid.sentence(fault, language) for fault in error.faults)
            return listed(language.gettext("Nothing was changed, because of this:"), lines, language)
        case DownloadError():
            log.info("%s of a settings file: %s", type(error).__name__, error)
            return language.gettext(FETCH)
        case app_commands.CheckFailure():
            return language.gettext(MODERATORS)
        case StoreError():
            log.warning("Settings could not be read or saved. %s", error)
            return language.gettext(STORE)
    log.error("Settings failed, and nobody knows why", exc_info=error)
    return language.gettext(UNEXPECTED)


async def _tell(interaction: discord.Interaction[Any], line: str) -> None:
    if interaction.type is discord.InteractionType.application_command or not interaction.response.is_done():
        await say(interaction, line)
        return
    try:  # not in place of the message that was pressed: it holds what can be pressed again
        await interaction.followup.send(line, ephemeral=True)
    except FAILURES as failure:
        log.warning("An interaction could not be answered: %s", failure)


def listed(title: str, lines: tuple[str, ...], language: Language) -> str:
    """A title and a list, as much of it as fits in a message; the lines are markdown."""
    text, room = title, CONTENT - 100
    for index, line in enumerate(lines):
        item = f"\n- {line}"
        if len(text) + len(item) > room:
            more = len(lines) - index
            rest = language.ngettext("and {more} more", "and {more} more", more)
            return f"{text}\n{rest.format(more=more)}"
        text += item
    return text
