"""Pictures that were found again, as a page of links."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.i18n import N_, Language
from bot.presentation.plain_text import neutral

NOTHING_CALLED_SO = N_("No picture here is called **{label}**.")
NOTHING_SIMILAR = N_("I don't know any other pictures in the channels that you can read here.")
SIMILAR = N_("The pictures that look most like it, the likest first:")


def called_heading(word: str, total: int, language: Language) -> str:
    """Return the line above pictures that are called by a word, of which there are `total`."""
    label = neutral(word, 80)
    if not total:
        return language.gettext(NOTHING_CALLED_SO).format(label=label)
    return language.ngettext(
        "{count} picture of **{label}**:", "{count} pictures of **{label}**, the newest first:", total
    ).format(count=language.number(total), label=label)


def found_lines(heading: str, links: Sequence[tuple[str, int]], first: int) -> str:
    """Return a page: a heading, and a line for each link to a message of this id, counted from `first`."""
    return "\n".join(
        [
            heading,
            *(
                f"{number}. {link} · {discord.utils.format_dt(discord.utils.snowflake_time(message_id), 'R')}"
                for number, (link, message_id) in enumerate(links, first)
            ),
        ]
    )
