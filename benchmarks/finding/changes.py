"""Eleven ways in which pictures are changed before they are posted again."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageFont, ImageOps

PHONE = 1080, 2340
"""Pixels of the screen that a screenshot shows."""
APP_COLOURS = ((255, 255, 255), (21, 23, 28), (54, 57, 63))
GREY = (128, 128, 128)

Change = Callable[[Image.Image, random.Random], bytes]
"""From a picture in RGB to the bytes of a file."""


def jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """Return the picture as a JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _half(picture: Image.Image, _chance: random.Random) -> bytes:
    return jpeg(picture.resize((max(picture.width // 2, 1), max(picture.height // 2, 1))))


def _cropped(share: float) -> Change:
    """Cut so much off the width and off the height, at places that chance decides."""

    def change(picture: Image.Image, chance: random.Random) -> bytes:
        width, height = (max(round(side * (1 - share)), 1) for side in picture.size)
        left, top = chance.randint(0, picture.width - width), chance.randint(0, picture.height - height)
        return jpeg(picture.crop((left, top, left + width, top + height)))

    return change


def _meme_text(picture: Image.Image, _chance: random.Random) -> bytes:
    written = picture.copy()
    draw, font = ImageDraw.Draw(written), ImageFont.load_default(max(picture.height // 10, 10))
    for y, text in ((picture.height // 40, "WHEN THE CODE"), (picture.height * 6 // 7, "JUST WORKS")):
        outline = max(picture.height // 150, 1)
        draw.text(
            (picture.width // 2, y),
            text,
            font=font,
            fill="white",
            stroke_width=outline,
            stroke_fill="black",
            anchor="ma",
        )
    return jpeg(written)


def _caption_border(picture: Image.Image, _chance: random.Random) -> bytes:
    bar = max(picture.height // 5, 1)
    framed = Image.new("RGB", (picture.width, picture.height + bar), "white")
    framed.paste(picture, (0, bar))
    font = ImageFont.load_default(max(bar // 3, 8))
    ImageDraw.Draw(framed).text((picture.width // 40, bar // 4), "me at 3 am:", font=font, fill="black")
    return jpeg(framed)


def _screenshot(picture: Image.Image, chance: random.Random) -> bytes:
    """Show the picture as wide as a phone, in an app, between the app's own texts."""
    width, height = PHONE
    screen = Image.new("RGB", PHONE, chance.choice(APP_COLOURS))
    shown = ImageOps.contain(picture, (width, height * 4 // 5))
    screen.paste(shown, ((width - shown.width) // 2, (height - shown.height) // 2))
    draw, font = ImageDraw.Draw(screen), ImageFont.load_default(40)
    draw.text((40, 30), "21:47", font=font, fill=GREY)
    draw.ellipse((40, 130, 140, 230), fill=(90, 120, 220))
    draw.text((170, 150), "some_user", font=font, fill=GREY)
    draw.text((40, height - 200), "1,204 likes", font=font, fill=GREY)
    draw.rounded_rectangle((60, height - 130, width - 60, height - 40), 40, outline=GREY, width=3)
    return jpeg(screen)


CHANGES: Mapping[str, Change] = {
    "saved as a poor JPEG": lambda picture, _: jpeg(picture, 30),
    "half the size": _half,
    "meme text": _meme_text,
    "grey": lambda picture, _: jpeg(ImageOps.grayscale(picture)),
    "cropped by 10 %": _cropped(0.10),
    "cropped by 25 %": _cropped(0.25),
    "cropped by 40 %": _cropped(0.40),
    "caption above it": _caption_border,
    "screenshot": _screenshot,
    "mirrored": lambda picture, _: jpeg(ImageOps.mirror(picture)),
    "brighter": lambda picture, _: jpeg(picture.point(lambda value: min(int(value * 1.35 + 10), 255))),
}
"""By what the table calls them. Cropping takes the share off the width and off the height."""
