"""The form that asks what a picture is: one of the labels that a server taught, or a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import discord
from discord import ui

from bot.components import controls
from bot.discord_limits import OPTION_LABEL, SELECT_OPTIONS
from bot.i18n import N_, Language
from bot.presentation.plain_text import shorten
from bot.presentation.teaching_words import NONE_OF_THESE
from bot.store.taught_results import LABEL_NAME, NoSuchLabel
from bot.teaching.teacher import LabelNeedsName

KNOWN, NEW = "known", "new"
"""The fields of the form."""
NONE = "none"
"""The option that stands for "none of these"."""
TITLE = N_("What is it?")


def teach_form(identity: str, names: Mapping[int, str], language: Language) -> ui.Modal:
    """Return the form; `names` are the labels that the server has, of which a menu shows 24."""
    say = language.gettext
    fields = []
    if names:
        shown = list(names.items())[: SELECT_OPTIONS - 1]
        options = [
            discord.SelectOption(value=str(label), label=shorten(name, OPTION_LABEL)) for label, name in shown
        ]
        options.append(discord.SelectOption(value=NONE, label=say(NONE_OF_THESE)))
        menu = ui.Select[Any](custom_id=KNOWN, options=options, min_values=0, max_values=1, required=False)
        fields.append(ui.Label[Any](text=say(N_("A word I know here")), component=menu))
    typed = ui.TextInput[Any](custom_id=NEW, max_length=LABEL_NAME, required=not names)
    hint = (
        N_("Or type one, also one of those that I know")
        if names
        else N_("Anything that your server calls it")
    )
    fields.append(ui.Label[Any](text=say(N_("A new word")), description=say(hint), component=typed))
    return controls.form(identity, say(TITLE), *fields)


def label_from(typed: Mapping[str, str], names: Mapping[int, str]) -> str | None:
    """Return the name that the form was sent with, a typed one before a chosen one; None: "none of these".

    Raises `LabelNeedsName` where there is neither, and `NoSuchLabel` for one that is gone.
    """
    if new := typed.get(NEW, "").strip():
        return new
    chosen = typed.get(KNOWN, "")
    if chosen == NONE:
        return None
    if not chosen:
        raise LabelNeedsName(chosen)
    if not chosen.isdecimal() or int(chosen) not in names:
        raise NoSuchLabel(chosen)
    return names[int(chosen)]
