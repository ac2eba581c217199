"""The whole way of an image, with the real model: a photograph is posted, and its name comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import pytest
import skimage

from config.settings import Settings
from inference.serving.client import Classifier
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
