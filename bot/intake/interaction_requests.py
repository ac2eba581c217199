"""What an interaction asked for, in a form that outlives the process it was asked of."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.intake.message_images import Source
from bot.policy.quota import Grant
from bot.store import OpenInteraction

if TYPE_CHECKING:
    from bot.client import Whatsit

__all__ = ["Asked", "revived"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `images` are those to look at, of `found` that were handed over."""

    images: Sequence[Source]
    found: int
    grant: Grant
    top: int | None = None
    private: bool = False
    """For the asker's eyes only."""
    dm: bool = False
    """By direct message."""

    def pictures(self) -> list[dict[str, Any]]:
        """The images as JSON."""
        return [asdict(image) for image in self.images]

    def options(self, interaction: discord.Interaction[Any]) -> dict[str, str | int | bool | None]:
        """The rest as JSON: with `pictures` and ids, all that is needed to answer `interaction` later."""
        context = interaction.context
        return {
            "found": self.found,
            "refused": self.grant.refused,
            "until": int(self.grant.until.timestamp()) if self.grant.until else None,
            "top": self.top,
            "private": self.private,
            "dm": self.dm,
            "locale": interaction.locale.value,
            "guild_locale": interaction.guild_locale.value if interaction.guild_locale else None,
            "context": 0 if context.guild else 1 if context.dm_channel else 2,
        }

    @classmethod
    def of(cls, row: OpenInteraction) -> Self:
        """What was written down."""
        images = [Source(**image | {"dimensions": _pair(image["dimensions"])}) for image in row.images]
        kept = row.options
        until = kept["until"]
        grant = Grant(
            len(images),
            kept["refused"],
            None if until is None else datetime.datetime.fromtimestamp(until, datetime.UTC),
        )
        return cls(images, kept["found"], grant, kept["top"], kept["private"], kept["dm"])


def revived(bot: Whatsit, row: OpenInteraction) -> discord.Interaction[Whatsit]:
    """The interaction as far as it is needed to edit its deferred response."""
    kept: Mapping[str, Any] = row.options
    user = {"id": str(row.user_id), "username": "", "discriminator": "0", "avatar": None}
    payload: dict[str, Any] = {
        "id": str(row.interaction_id),
        "application_id": str(row.application_id),
        "type": discord.InteractionType.application_command.value,
        "token": row.token,
        "version": 1,
        "attachment_size_limit": 0,
        "locale": kept["locale"],
        "context": kept["context"],
    }
    if kept["guild_locale"] is not None:
        payload["guild_locale"] = kept["guild_locale"]
    if row.guild_id is None:
        payload["user"] = user
        if row.channel_id is not None:
            private = discord.ChannelType.private.value
            payload["channel"] = {"id": str(row.channel_id), "type": private, "recipients": []}
    else:
        member: dict[str, Any] = {
            "user": user,
            "roles": [],
            "joined_at": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
        payload |= {"guild_id": str(row.guild_id), "member": member}
        if row.channel_id is not None:
            payload["channel"] = {"id": str(row.channel_id)}
    # discord.py makes interactions of what the gateway sends, and of nothing else.
    return discord.Interaction(data=payload, state=bot._connection)  # type: ignore[arg-type]  # noqa: SLF001


def _pair(dimensions: Sequence[int] | None) -> tuple[int, int] | None:
    return None if dimensions is None else (dimensions[0], dimensions[1])
