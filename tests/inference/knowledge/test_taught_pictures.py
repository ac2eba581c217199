"""The whole way with the embedded model: teach pictures, name another, and see where the label was found."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from config.settings import Model, Settings
from inference.knowledge.background_bank import BackgroundBank
from inference.knowledge.client import Knowledge
from inference.knowledge.results import TaughtExample
from inference.serving.client import Classifier

MOCHI, STAR = 1, 2
SIZE = 400
PHOTOGRAPH = (Path(__file__).parents[3] / "docs" / "answer.png").read_bytes()


def drawn(thing: int, left: float, top: float, *, side: float = 180, hue: int = 0) -> bytes:
    """A small drawing on a plain ground, as PNG: a round white cat, or a yellow star."""
    image = Image.new("RGB", (SIZE, SIZE), (70 + hue, 110, 160 - hue))
    draw = ImageDraw.Draw(image)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * side, top + y * side

    if thing == MOCHI:
        for ear in (0.1, 0.6):
            draw.polygon(
                (at(ear, 0.35), at(ear + 0.12, 0), at(ear + 0.3, 0.3)), (250, 245, 235), (20, 20, 20)
            )
        draw.ellipse((*at(0, 0.2), *at(1, 1)), (250, 245, 235), (20, 20, 20), 4)
        for eye in (0.25, 0.62):
            draw.ellipse((*at(eye, 0.45), *at(eye + 0.12, 0.6)), (20, 20, 20))
    else:
        points = [(0.5, 0), (0.62, 0.36), (1, 0.38), (0.7, 0.6), (0.8, 1), (0.5, 0.77)]
        points += [(0.2, 1), (0.3, 0.6), (0, 0.38), (0.38, 0.36)]
        draw.polygon([at(*point) for point in points], (250, 210, 40), (20, 20, 20))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def classifier(embedded_model: Path) -> AsyncIterator[Classifier]:
    classifier = Classifier(Settings(model=Model(name="efficientnet_lite0")))
    try:
        await classifier.start()
        yield classifier
    finally:
        await classifier.close()


@pytest.mark.timeout(300)
async def test_a_taught_label_is_named_and_its_heat_is_where_the_thing_is(
    classifier: Classifier, tmp_path: Path
) -> None:
    info = classifier.info
    assert info.fingerprints
    places = [(60.0, 60.0), (150.0, 140.0), (110.0, 90.0), (90.0, 160.0), (160.0, 70.0)]
    taught = []
    for label in (MOCHI, STAR):
        for number, (left, top) in enumerate(places):
            seen = await classifier.classify(drawn(label, left, top, hue=9 * number), features="example")
            assert seen.fingerprint
            taught.append(TaughtExample(10 * label + number, label, seen.fingerprint))

    async def examples(server: int, kind: str) -> Sequence[TaughtExample]:
        return taught

    async def background(kind: str) -> Sequence[bytes]:
        assert kind == info.fingerprints
        return await BackgroundBank(tmp_path).fingerprints(
            info, lambda data: classifier.classify(data, features="query")
        )

    knowledge = Knowledge(examples=examples, background=background, limit_bytes=1 << 24, nice=0)
    try:
        for label in (MOCHI, STAR):
            left, top = 200.0, 30.0
            data = drawn(label, left, top, hue=20)
            seen = await classifier.classify(data, features="query")
            assert seen.fingerprint
            named = await knowledge.name(1, info.fingerprints, seen.fingerprint)
            assert named is not None
            assert (named.label, named.accepted) == (label, True)
            direction = await knowledge.direction(1, info.fingerprints, label, seen.fingerprint)
            assert direction is not None
            explained = await classifier.explain(data, [direction])
            assert explained.method == "activation"
            (heat,) = explained.maps
            row, column = divmod(heat.index(255), explained.columns)
            x, y = (column + 0.5) / explained.columns * SIZE, (row + 0.5) / explained.rows * SIZE
            assert left - 20 <= x <= left + 200
            assert top - 20 <= y <= top + 200
        stranger = await classifier.classify(PHOTOGRAPH, features="query")
        assert stranger.fingerprint
        named = await knowledge.name(1, info.fingerprints, stranger.fingerprint)
        assert named is not None
        assert not named.accepted
        report = await knowledge.test(1, info.fingerprints)
        assert report is not None
        assert report.right >= 8
    finally:
        await knowledge.close()
