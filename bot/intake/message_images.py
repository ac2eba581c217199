"""Find the images that a message carries, from what Discord says of it and before a byte is fetched."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import discord

from bot.image_source import ImageSource
from config.settings import Watch

_IMAGE_NAME = re.compile(
    r".\.(apng|avif|bmp|dib|gif|heic|heif|hif|jfif|jpe|jpeg|jpg|png|tif|tiff|webp)$",
    re.IGNORECASE | re.DOTALL,
)
_TYPES = mimetypes.MimeTypes()
_SPOILERED = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)


def images_of(message: discord.Message, watch: Watch) -> list[ImageSource]:
    """Return all images of a message, its own and those forwarded in it, in the order people see them.

    The preview of a link counts only if it is nothing but a picture. Links and stickers count only where
    `watch` says so.
    """
    found: list[ImageSource] = []
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for part in parts:
        found += _attached(part)
        if watch.links:
            found += _linked(part)
        if watch.stickers:
            found += _stickers(part)
    return found


def source_of(attachment: discord.Attachment) -> ImageSource:
    """Return one attachment as an image, whatever it is: whoever hands it over as an image gets an answer."""
    return ImageSource(
        url=attachment.url,
        filename=_shown_name(attachment),
        kind="attachment",
        size=attachment.size,
        spoiler=attachment.is_spoiler(),
        certain=_declared(attachment),
        dimensions=_dimensions(attachment.width, attachment.height),
    )


def _shown_name(attachment: discord.Attachment) -> str:
    """Return the file's name as its owner knows it: Discord keeps only some characters in `filename`."""
    if not attachment.title:
        return attachment.filename
    return attachment.title + PurePosixPath(attachment.filename).suffix


def _attached(part: discord.Message | discord.MessageSnapshot) -> Iterator[ImageSource]:
    for attachment in part.attachments:
        if _declared(attachment) or _unknown(attachment):
            yield source_of(attachment)


def _declared(attachment: discord.Attachment) -> bool:
    """Return whether name or type say "image"; either is enough, because the other is often wrong."""
    by_type = (attachment.content_type or "").lower().startswith("image/")
    return by_type or _IMAGE_NAME.search(attachment.filename) is not None


def _unknown(attachment: discord.Attachment) -> bool:
    return attachment.content_type is None and _TYPES.guess_type(attachment.filename) == (None, None)


def _linked(part: discord.Message | discord.MessageSnapshot) -> Iterator[ImageSource]:
    hidden = " ".join(_SPOILERED.findall(part.content))
    for embed in part.embeds:
        picture = embed.thumbnail if embed.thumbnail.proxy_url else embed.image
        # Only Discord's proxy is ever asked: the address itself could be anybody's server.
        if embed.type == "image" and picture.proxy_url:
            yield ImageSource(
                url=picture.proxy_url,
                filename=PurePosixPath((embed.url or "").partition("?")[0]).name or "link",
                kind="link",
                spoiler=bool(embed.url) and str(embed.url) in hidden,
                dimensions=_dimensions(picture.width, picture.height),
            )


def _stickers(part: discord.Message | discord.MessageSnapshot) -> Iterator[ImageSource]:
    for sticker in part.stickers:
        if sticker.format is not discord.StickerFormatType.lottie:  # Lottie is a vector drawing in JSON
            yield ImageSource(url=sticker.url, filename=sticker.name, kind="sticker")


def _dimensions(width: int | None, height: int | None) -> tuple[int, int] | None:
    return (width, height) if width and height else None
