"""Discord would take every body that the bot sends.

Each test that runs the bot in a simulated Discord has its bodies checked when it ends (`tests/world.py`).
Here are the answers that are largest and rarest, and the proof that the check can fail.
"""

from __future__ import annotations

import os

import discord
import pytest
from simcord.types import HttpLogEntry

from inference.results import CorruptImage
from tests.payloads.schema import Schema, missing
from tests.world import World, classified, picture


def test_bodies_are_checked_on_this_machine() -> None:
    reason = missing()
    if reason is not None and os.environ.get("CI"):
        pytest.fail(reason)
    if reason is not None:
        pytest.skip(reason)


@pytest.mark.parametrize(
    ("method", "path", "body", "refused"),
    [
        ("POST", "/channels/1/messages", {"content": "hello"}, None),
        ("POST", "/channels/1/messages", {"content": 5}, "content"),
        ("POST", "/channels/1/messages", {"embeds": [{"title": "t"}] * 11}, "embeds"),
        ("POST", "/channels/1/messages", {"embeds": [{"description": "d" * 4000}] * 2}, "6000"),
        ("PATCH", "/channels/1/messages/2", {"content": "c" * 2001}, "2000"),
        ("PUT", "/applications/1/commands", [{"name": "n" * 33, "type": 1}], "name"),
        ("POST", "/interactions/1/token/callback", {"type": 99}, "Invalid input"),
        ("POST", "/somewhere/new", {"a": 1}, "no schema is known"),
    ],
)
def test_what_discord_refuses_is_found(
    discord_schema: Schema | None, method: str, path: str, body: object, refused: str | None
) -> None:
    if discord_schema is None:
        pytest.skip(str(missing()))
    problems = discord_schema.problems([HttpLogEntry(method, path, {}, body, None)])
    if refused is None:
        assert problems == []
    else:
        assert [refused in problem for problem in problems] == [True]


async def test_ten_long_answers_fit_into_one_message(world: World) -> None:
    world.classifier.otherwise = classified(
        *((f"{n} " + "*_~|" * 60, 0.9) for n in range(10)), model="m_" * 200
    )
    await world.alice.send(world.channel, attachments=[picture("n" * 200 + f"{n}.png") for n in range(10)])
    await world.alice.slash(world.channel, "classify", picture=picture("*" * 200 + ".png"), top=10)
    await world.alice.send(world.closed_to(embed_links=False), attachments=[picture()] * 10)
    assert len(world.answers()) == 2


async def test_ten_images_with_all_buttons_are_taken_and_what_is_pressed_too(world: World) -> None:
    world.classifier.otherwise = classified(*((f"{n} " + "*_~|" * 60, 0.9) for n in range(10)))
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(10)])
    answer = world.only_answer()
    (menu, *_), *_ = (row.children for row in answer.components if isinstance(row, discord.ActionRow))
    assert isinstance(menu, discord.SelectMenu)
    picked = await world.alice.select(answer, [menu.options[9].value])
    assert picked.response is not None
    await world.alice.click(picked.response, label="Alt text")
    question = (await world.alice.click(picked.response, label="Was this right?")).response
    assert question is not None
    await world.alice.click(question, label="No")
    names = await world.alice.select(question, ["else"])
    await world.alice.submit_modal(names, {"said": "it" * 50})
    (opinion,) = await world.bot.store.feedback.on(answer.id)
    assert (opinion.image, opinion.said) == (9, "it" * 50)


async def test_answers_of_every_kind_are_taken(world: World) -> None:
    world.classifier.says = {b"bad": CorruptImage("cut"), b"dim": classified(("lynx", 0.1))}
    files = [picture(), picture("SPOILER_a.png"), picture("bad.png", b"bad"), picture("dim.png", b"dim")]
    source = await world.alice.send(world.channel, attachments=files)
    await world.alice.click(world.only_answer(), custom_id="whatsit:pic:dm:")
    await world.alice.slash(world.channel, "classify", picture=picture(), dm=True)
    await world.alice.context_menu(world.channel, "What's in this picture?", source)
    await world.alice.send(world.channel, world.me.mention)
    await world.alice.delete(source)
    assert len(world.answers(world.alice.user.dm_channel)) == 2
