"""Request -> its answer: as many of its images as are granted, looked at and put into words."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from bot import buttons
from bot.answering.classifying import look_at
from bot.buttons import Buttons
from bot.delivery.sending import typing
from bot.intake.message_requests import Request
from bot.policy.audience import role_ids
from bot.policy.quota import Grant
from bot.presentation.answer import Answer, Outcome, Writer
from inference.results import NotAnImage, UnsupportedFormat

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["granted", "written"]


async def granted(bot: Whatsit, request: Request, images: int | None = None) -> Grant:
    """How many images the asker may have looked at now; as many as the request shows, if none are named.

    Raises what discord.py raises.
    """
    if images is None:
        images = min(len(request.images), bot.settings.limits.images_per_answer)
    guild, settings = request.message.guild, request.wants.guild
    if bot.ledger.was_granted(request.message.id):
        return Grant(images)
    if guild is None:
        return bot.quota.take(request.asker.id, images)
    if settings.unlimited_roles:
        roles = await role_ids(guild, request.asker)
        if not roles.isdisjoint(settings.unlimited_roles):
            return Grant(images)
    return bot.quota.take(request.asker.id, images, guild_id=guild.id, settings=settings)


async def written(bot: Whatsit, request: Request, grant: Grant) -> tuple[Answer, Buttons | None] | None:
    """The answer and what can stand under it; None where there turn out to be no images."""
    message, guild, language = request.message, request.wants.guild, request.language
    apart = request.manner == "direct"
    async with nullcontext() if apart else typing(message.channel):
        shown = request.images[: grant.images]
        outcomes = await look_at(bot, shown, group=request.group, model=guild.model)
    if not request.asked:
        outcomes = [outcome for outcome in outcomes if not _was_none(outcome)]
    if not outcomes:
        return None
    writer = Writer(bot.settings, language, guild=guild, apart=apart)
    link = message.jump_url if apart else ""
    answer = writer.write(outcomes, writer.left_out(len(request.images)), grant.line(language), link)
    if apart or not message.guild:
        return answer, None
    people = buttons.People(request.asker.id, (request.pictured or message).author.id)
    return answer, buttons.under(outcomes, people, language, guild=guild, models=buttons.models(bot))


def _was_none(outcome: Outcome) -> bool:
    """A file of unknown kind that turned out to be no image is nobody's request."""
    return not outcome.source.certain and isinstance(outcome.result, NotAnImage | UnsupportedFormat)
