"""Post an image in a channel: one reply, an embed an image."""

from __future__ import annotations

from tests.world import World, picture


async def test_an_image_in_a_channel_gets_one_reply_with_its_labels(world: World) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])

    answer = world.only_answer()
    assert answer.reference is not None
    assert answer.reference.message_id == source.id
    (embed,) = answer.embeds
    assert embed.description is not None
    assert "**Egyptian cat**" in embed.description
    assert "71%" in embed.description
    assert "tabby" in embed.description
    assert embed.footer.text == "mobilenet_v2"
