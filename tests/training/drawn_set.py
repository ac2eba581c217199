"""Folders of drawn pictures, a folder a class, always the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["KINDS", "draw_set"]

Draw = Callable[[ImageDraw.ImageDraw, np.random.Generator, str], None]
WIDTH, HEIGHT = 240, 180


def _many(shape: str) -> Draw:
    def draw(canvas: ImageDraw.ImageDraw, random: np.random.Generator, colour: str) -> None:
        for _ in range(int(random.integers(5, 9))):
            x, y = random.integers(0, WIDTH), random.integers(0, HEIGHT)
            half = random.integers(14, 30)
            box = (int(x - half), int(y - half), int(x + half), int(y + half))
            if shape == "discs":
                canvas.ellipse(box, fill=colour)
            elif shape == "rings":
                canvas.ellipse(box, outline=colour, width=5)
            elif shape == "squares":
                canvas.rectangle(box, fill=colour)
            else:
                canvas.line(box, fill=colour, width=7)
                canvas.line((box[0], box[3], box[2], box[1]), fill=colour, width=7)

    return draw


def _stripes(canvas: ImageDraw.ImageDraw, random: np.random.Generator, colour: str) -> None:
    step, lean = int(random.integers(18, 34)), int(random.integers(-40, 40))
    for x in range(-60, WIDTH + 60, step):
        canvas.line((x, 0, x + lean, HEIGHT), fill=colour, width=step // 2)


def _checks(canvas: ImageDraw.ImageDraw, random: np.random.Generator, colour: str) -> None:
    step = int(random.integers(18, 34))
    for x in range(0, WIDTH, step):
        for y in range(0, HEIGHT, step):
            if (x + y) // step % 2:
                canvas.rectangle((x, y, x + step, y + step), fill=colour)


KINDS: dict[str, Draw] = {
    "discs": _many("discs"),
    "rings": _many("rings"),
    "squares": _many("squares"),
    "crosses": _many("crosses"),
    "stripes": _stripes,
    "check_patterns": _checks,
}
"""What the pictures of each class show."""


def draw_set(folder: Path, kinds: list[str], count: int, *, seed: int, hues: bool = False) -> Path:
    """Write `count` JPEGs of each of `kinds` into a folder of its own below `folder`, and return that.

    With `hues` each kind has a colour of its own, so that anybody can tell it.
    """
    random = np.random.default_rng(seed)
    for number, kind in enumerate(kinds):
        place = folder / kind
        place.mkdir(parents=True)
        for picture in range(count):
            ground = 360 * number // len(kinds) if hues else int(random.integers(0, 360))
            image = Image.new("RGB", (WIDTH, HEIGHT), f"hsl({ground}, 60%, {random.integers(60, 90)}%)")
            shade = f"hsl({ground if hues else (ground + 180) % 360}, 70%, {random.integers(15, 45)}%)"
            KINDS[kind](ImageDraw.Draw(image), random, shade)
            noise = random.normal(0, 6, (HEIGHT, WIDTH, 3))
            pixels = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / f"{picture:03}.jpg", quality=90)
    return folder
