"""What became of each image, which way it came in, and what each stage took: counted, and a line an image."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
import pytest

from bot.delivery.reactions import OFFER
from bot.download.downloader import Gone
from bot.tracing import request_tracing
from bot.tracing.request_tracing import CANCELLED, FAILED, NAMED, RequestTracing
from inference.results import Busy, CorruptImage
from tests.bot.wishes import post, server
from tests.world import World, picture

LOGGER = request_tracing.__name__
MENU = "What's in this picture?"


@pytest.fixture(autouse=True)
def lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=LOGGER)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the lines of all images show, oldest first."""
    return [vars(record) for record in caplog.records if record.name == LOGGER]


async def add_picture(world: World, message: discord.Message, *file: tuple[str, bytes]) -> None:
    shown = [*world.payload(message)["attachments"], *world.stored(*file)]
    world.env.backend.edit_message(message.channel.id, message.id, {"attachments": shown})
    await world.env.settle()


async def test_each_way_in_is_told_apart(world: World) -> None:
    seen = world.observer
    source = await post(world)
    assert seen.images == [("watched", NAMED)]
    await post(world, content=f"{world.me.mention} look")
    assert seen.images[1:] == [("mention", NAMED)]
    await add_picture(world, source, picture("dog.png", b"dog"))
    assert seen.images[2:] == [("edit", NAMED)] * 2
    await world.alice.slash(world.channel, "classify", picture=picture())
    assert seen.images[4:] == [("command", NAMED)]
    await world.alice.context_menu(world.channel, MENU, source)
    assert seen.images[5:] == [("menu", NAMED)] * 2
    await server(world, how="react")
    await world.alice.react(await post(world), OFFER)
    assert seen.images[7:] == [("offer", NAMED)]
    channel = world.alice.user.dm_channel
    await world.alice.send_dm(attachments=world.stored(picture(), channel=channel))
    assert seen.images[8:] == [("direct_message", NAMED)]
    assert set(seen.requests) == {way for way, _ in seen.images} == {way for way, _ in seen.answers}


async def test_what_a_crash_left_open_is_caught_up_with(world: World) -> None:
    await server(world, how="react")
    source = await post(world)
    await world.bot.store.work.accept_message(
        message_id=source.id,
        channel_id=world.channel.id,
        guild_id=world.guild.id,
        user_id=world.alice.id,
        asked=True,
    )
    await world.restart()
    assert world.observer.images == [("catch_up", NAMED)]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Busy("full"), "busy"), (CorruptImage("cut"), "corrupt_image"), (OSError(), FAILED)],
)
@pytest.mark.logs_errors
async def test_an_image_that_is_not_named_ends_with_its_reason(
    world: World, error: Exception, outcome: str
) -> None:
    world.classifier.otherwise = error
    await post(world)
    await world.alice.slash(world.channel, "classify", picture=picture())
    assert world.observer.images == [("watched", outcome), ("command", outcome)]


async def test_an_image_that_cannot_be_fetched_ends_with_its_reason(world: World) -> None:
    world.fetcher.fails["cat.png"] = Gone("404")
    await post(world)
    assert world.observer.images == [("watched", "gone")]
    assert "send" not in world.observer.stages


async def test_an_answer_that_is_not_sent_takes_its_named_images_along(world: World) -> None:
    world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=404, code=10003)
    await post(world)
    assert world.observer.images == [("watched", "dropped")]
    assert world.observer.answers == []


async def test_whoever_deletes_the_picture_cancels_it(world: World) -> None:
    async def a_while(_: bytes) -> None:
        (source,) = [m for m in world.channel.history() if m.author.id == world.alice.id]
        world.env.backend.delete_message(world.channel.id, source.id)
        await asyncio.sleep(1)

    world.classifier.meanwhile = a_while
    await post(world)
    assert world.observer.images == [("watched", CANCELLED)]


@pytest.mark.whatsit(limits={"user_burst": 1, "user_images_per_minute": 1})
async def test_images_over_the_quota_are_counted(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(), picture("b.png", b"b")])
    assert sorted(world.observer.images) == [("watched", NAMED), ("watched", "over_quota")]


async def test_an_image_where_the_bot_may_not_write_is_counted(world: World) -> None:
    await world.post(world.closed_to(send_messages=False), attachments=world.stored(picture()))
    assert world.observer.images == [("watched", "not_admitted")]


async def test_the_line_of_an_image_shows_its_stages(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await post(world)
    (line,) = lines(caplog)
    assert (line["way"], line["outcome"]) == ("watched", NAMED)
    assert (line["model"], line["engine"], line["views"], line["bytes"]) == ("mobilenet_v2", "openvino", 1, 3)
    for stage in ("ledger", "queue", "download", "wait", "words", "send", "total"):
        assert line[f"{stage}_ms"] >= 0


async def test_every_image_has_a_line_and_an_id_of_its_own_and_a_failed_one_its_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.classifier.says[b"bad"] = CorruptImage("cut short")
    await world.alice.send(world.channel, attachments=[picture(), picture("b.png", b"bad")])
    assert [(line["outcome"], line.get("why")) for line in lines(caplog)] == [
        (NAMED, None),
        ("corrupt_image", "cut short"),
    ]
    assert len({line["id"] for line in lines(caplog)}) == 2


async def test_an_image_keeps_its_id_which_tells_nobody_in_which_message_it_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    source = await post(world)
    await add_picture(world, source, picture("dog.png", b"dog"))
    first, again, added = lines(caplog)
    assert first["id"] == again["id"] != added["id"]
    with RequestTracing().request("watched", source.id, source.created_at) as other_run:
        assert other_run.image().id not in {first["id"], added["id"]}
