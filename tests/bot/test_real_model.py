"""The whole way of an image, with the real model: a photograph is posted, and its name comes back."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import pytest
import skimage
from PIL import Image, ImageOps

from config.settings import Settings
from inference.serving.client import Classifier
from tests.bot.moderation import moderator, said, shown
from tests.bot.pressing import options, private
from tests.world import FakeClassifier, World

pytestmark = [pytest.mark.real_model, pytest.mark.simcord(settle_timeout=25), pytest.mark.timeout(600)]

HOPPER = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
SAMPLES = Path(skimage.__file__).parent / "data"


def photograph(path: Path) -> tuple[str, bytes]:
    return path.name, path.read_bytes()


@pytest.fixture
async def classifier() -> AsyncIterator[FakeClassifier]:
    """The real classifier in the scripted one's place, with the model that arrives with pip."""
    real = Classifier(Settings.model_validate({"model": {"name": "efficientnet_lite0"}}))
    await real.start()
    yield cast("FakeClassifier", real)
    await real.close()


async def test_photographs_are_named_in_a_channel_by_command_and_by_direct_message(world: World) -> None:
    files = [
        photograph(HOPPER),
        photograph(SAMPLES / "chelsea.png"),
        ("broken.jpg", HOPPER.read_bytes()[:9000]),
    ]
    await world.alice.send(world.channel, f"{world.me.mention} who and what is this?", attachments=files)
    hopper, cat, broken = world.only_answer().embeds
    assert "military uniform**" in str(hopper.description).splitlines()[0]
    assert "cat" in str(cat.description)
    assert hopper.footer.text == "EfficientNet-Lite0"
    assert str(broken.description).startswith("This picture is damaged")

    command: Any = await world.alice.slash(
        world.channel, "classify", picture=photograph(SAMPLES / "coffee.png")
    )
    assert any(word in str(command.response.embeds[0].description) for word in ("espresso", "cup"))

    dm = world.alice.user.dm_channel
    await world.alice.send_dm(
        attachments=world.stored(photograph(HOPPER), ("words.png", b"words"), channel=dm)
    )
    named, words = world.only_answer(dm).embeds
    assert "military uniform" in str(named.description)
    assert str(words.description).startswith("This file isn't a picture.")


def views(path: Path) -> dict[str, tuple[str, bytes]]:
    """Options of `/teach`: five views of one photograph."""
    picture = Image.open(path).convert("RGB")
    width, height = picture.size
    cut = [
        picture,
        picture.crop((width // 8, 0, width, height)),
        picture.crop((0, height // 8, width, height)),
        picture.crop((0, 0, width * 7 // 8, height * 7 // 8)),
        ImageOps.mirror(picture),
    ]
    return {
        f"picture{number if number > 1 else ''}": (f"{path.stem}{number}.png", png(each))
        for number, each in enumerate(cut, 1)
    }


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


async def test_what_a_server_taught_is_known_again_tested_and_explained(world: World) -> None:
    mod = moderator(world)
    for label, path in (("Chelsea", SAMPLES / "chelsea.png"), ("Grace", HOPPER)):
        taught = said(await mod.slash(world.channel, "teach", label=label, **views(path)))
        assert taught.splitlines() == [
            f"I learned **{label}** from 5 pictures.",
            "It has 5 examples now.",
        ]
    cat = Image.open(SAMPLES / "chelsea.png").convert("RGB")
    cut = png(ImageOps.mirror(cat.crop((30, 20, cat.width - 20, cat.height - 10))))
    files = [("cut.png", cut), photograph(SAMPLES / "coffee.png")]
    await world.alice.send(world.channel, world.me.mention, attachments=files)
    answer = world.only_answer()
    known, stranger = answer.embeds
    assert str(known.description).startswith("🏷️ **Chelsea**, as I was taught here")
    assert "cat" in str(known.description)
    assert "🏷️" not in str(stranger.description)

    picked = private(await mod.select(answer, [options(answer)["1. 🏷️ Chelsea"]]))
    (heat,) = private(await mod.click(picked, label="Why?")).attachments
    assert "Chelsea" in str(heat.description)
    assert Image.open(io.BytesIO(await heat.read())).width > 500

    tested = shown(await mod.slash(world.channel, "labels test")).message
    assert "10 right (100%)" in tested.content
    (chart,) = tested.attachments
    assert Image.open(io.BytesIO(await chart.read())).format == "PNG"
