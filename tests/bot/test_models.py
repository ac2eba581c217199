"""A server may choose a model that the owner allows: loaded when first wanted, and nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bot.answering.models import AGAIN
from bot.composition import compose
from config.settings import Model, Settings
from inference.results import ModelInfo, ModelUnavailable
from inference.serving.client import Classifier
from tests.bot.moderation import moderator, said
from tests.bot.wishes import post, server
from tests.stores import opened_store
from tests.world import CAT, FakeClassifier, StoreFetcher, World

ALLOWED = pytest.mark.whatsit(model={"allowed": ["mobilenet_v1_025", "mobilenet_v2"]})
SMALL, SMALL_TITLE = "mobilenet_v1_025", "MobileNetV1 0.25"


class Other(FakeClassifier):
    """A model that says its own name, or cannot be loaded."""

    def __init__(self, name: str, trouble: str | None) -> None:
        super().__init__(otherwise=replace(CAT, model=name))
        self.name, self.trouble = name, trouble
        self.started = self.closed = 0

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, name=self.name, content_hash="1" * 64)

    async def start(self, report: object = None) -> ModelInfo:
        self.started += 1
        if self.trouble:
            raise ModelUnavailable(self.trouble)
        return self.info

    async def close(self) -> None:
        self.closed += 1


class Others:
    """What the bot makes other classifiers with. `trouble`: why the next ones cannot be loaded."""

    def __init__(self) -> None:
        self.made: list[Other] = []
        self.trouble: str | None = None

    def __call__(self, settings: Settings) -> Classifier:
        self.made.append(Other(settings.model.name, self.trouble))
        return cast("Classifier", self.made[-1])


@pytest.fixture
def others(world: World) -> Others:
    made = Others()
    world.classifier.another = made
    return made


def named_by(world: World) -> list[str | None]:
    return [answer.embeds[0].footer.text for answer in world.answers()]


@ALLOWED
async def test_the_servers_model_answers_once_it_is_loaded_and_the_usual_one_meanwhile(
    world: World, others: Others
) -> None:
    await post(world)
    assert others.made == []
    await server(world, model=SMALL)
    for _ in range(3):
        await post(world)
    assert named_by(world) == ["MobileNetV2", "MobileNetV2", "MobileNetV1 0.25", "MobileNetV1 0.25"]
    assert [model.started for model in others.made] == [1]
    assert others.made[0].admitted[0][1] == world.guild.id


@ALLOWED
async def test_other_servers_keep_the_usual_model(world: World, others: Others) -> None:
    await server(world, model=SMALL)
    elsewhere = world.env.create_guild("Dog lovers")
    channel = elsewhere.create_text_channel("dogs")
    bob = elsewhere.add_member(world.env.create_user("bob"))
    for _ in range(2):
        await post(world)
        await post(world, channel, member=bob)
    assert {answer.embeds[0].footer.text for answer in world.answers(channel)} == {"MobileNetV2"}
    assert named_by(world)[-1] == SMALL_TITLE


@ALLOWED
async def test_a_model_that_cannot_be_loaded_is_one_line_in_the_log_and_a_note_for_moderators(
    world: World, others: Others, caplog: pytest.LogCaptureFixture
) -> None:
    others.trouble = "The Hub cannot be reached."
    await server(world, model=SMALL)
    for _ in range(3):
        await post(world)
    assert named_by(world) == ["MobileNetV2"] * 3
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith(f"{SMALL} cannot be used")
    assert "The Hub cannot be reached." in line
    assert [model.closed for model in others.made] == [1]
    shown = said(await moderator(world).slash(world.channel, "settings show"))
    assert f"{SMALL_TITLE} (can't be loaded; the default is used instead)" in shown

    others.trouble = None
    await world.env.advance_time(AGAIN)
    for _ in range(2):
        await post(world)
    assert named_by(world)[-1] == SMALL_TITLE
    assert "cannot be loaded" not in said(
        await moderator(world, "other").slash(world.channel, "settings show")
    )


@ALLOWED
async def test_a_model_that_the_owner_no_longer_allows_is_not_loaded(world: World, others: Others) -> None:
    await server(world, model="mobilenet_v2_130")
    await post(world)
    assert (others.made, named_by(world)) == ([], ["MobileNetV2"])


@ALLOWED
async def test_the_usual_model_by_its_name_is_no_second_one(world: World, others: Others) -> None:
    await server(world, model="mobilenet_v2")
    await post(world)
    assert others.made == []


async def test_all_models_end_with_the_bot_but_not_the_owners_which_it_was_given(tmp_path: Path) -> None:
    settings = Settings(model=Model(allowed=(SMALL,)))
    others, usual = Others(), Other("mobilenet_v2", None)
    async with opened_store(settings, tmp_path) as store:
        bot = compose(settings, cast("Classifier", usual), StoreFetcher(), store, another_model=others)
        async with bot.models.admit(1, model=SMALL):
            await asyncio.sleep(0)
        await bot.close()
    assert [model.closed for model in others.made] == [1]
    assert usual.closed == 0


async def test_buttons_under_another_models_answer_work(world: World, others: Others) -> None:
    assert world.bot.models.infos() == (world.classifier.info,)
    await world.restart(model={"allowed": [SMALL]})
    await server(world, model=SMALL)
    for _ in range(2):
        await post(world)
    assert [info.name for info in world.bot.models.infos()] == ["mobilenet_v2", SMALL]
