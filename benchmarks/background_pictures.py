"""Make the pictures in `inference/knowledge/pictures`, from which the background of taught labels comes.

`python -m benchmarks.background_pictures FOLDER` writes them into FOLDER. The photographs are parts of those
that scikit-image and matplotlib carry and that are free of all rights; the drawings are made up here.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from benchmarks.photographs import installed

SIDE = 192
"""Pixels of a picture's side: the models look at 224, and finer detail hardly changes a background."""
OVER = 3
"""Drawings are made so many times larger, and shrunk: so their edges are soft."""
DRAWINGS = 120
QUALITY = 60

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

PHOTOGRAPHS: dict[str, tuple[Box, ...]] = {
    "skimage:data/astronaut.png": ((0.2, 0.0, 0.7, 0.5), (0.0, 0.3, 0.7, 1.0), (0.55, 0.0, 1.0, 0.45)),
    "skimage:data/camera.png": ((0.0, 0.0, 1.0, 1.0), (0.35, 0.05, 0.75, 0.45), (0.5, 0.5, 1.0, 1.0)),
    "skimage:data/chelsea.png": ((0.15, 0.0, 0.8, 1.0), (0.35, 0.1, 0.7, 0.6)),
    "skimage:data/coffee.png": ((0.1, 0.0, 0.8, 1.0), (0.4, 0.3, 0.8, 0.9)),
    "skimage:data/rocket.jpg": ((0.2, 0.0, 0.8, 1.0), (0.0, 0.3, 0.45, 1.0), (0.6, 0.0, 1.0, 0.6)),
    "skimage:data/coins.png": ((0.0, 0.0, 0.8, 1.0), (0.6, 0.5, 0.95, 1.0)),
    "skimage:data/hubble_deep_field.jpg": ((0.0, 0.0, 0.9, 1.0), (0.4, 0.3, 0.65, 0.6)),
    "skimage:data/brick.png": ((0.0, 0.0, 0.6, 0.6),),
    "skimage:data/grass.png": ((0.0, 0.0, 0.6, 0.6),),
    "skimage:data/gravel.png": ((0.0, 0.0, 0.6, 0.6),),
    "skimage:data/clock_motion.png": ((0.1, 0.0, 0.9, 1.0),),
    "skimage:data/text.png": ((0.0, 0.0, 0.4, 1.0),),
    "skimage:data/ihc.png": ((0.0, 0.0, 0.6, 0.6),),
    "skimage:data/retina.jpg": ((0.0, 0.0, 1.0, 1.0),),
    "skimage:data/cell.png": ((0.0, 0.0, 1.0, 1.0),),
    "matplotlib:mpl-data/sample_data/grace_hopper.jpg": ((0.05, 0.0, 0.95, 0.8), (0.2, 0.45, 0.9, 1.0)),
}
"""Package and file, and the parts of it: left, top, right and bottom, 0 to 1. Each is cut to a square."""


