"""What somebody is told who asks where there is nothing to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.i18n import N_
from bot.policy.audience import replied_to

if TYPE_CHECKING:
    from bot.client import Whatsit
    from bot.i18n import Language
    from bot.intake.message_requests import Request

__all__ = ["LEFT_ALONE", "LEFT_ALONE_YOURSELF", "MENU", "left_alone", "word_of_help"]

MENU = N_("What's in this image?")
LEFT_ALONE = N_("Whoever posted this wishes that I leave their pictures alone.")
LEFT_ALONE_YOURSELF = N_(
    "You wished that I leave the pictures you post alone. You can show me one with `/classify`, or change "
    "your mind in `/preferences`."
)


def left_alone(author_id: int, asker_id: int, language: Language) -> str:
    """Why the pictures of this author are not looked at."""
    return language.gettext(LEFT_ALONE_YOURSELF if author_id == asker_id else LEFT_ALONE)


def word_of_help(bot: Whatsit, request: Request) -> str:
    """The answer to a question without a picture."""
    language, guild, other = request.language, request.message.guild, replied_to(request.message)
    if request.left_alone:
        return left_alone((request.pictured or request.message).author.id, request.asker.id, language)
    if other and guild and not bot.intents.message_content:
        return language.gettext(
            "I can't see the pictures of other messages here. Open that message's menu and choose "
            "Apps, then **{menu}**"
        ).format(menu=language.gettext(MENU))
    if other:
        return language.gettext("I see no picture in that message. Reply to one that has a picture.")
    if guild:
        return language.gettext(
            "Show me a picture and I'll say what's in it: post it and mention me, or use `/classify`."
        )
    return language.gettext("Send me a picture, and I'll say what's in it.")
