"""`/about`: what the bot is, for anybody, in a few lines."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

import pytest

from bot.i18n import ENGLISH
from bot.presentation.about_text import AboutFacts, about_text
from inference.results import ModelInfo, SandboxState
from tests.bot.moderation import said
from tests.world import World

MODEL = ModelInfo(
    "efficientnet_lite0", "openvino", 224, 1000, None, "0" * 64, 1, sandbox=SandboxState(6, seccomp=True)
)


def lines(model: ModelInfo = MODEL, source: str | None = None) -> list[str]:
    return about_text(AboutFacts("1.2.3", model, ["English", "Deutsch"], source), ENGLISH).splitlines()


async def test_anybody_is_told_and_nobody_else_sees_it(world: World) -> None:
    words = said(await world.alice.slash(world.channel, "about"))
    assert f"**Whatsit {version('whatsit')}**" in words
    assert "**Model**: MobileNetV2, on OpenVINO." in words
    assert "**Where pictures go**: nowhere." in words
    assert "Deutsch" in words
    assert "https://www.apache.org/licenses/LICENSE-2.0" in words


async def test_it_speaks_the_askers_language(world: World) -> None:
    await world.bot.store.members.update(world.alice.id, {"language": "ja"})
    assert "画像の送り先" in said(await world.alice.slash(world.channel, "about"))


def test_it_names_version_model_engine_sandbox_and_licence() -> None:
    assert lines() == [
        "**Whatsit 1.2.3** says what is in a picture.",
        "**Model**: EfficientNet-Lite0, on OpenVINO.",
        "**Sandbox**: it holds. What reads pictures can open no file, reach no network, start no program.",
        "**Where pictures go**: nowhere. Only my owner's own machines look at them, and keep none.",
        "**Languages**: English and Deutsch",
        "**Licence**: [Apache License 2.0](<https://www.apache.org/licenses/LICENSE-2.0>)",
    ]


def test_a_model_that_stands_in_for_another_says_why() -> None:
    fallback = replace(MODEL, engine="tensorflow", caveats=("hub_out_of_reach", "slower_engine"))
    assert lines(fallback)[1] == (
        "**Model**: EfficientNet-Lite0, on TensorFlow. It stands in for MobileNetV2, which could not be "
        "downloaded from TensorFlow Hub. The slower engine runs it, because the faster one did not agree "
        "with it."
    )


@pytest.mark.parametrize(
    ("sandbox", "begins"),
    [
        (SandboxState(), "**Sandbox**: there is none"),
        (SandboxState(landlock=4), "**Sandbox**: it holds in part"),
        (SandboxState(seccomp=True), "**Sandbox**: it holds in part"),
    ],
)
def test_a_sandbox_that_does_not_hold_is_no_secret(sandbox: SandboxState, begins: str) -> None:
    assert lines(replace(MODEL, sandbox=sandbox))[2].startswith(begins)


def test_a_model_of_the_owners_own_has_its_own_name_without_markup() -> None:
    assert lines(replace(MODEL, name="my_model*", engine="mine"))[1] == "**Model**: my\\_model\\*, on mine."


def test_the_owner_can_say_where_the_source_is() -> None:
    assert lines(source="https://code.example/whatsit")[-1].endswith(
        "[source](<https://code.example/whatsit>)"
    )


@pytest.mark.whatsit(discord={"source_url": "https://code.example/whatsit"})
async def test_the_owners_address_comes_from_the_settings(world: World) -> None:
    assert "(<https://code.example/whatsit>)" in said(await world.alice.slash(world.channel, "about"))
