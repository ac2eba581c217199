"""Which images does a message carry? Decided from what Discord says of it, before a byte is fetched."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import discord

from config.settings import Watch

__all__ = ["Source", "images_of", "source_of"]

_IMAGE_NAME = re.compile(
    r".\.(apng|avif|bmp|dib|gif|heic|heif|hif|jfif|jpe|jpeg|jpg|png|tif|tiff|webp)$",
    re.IGNORECASE | re.DOTALL,
)
_TYPES = mimetypes.MimeTypes()
_SPOILERED = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """One image that a message names: where it is, and what Discord says of it.

    `size` is in bytes and `dimensions` in pixels (width, height), both None where Discord does not tell.
    `certain` is false for a file of which neither the name nor the type says what it is.
    """

    url: str
    filename: str
    kind: Literal["attachment", "link", "sticker"]
    size: int | None = None
    spoiler: bool = False
    certain: bool = True
    dimensions: tuple[int, int] | None = None


def images_of(message: discord.Message, watch: Watch) -> list[Source]:
    """All images of a message, its own and those forwarded in it, in the order people see them.

    A link's preview counts only if it is nothing but a picture, and like stickers only where `watch` says so.
    """
    found: list[Source] = []
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for part in parts:
        found += _attached(part)
        if watch.links:
            found += _linked(part)
        if watch.stickers:
            found += _stickers(part)
    return found


def source_of(attachment: discord.Attachment) -> Source:
    """One attachment, whatever it is: who hands it over as an image is answered, also if it is none."""
    return Source(
        url=attachment.url,
        filename=attachment.filename,
        kind="attachment",
        size=attachment.size,
        spoiler=attachment.is_spoiler(),
        certain=_declared(attachment),
        dimensions=_dimensions(attachment.width, attachment.height),
    )


def _attached(part: discord.Message | discord.MessageSnapshot) -> Iterator[Source]:
    for attachment in part.attachments:
        if _declared(attachment) or _unknown(attachment):
            yield source_of(attachment)


def _declared(attachment: discord.Attachment) -> bool:
    """Name or type say "image"; either is enough, because the other is often wrong."""
    by_type = (attachment.content_type or "").lower().startswith("image/")
    return by_type or _IMAGE_NAME.search(attachment.filename) is not None


def _unknown(attachment: discord.Attachment) -> bool:
    return attachment.content_type is None and _TYPES.guess_type(attachment.filename) == (None, None)


def _linked(part: discord.Message | discord.MessageSnapshot) -> Iterator[Source]:
    hidden = " ".join(_SPOILERED.findall(part.content))
    for embed in part.embeds:
        picture = embed.thumbnail if embed.thumbnail.proxy_url else embed.image
        # Only Discord's proxy is ever asked: the address itself could be anybody's server.
        if embed.type == "image" and picture.proxy_url:
            yield Source(
                url=picture.proxy_url,
                filename=PurePosixPath((embed.url or "").partition("?")[0]).name or "link",
                kind="link",
                spoiler=bool(embed.url) and str(embed.url) in hidden,
                dimensions=_dimensions(picture.width, picture.height),
            )


def _stickers(part: discord.Message | discord.MessageSnapshot) -> Iterator[Source]:
    for sticker in part.stickers:
        if sticker.format is not discord.StickerFormatType.lottie:  # Lottie is a vector drawing in JSON
            yield Source(url=sticker.url, filename=sticker.name, kind="sticker")


def _dimensions(width: int | None, height: int | None) -> tuple[int, int] | None:
    return (width, height) if width and height else None
