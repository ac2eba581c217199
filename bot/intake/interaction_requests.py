"""Turn a command, also one that an earlier run accepted, into a request."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import discord

from bot.answering.request import InteractionOrigin, Request
from bot.delivery.interaction_responses import InteractionResponse
from bot.image_source import ImageSource
from bot.policy.effective_settings import Effective, in_force_for, language_for
from bot.policy.quota import Grant
from bot.presentation.errors import RESTARTED
from bot.store import OpenInteraction, Store

ORIGINAL = cast("int", "@original")
"""What Discord takes for the id of a deferred response that it has not told yet."""


def new_request(
    interaction: discord.Interaction[Any],
    images: Sequence[ImageSource],
    found: int,
    wishes: Effective,
    *,
    private: bool,
    by_dm: bool,
    top: int | None = None,
) -> Request:
    """Return the request of a command that has just come.

    `images` are looked at, of `found` that were handed over.
    """
    language = wishes.own_language if private else wishes.shared_language
    context = interaction.context
    options = {
        "found": found,
        "top": top,
        "private": private,
        "dm": by_dm,
        "locale": interaction.locale.value,
        "guild_locale": interaction.guild_locale.value if interaction.guild_locale else None,
        "context": 0 if context.guild else 1 if context.dm_channel else 2,
    }
    return Request(
        origin=InteractionOrigin(
            interaction.id,
            interaction.application_id,
            interaction.token,
            interaction.channel_id,
            options,
            menu=isinstance(interaction.command, discord.app_commands.ContextMenu),
        ),
        asker=interaction.user,
        author_id=interaction.user.id,
        guild_id=interaction.guild_id,
        guild=interaction.guild,
        images=images,
        found=found,
        in_force=wishes,
        destination=InteractionResponse.to(interaction, language, private=private, by_dm=by_dm),
        asked_at=discord.utils.utcnow(),
        top=top,
    )


async def revived_request(client: discord.Client, store: Store, row: OpenInteraction) -> Request:
    """Return the request of a command that an earlier run accepted. Raises a `StoreError`."""
    kept: Mapping[str, Any] = row.options
    images = [ImageSource(**image | {"dimensions": _pair(image["dimensions"])}) for image in row.images]
    user = discord.Object(row.user_id)
    wishes = await in_force_for(
        store,
        row.user_id,
        row.guild_id,
        user_locale=_locale(kept["locale"]),
        guild_locale=_locale(kept["guild_locale"]),
    )
    until = kept["until"]
    return Request(
        origin=InteractionOrigin(
            row.interaction_id, row.application_id, row.token, row.channel_id, kept, revived=True
        ),
        asker=user,
        author_id=row.user_id,
        guild_id=row.guild_id,
        guild=None,
        images=images,
        found=kept["found"],
        in_force=wishes,
        destination=InteractionResponse(
            client,
            None,
            row.interaction_id,
            user,
            partial(response_of(client, row).edit_message, row.response_id or ORIGINAL),
            wishes.own_language if kept["private"] else wishes.shared_language,
            private=kept["private"],
            by_dm=kept["dm"],
            in_dm=kept["context"] == 1,
        ),
        asked_at=row.accepted_at,
        granted=Grant(
            len(images),
            kept["refused"],
            None if until is None else datetime.datetime.fromtimestamp(until, datetime.UTC),
        ),
        top=kept["top"],
    )


def response_of(client: discord.Client, row: OpenInteraction) -> discord.Webhook:
    """Return the webhook through which the responses to an open interaction are read and edited."""
    return discord.Webhook.partial(row.application_id, row.token, client=client)


async def end_response(client: discord.Client, store: Store, row: OpenInteraction) -> None:
    """Tell whoever waits for what only the run that deferred it could do. Raises what discord.py raises."""
    language = await language_for(
        store,
        row.user_id,
        row.guild_id,
        user_locale=_locale(row.options["locale"]),
        guild_locale=_locale(row.options.get("guild_locale")),
    )
    await response_of(client, row).edit_message(
        row.response_id or ORIGINAL, content=language.gettext(RESTARTED)
    )


def _locale(name: str | None) -> discord.Locale | None:
    return next((locale for locale in discord.Locale if locale.value == name), None)


def _pair(dimensions: Sequence[int] | None) -> tuple[int, int] | None:
    return None if dimensions is None else (dimensions[0], dimensions[1])
