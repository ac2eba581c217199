"""Keep hidden in every text what a spoiler hides in its picture."""

from __future__ import annotations

from bot.i18n import Language


def behind_bars(text: str, *, spoiler: bool) -> str:
    """Return the text behind Discord's spoiler bars, if the picture is a spoiler."""
    return f"||{text}||" if spoiler else text


def shown_name(name: str, language: Language, *, spoiler: bool) -> str:
    """Return a name for where no bars can stand, such as a title: of a spoiler only that it is one."""
    return language.gettext("spoiler") if spoiler else name
