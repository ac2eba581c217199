"""An answer says that a picture was posted in the channel before, where moderators want that."""

from __future__ import annotations

from dataclasses import replace

import discord
import numpy as np
import pytest

from inference.models.fingerprint import pack
from inference.results import Classification
from tests.world import CAT, World, picture

pytestmark = pytest.mark.simcord(settle_timeout=60.0)  # the process that compares has to start

NAMED = "Seen before: https://discord.com/channels/{}/{}/{}, <t:"


@pytest.fixture(autouse=True)
def features(world: World) -> None:
    """The model gives fingerprints."""
    world.classifier.features = 32


def looks(
    number: int, *, like: int | None = None, share: float = 0.0, bits: int | None = None
) -> Classification:
    """A cat whose fingerprint is picture `number`'s, and by a `share` that of another one."""
    vectors = [np.random.default_rng(each).standard_normal(32) for each in (number, like or number)]
    mixed = (1 - share) * vectors[0] + share * vectors[1]
    hashed = None if bits is None else bits.to_bytes(8, "big")
    return replace(CAT, fingerprint=pack(mixed.astype(np.float32)), perceptual_hash=hashed)


async def turn_on(world: World, *, reposts: bool = True) -> None:
    listed = (world.channel.id,)
    changes = {"index_channels": listed, "repost_channels": listed if reposts else ()}
    await world.bot.store.guilds.update(world.guild.id, changes)


async def post(world: World, name: bytes, seen: Classification) -> discord.Message:
    world.classifier.says[name] = seen
    return await world.alice.send(world.channel, attachments=[picture(data=name)])


async def test_the_same_picture_again_is_pointed_out_and_a_new_one_is_not(world: World) -> None:
    await turn_on(world)
    first = await post(world, b"first", looks(1))
    await post(world, b"other", looks(2))
    await post(world, b"again", looks(1, like=2, share=0.1))
    first_answer, other_answer, again = world.answers()
    assert "Seen before" not in first_answer.content + other_answer.content
    assert again.content.startswith(NAMED.format(world.guild.id, world.channel.id, first.id))
    assert again.embeds, "and it says what is in the picture"


async def test_a_copy_whose_fingerprint_changed_is_known_by_its_hash(world: World) -> None:
    await turn_on(world)
    first = await post(world, b"first", looks(1, bits=0b1111))
    await post(world, b"again", looks(2, bits=0b1110))
    assert str(first.id) in world.answers()[-1].content


async def test_of_several_the_oldest_is_linked_to(world: World) -> None:
    await turn_on(world)
    first = await post(world, b"first", looks(1))
    await post(world, b"second", looks(1))
    await post(world, b"third", looks(1))
    assert str(first.id) in world.answers()[-1].content


async def test_of_several_pictures_it_says_which(world: World) -> None:
    await turn_on(world)
    first = await post(world, b"first", looks(1))
    world.classifier.says |= {b"new": looks(2), b"old": looks(1)}
    files = [picture("a.png", b"new"), picture("b.png", b"old")]
    await world.alice.send(world.channel, attachments=files)
    content = world.answers()[-1].content
    assert content.startswith("Picture 2 seen before: ")
    assert str(first.id) in content


async def test_what_was_posted_elsewhere_is_not_told(world: World) -> None:
    """Not everybody who reads the answer may be able to read the other channel."""
    other = world.guild.create_text_channel("other")
    listed = (world.channel.id, other.id)
    await world.bot.store.guilds.update(world.guild.id, {"index_channels": listed, "repost_channels": listed})
    world.classifier.says[b"cat"] = looks(1)
    await world.alice.send(other, attachments=[picture()])
    await world.alice.send(world.channel, attachments=[picture()])
    assert "Seen before" not in world.answers()[-1].content


async def test_without_a_moderators_wish_nothing_is_said(world: World) -> None:
    await turn_on(world, reposts=False)
    await post(world, b"first", looks(1))
    await post(world, b"again", looks(1))
    assert "Seen before" not in world.answers()[-1].content


async def test_the_same_message_is_no_repost_of_itself(world: World) -> None:
    await turn_on(world)
    first = await post(world, b"first", looks(1))
    await world.alice.send(world.channel, f"{world.me.mention} and this?", reply_to=first)
    assert all("Seen before" not in answer.content for answer in world.answers())


async def test_a_deleted_picture_was_not_seen_before(world: World) -> None:
    await turn_on(world)
    await world.alice.delete(await post(world, b"first", looks(1)))
    await post(world, b"again", looks(1))
    assert "Seen before" not in world.answers()[-1].content
