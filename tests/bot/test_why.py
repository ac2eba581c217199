"""Under "Why?" somebody sees where in the picture the model saw what it named; nobody else does."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from bot.download.downloader import Gone
from inference.charts.client import ChartFailed, ChartPainter
from inference.results import Busy
from tests.bot.pressing import Shown, member, options, pressable, private
from tests.world import CAT, World, classified, picture


async def answered(world: World, *files: tuple[str, bytes]) -> Any:
    await world.alice.send(world.channel, attachments=list(files or [picture()]))
    return world.only_answer()


async def why(world: World, answer: Shown, who: str = "bob") -> Any:
    presser = member(world, who)
    shown = private(await presser.click(answer, label="More"))
    return private(await presser.click(shown, label="Why?"))


def classes(world: World) -> list[int | bytes]:
    ((_, asked),) = world.classifier.explained
    return asked


async def test_whoever_asks_why_sees_a_map_for_each_likely_name(world: World) -> None:
    shown = await why(world, await answered(world))
    (file,) = shown.attachments
    assert file.filename == "why.png"
    drawn = Image.open(io.BytesIO(await file.read()))
    assert drawn.width > 1000
    assert file.description == (
        "The picture under a heat map for each of these names: Egyptian cat, tabby, and tiger cat."
    )
    assert classes(world) == [label.index for label in CAT.labels[:3]]


async def test_an_unlikely_name_has_no_map(world: World) -> None:
    world.classifier.otherwise = classified(("espresso", 0.94), ("cup", 0.03), ("plate", 0.01))
    await why(world, await answered(world))
    assert len(classes(world)) == 1


async def test_of_several_pictures_the_one_that_was_picked_is_explained(world: World) -> None:
    world.classifier.says = {b"coffee": classified(("espresso", 0.94))}
    answer = await answered(world, picture(), picture("coffee.png", b"coffee"))
    bob = member(world, "bob")
    picked = private(await bob.select(answer, [options(answer)["2. espresso"]]))
    private(await bob.click(picked, label="Why?"))
    ((data, _),) = world.classifier.explained
    assert data == b"coffee"


async def test_the_picture_of_a_command_is_explained_too(world: World) -> None:
    await world.restart(download={"hosts": ["cdn.simcord.invalid"]})
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    await why(world, result.response, "alice")
    assert len(world.classifier.explained) == 1


async def test_a_spoiler_stays_one(world: World) -> None:
    shown = await why(world, await answered(world, picture("SPOILER_cat.png")))
    (file,) = shown.attachments
    assert file.filename == "SPOILER_why.png"


async def test_a_picture_that_is_gone_is_said_to_be(world: World) -> None:
    message = await world.alice.send(world.channel, attachments=[picture()])
    answer = world.only_answer()
    shown = private(await world.alice.click(answer, label="More"))
    world.env.backend.delete_message(world.channel.id, message.id)
    gone = private(await world.alice.click(shown, label="Why?"))
    assert "can't find the picture" in gone.content


@pytest.mark.parametrize(("error", "sentence"), [(Busy("full"), "busy"), (Gone("gone"), "no longer there")])
async def test_what_goes_wrong_is_said_in_one_sentence(world: World, error: Exception, sentence: str) -> None:
    answer = await answered(world)
    world.classifier.refuses = error
    assert sentence in (await why(world, answer)).content


async def test_a_drawing_that_fails_is_said_to_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> bytes:
        raise ChartFailed("no room")

    monkeypatch.setattr(ChartPainter, "draw", fail)
    assert "couldn't draw" in (await why(world, await answered(world))).content


async def test_it_counts_as_a_picture_of_whoever_presses(world: World) -> None:
    answer, bob = await answered(world), member(world, "bob")
    await world.bot.store.guilds.update(world.guild.id, {"member_per_minute": 1})
    shown = private(await bob.click(answer, label="More"))
    assert private(await bob.click(shown, label="Why?")).attachments
    assert "Try again" in private(await bob.click(shown, label="Why?")).content
    assert len(world.classifier.explained) == 1


async def test_a_server_may_have_it_under_each_answer(world: World) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"buttons": ("why",)})
    answer = await answered(world)
    assert pressable(answer) == ["Why?"]
    assert private(await member(world, "bob").click(answer, label="Why?")).attachments