def photographs() -> Iterator[tuple[str, Image.Image]]:
    """Yield the name and the picture of each part of a photograph, RGB, `SIDE` pixels wide and high."""
    for source, parts in PHOTOGRAPHS.items():
        package, _, file = source.partition(":")
        whole = Image.open(installed(package, file)).convert("RGB")
        for number, (left, top, right, bottom) in enumerate(parts):
            box = (left * whole.width, top * whole.height, right * whole.width, bottom * whole.height)
            side = min(box[2] - box[0], box[3] - box[1])
            x, y = (box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2
            square = whole.resize((SIDE, SIDE), Image.Resampling.LANCZOS, (x, y, x + side, y + side))
            yield f"{Path(file).stem}-{number + 1}", square


class Sketch:
    """One made-up drawing, of a size of 1 x 1."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a drawing is no secret
        self.side = SIDE * OVER
        self.palette = [self._colour() for _ in range(5)]
        self.line = self.random.choice((0, 0, 2, 3, 4)) * OVER
        self.ink = self.random.choice(((0, 0, 0), (40, 30, 30), self.palette[0]))
        self.image = Image.new("RGB", (self.side, self.side), self._ground())
        self.draw = ImageDraw.Draw(self.image)

    def _colour(self) -> Colour:
        hue, light, strength = self.random.random(), self.random.uniform(0.35, 0.95), self.random.random()
        parts = (0.5 + 0.5 * math.cos(2 * math.pi * (hue + third / 3)) for third in range(3))
        red, green, blue = (round(255 * light * (1 - strength * (1 - part))) for part in parts)
        return red, green, blue

    def _ground(self) -> Colour:
        return self.random.choice(
            ((255, 255, 255), (255, 255, 255), (20, 20, 24), self._colour(), self._colour())
        )

    def chance(self, share: float) -> bool:
        """Return whether something happens that does in this share of all cases, 0 to 1."""
        return self.random.random() < share

    def colour(self) -> Colour:
        return self.random.choice(self.palette)

    def points(self, *places: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * self.side, y * self.side) for x, y in places]

    def oval(self, x: float, y: float, wide: float, high: float, fill: Colour | None = None) -> None:
        """Draw an oval around (x, y)."""
        first, last = self.points((x - wide / 2, y - high / 2), (x + wide / 2, y + high / 2))
        self.draw.ellipse((*first, *last), fill or self.colour(), self.ink if self.line else None, self.line)

    def shape(self, *places: tuple[float, float], fill: Colour | None = None) -> None:
        """Draw a polygon."""
        corners = self.points(*places)
        self.draw.polygon(corners, fill or self.colour())
        if self.line:
            self.draw.line([*corners, corners[0]], self.ink, self.line, "curve")

    def stroke(self, *places: tuple[float, float], wide: float = 0.015, fill: Colour | None = None) -> None:
        """Draw a line through places."""
        self.draw.line(self.points(*places), fill or self.ink, max(round(wide * self.side), 1), "curve")

    def finished(self) -> Image.Image:
        """Return the drawing, RGB, `SIDE` pixels wide and high."""
        return self.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def creature(sketch: Sketch) -> None:
    """Draw a creature: body, head, eyes, mouth, limbs, and sometimes ears, a tail, wings or spots."""
    pick = sketch.random.uniform
    x, y, size = pick(0.4, 0.6), pick(0.5, 0.65), pick(0.25, 0.45)
    body, head = sketch.colour(), sketch.colour()
    if sketch.chance(0.4):
        for way in (-1, 1):
            sketch.shape((x, y), (x + way * size * pick(0.8, 1.3), y - size), (x + way * size, y + 0.1))
    if sketch.chance(0.5):
        sketch.stroke((x, y), (x + size * 0.8, y + 0.1), (x + size, y - 0.15), wide=0.04, fill=body)
    for leg in range(sketch.random.randint(2, 5)):
        at = x - size / 2 + size * leg / 4
        sketch.stroke((at, y), (at + pick(-0.05, 0.05), y + size * 0.75), wide=0.035, fill=body)
    sketch.oval(x, y, size * pick(0.9, 1.3), size * pick(0.8, 1.2), body)
    top = y - size * pick(0.5, 0.75)
    wide = size * pick(0.6, 0.95)
    if sketch.chance(0.6):
        for way in (-1, 1):
            tip = (x + way * wide * pick(0.4, 0.7), top - wide * pick(0.6, 1.0))
            sketch.shape((x + way * wide * 0.1, top - 0.05), tip, (x + way * wide * 0.48, top), fill=head)
    sketch.oval(x, top, wide, wide * pick(0.8, 1.1), head)
    eyes = pick(0.12, 0.3) * wide
    for way in (-1, 1):
        sketch.oval(x + way * wide * 0.22, top - 0.02, eyes, eyes * pick(0.9, 1.5), (255, 255, 255))
        sketch.oval(x + way * wide * 0.2, top - 0.02, eyes * 0.45, eyes * 0.6, (10, 10, 10))
    sketch.stroke(
        (x - wide * 0.2, top + wide * 0.25),
        (x, top + wide * pick(0.2, 0.4)),
        (x + wide * 0.2, top + wide * 0.25),
    )
    for _ in range(sketch.random.choice((0, 0, 5))):
        sketch.oval(x + pick(-0.3, 0.3) * size, y + pick(-0.2, 0.3) * size, 0.04, 0.04)


def person(sketch: Sketch) -> None:
    """Draw a person in clothes, of whom more or less is in the picture."""
    pick = sketch.random.uniform
    scale, x, top = pick(0.7, 2.0), pick(0.4, 0.6), pick(0.2, 0.35)
    skin = sketch.random.choice(((245, 215, 190), (200, 150, 110), (110, 75, 50), sketch.colour()))
    coat, hair, legs = sketch.colour(), sketch.colour(), sketch.colour()
    head = 0.17 * scale
    if sketch.chance(0.6):
        sketch.oval(x, top + head * 0.4, head * 1.5, head * pick(1.6, 3.0), hair)
    for way in (-1, 1):
        hip = x + way * 0.05 * scale
        sketch.stroke(
            (hip, top + 0.4 * scale), (hip + way * 0.03, top + 0.75 * scale), wide=0.06 * scale, fill=legs
        )
        hand = (x + way * pick(0.15, 0.35) * scale, top + pick(0.0, 0.45) * scale)
        sketch.stroke((x + way * 0.08 * scale, top + 0.14 * scale), hand, wide=0.05 * scale, fill=coat)
        sketch.oval(*hand, 0.06 * scale, 0.06 * scale, skin)
    flare = pick(0.07, 0.2) * scale
    sketch.shape(
        (x - 0.09 * scale, top + 0.1 * scale),
        (x + 0.09 * scale, top + 0.1 * scale),
        (x + flare, top + 0.45 * scale),
        (x - flare, top + 0.45 * scale),
        fill=coat,
    )
    sketch.oval(x, top, head, head * 1.15, skin)
    for way in (-1, 1):
        sketch.oval(x + way * head * 0.22, top, head * 0.2, head * pick(0.15, 0.35), (255, 255, 255))
        sketch.oval(x + way * head * 0.22, top + 0.005, head * 0.12, head * 0.16, sketch.colour())
    sketch.shape(
        (x - head * 0.6, top - head * 0.1),
        (x - head * 0.3, top - head * 0.75),
        (x + head * 0.4, top - head * 0.75),
        (x + head * 0.6, top - head * 0.1),
        (x, top - head * pick(0.2, 0.45)),
        fill=hair,
    )
    sketch.stroke((x - head * 0.15, top + head * 0.3), (x + head * 0.15, top + head * 0.32), wide=0.01)


def plant(sketch: Sketch) -> None:
    """Draw a flower, or a tree of them."""
    pick = sketch.random.uniform
    x, y = pick(0.4, 0.6), pick(0.3, 0.5)
    green = (sketch.random.randint(20, 90), sketch.random.randint(110, 190), sketch.random.randint(30, 90))
    sketch.stroke((x, y), (x + pick(-0.05, 0.05), 0.7), (x, 1.0), wide=0.03, fill=green)
    for way in (-1, 1):
        sketch.shape((x, 0.85), (x + way * 0.2, 0.65), (x + way * 0.25, 0.8), fill=green)
    petals, far, wide = sketch.random.randint(4, 14), pick(0.12, 0.22), pick(0.08, 0.2)
    colour = sketch.colour()
    for number in range(petals):
        angle = 2 * math.pi * number / petals
        sketch.oval(x + far * math.cos(angle), y + far * math.sin(angle), wide, wide, colour)
    sketch.oval(x, y, far, far)


def scene(sketch: Sketch) -> None:
    """Draw a landscape: sky, sun, hills, houses and trees."""
    pick = sketch.random.uniform
    horizon = pick(0.4, 0.7)
    sketch.shape((0, 0), (1, 0), (1, horizon), (0, horizon))
    sketch.oval(pick(0.1, 0.9), pick(0.1, 0.3), 0.18, 0.18)
    for _ in range(sketch.random.randint(0, 3)):
        x = pick(0, 1)
        sketch.shape(
            (x - pick(0.2, 0.5), horizon), (x, horizon - pick(0.1, 0.4)), (x + pick(0.2, 0.5), horizon)
        )
    sketch.shape((0, horizon), (1, horizon), (1, 1), (0, 1))
    for _ in range(sketch.random.randint(1, 4)):
        x, y, size = pick(0.1, 0.9), horizon + pick(0.05, 0.25), pick(0.08, 0.2)
        if sketch.chance(0.5):
            sketch.shape((x - size, y), (x + size, y), (x + size, y - size), (x - size, y - size))
            sketch.shape((x - size * 1.2, y - size), (x + size * 1.2, y - size), (x, y - size * 1.8))
            sketch.shape((x - 0.02, y), (x + 0.03, y), (x + 0.03, y - size / 2), (x - 0.02, y - size / 2))
        else:
            sketch.stroke((x, y), (x, y - size), wide=0.03, fill=(110, 75, 45))
            sketch.oval(x, y - size * 1.4, size * 1.3, size * 1.5)


def thing(sketch: Sketch) -> None:
    """Draw a thing of boxes and wheels: a car, a robot, a machine."""
    pick = sketch.random.uniform
    for _ in range(sketch.random.randint(2, 5)):
        x, y, wide, high = pick(0.25, 0.75), pick(0.3, 0.7), pick(0.15, 0.5), pick(0.1, 0.4)
        sketch.shape(
            (x - wide / 2, y - high / 2),
            (x + wide / 2, y - high / 2),
            (x + wide / 2, y + high / 2),
            (x - wide / 2, y + high / 2),
        )
    for _ in range(sketch.random.randint(1, 4)):
        x, y, size = pick(0.2, 0.8), pick(0.4, 0.8), pick(0.08, 0.25)
        sketch.oval(x, y, size, size)
        sketch.oval(x, y, size / 2, size / 2)


def pattern(sketch: Sketch) -> None:
    """Draw what repeats: dots, stripes, tiles or pixels."""
    pick, count = sketch.random.uniform, sketch.random.randint(4, 16)
    kind = sketch.random.randrange(4)
    for row in range(count):
        for column in range(count):
            x, y, step = column / count, row / count, 1 / count
            if kind == 0:
                sketch.oval(x + step / 2, y + step / 2, step * 0.7, step * 0.7)
            elif kind == 1 or (kind == 2 and sketch.chance(0.5)):  # noqa: PLR2004 - the third kind
                sketch.shape((x, y), (x + step, y), (x + step, y + step), (x, y + step))
        if kind == 3:  # noqa: PLR2004 - the last kind
            sketch.stroke(
                (0, row / count),
                (1, row / count + pick(-0.1, 0.1)),
                wide=pick(0.01, 0.05),
                fill=sketch.colour(),
            )


def writing(sketch: Sketch) -> None:
    """Draw what looks like a page or a screen: bars in place of lines of text, boxes and columns."""
    pick, y = sketch.random.uniform, 0.06
    left, right, bottom = sketch.random.choice((0.05, 0.3)), 0.9, 0.95
    if sketch.chance(0.5):
        sketch.shape((0, 0), (0.25, 0), (0.25, 1), (0, 1))
    ink = sketch.colour()
    while y < bottom:
        if sketch.chance(0.15):
            high = pick(0.1, 0.25)
            sketch.shape((left, y), (pick(0.5, 0.95), y), (pick(0.5, 0.95), y + high), (left, y + high))
            y += high + 0.05
        x = left
        while x < right:
            word = pick(0.03, 0.14)
            sketch.stroke((x, y), (x + word, y), wide=0.022, fill=ink)
            x += word + 0.02
        y += 0.05


KINDS: tuple[Callable[[Sketch], None], ...] = (
    creature, creature, person, person, person, plant, scene, thing, pattern, writing,
)  # fmt: skip
"""Taken in turn. Members teach their own characters most, so there are more of them."""


def drawings() -> Iterator[tuple[str, Image.Image]]:
    """Yield the name and the picture of each drawing, RGB, `SIDE` pixels wide and high."""
    for number in range(DRAWINGS):
        sketch, draw = Sketch(number), KINDS[number % len(KINDS)]
        draw(sketch)
        made = sketch.finished()
        if sketch.chance(0.1):
            made = made.filter(ImageFilter.GaussianBlur(1.5))
        yield f"{draw.__name__}-{number:03}", made


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all pictures as WebP."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    for room, pictures in (("photographs", photographs()), ("drawings", drawings())):
        (folder / room).mkdir(parents=True, exist_ok=True)
        for name, picture in pictures:
            picture.save(folder / room / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
