"""A burst in one channel: answers are merged, or offered, before any of them is late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import discord
import pytest

from bot.delivery.outbox import AT_ONCE, WINDOW
from bot.delivery.reactions import OFFER
from tests.bot.pressing import description, options, pressable, private
from tests.bot.wishes import reactions, server
from tests.world import World, classified, picture

DOG = classified(("beagle", 0.93), ("basset", 0.03))


HOLD = 20.0


class Held:
    """Discord holds messages back for `HOLD` seconds, as its rate limit does; then they go through."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        over = world.env.now().timestamp() + HOLD
        send = world.bot.http.send_message

        async def held(*args: Any, **kwargs: Any) -> Any:
            left = over - world.env.now().timestamp()
            if left > 0:
                self.waiting += 1
                await asyncio.sleep(left)
                self.waiting -= 1
            return await send(*args, **kwargs)

        monkeypatch.setattr(world.bot.http, "send_message", held)


@pytest.fixture
def held(world: World, monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(world, monkeypatch)


async def burst(world: World, count: int, *, files: Callable[[int], list[tuple[str, bytes]]]) -> list[int]:
    """So many messages at once; nobody waits for their answers."""
    backend, ids = world.env.backend, []
    for number in range(count):
        stored = backend.store_attachments(world.channel.id, files(number))
        message = backend.create_message(world.channel.id, world.alice.id, "", attachments=stored)
        ids.append(message.id)
    return ids


async def merged_by(world: World) -> discord.Message:
    """The largest of the answers that there are when Discord has let all of them through."""
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD)
    return max(world.answers(), key=lambda answer: len(answer.embeds))


def one(number: int) -> list[tuple[str, bytes]]:
    return [picture(f"{number}.png", b"dog" if number % 2 else b"cat")]


def sources(answer: discord.Message) -> list[int]:
    """The messages that an answer links or replies to, in its order."""
    if answer.reference is not None:
        return [answer.reference.message_id or 0]
    return [int(str(embed.author.url).rpartition("/")[2]) for embed in answer.embeds]


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_what_is_finished_while_discord_holds_messages_back_goes_together(
    world: World, held: Held
) -> None:
    world.classifier.says = {b"dog": DOG}
    ids = await burst(world, 20, files=one)
    await world.env.advance_time(1)
    assert held.waiting == AT_ONCE + 1
    await world.env.advance_time(HOLD)
    answers = world.answers()
    assert sorted(source for answer in answers for source in sources(answer)) == sorted(ids)
    assert AT_ONCE + 2 <= len(answers) <= AT_ONCE + 3  # and not 20
    assert [len(answer.embeds) > 1 for answer in answers] == [not answer.reference for answer in answers]
    for embed in (embed for answer in answers if not answer.reference for embed in answer.embeds):
        number = ids.index(int(str(embed.author.url).rpartition("/")[2]))
        assert embed.author.name == "alice"
        assert ("beagle" if number % 2 else "Egyptian cat") in str(embed.description)


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_a_conversation_is_answered_message_by_message(world: World) -> None:
    for _ in range(3 * AT_ONCE):
        await burst(world, 1, files=one)
        await world.env.advance_time(WINDOW / AT_ONCE)
    assert [len(answer.embeds) for answer in world.answers()] == [1] * (3 * AT_ONCE)
    assert all(answer.reference for answer in world.answers())


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000}, watch={"late_after": 24})
@pytest.mark.simcord(settle_timeout=60.0)  # 120 answers on a busy machine
async def test_what_cannot_be_sent_in_good_time_is_offered_and_not_late(world: World, held: Held) -> None:
    ids = await burst(world, 120, files=one)
    await world.env.advance_time(1)
    await world.env.advance_time(HOLD)
    answered = {source for answer in world.answers() for source in sources(answer)}
    offered = set(ids) - answered
    stored = {message.id: message for message in world.channel.history()}
    assert len(answered) > AT_ONCE
    assert len(offered) > AT_ONCE
    assert all(reactions(world, stored[message_id]) == [OFFER] for message_id in offered)
    assert all(reactions(world, stored[message_id]) == [] for message_id in answered)

    await world.alice.react(stored[min(offered)], OFFER)
    assert sources(world.answers()[-1]) == [min(offered)]


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000}, watch={"late_after": 10})
async def test_what_discord_holds_for_too_long_is_offered(world: World, held: Held) -> None:
    ids = await burst(world, 12, files=one)
    await world.env.advance_time(30)
    stored = {message.id: message for message in world.channel.history()}
    assert world.answers() == []
    assert all(reactions(world, stored[message_id]) == [OFFER] for message_id in ids)


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_many_pictures_of_many_messages_stay_within_discords_limits(world: World, held: Held) -> None:
    """`world` checks every body against Discord's schema."""
    world.classifier.otherwise = classified(*[(f"{n} " + "x" * 90, 0.9 - n / 10) for n in range(5)])
    await server(world, top=10, min_confidence=0.0)
    ids = await burst(
        world, 12, files=lambda n: [picture(f"{n}-{m}.png", b"%d" % m) for m in range(1 + n % 3)]
    )
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD)
    assert {source for answer in world.answers() for source in sources(answer)} == set(ids)
    for answer in world.answers():
        assert sum(map(len, answer.embeds)) <= 6000
        assert len(answer.embeds) <= 10


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_a_hundred_pictures_of_one_merged_answer_are_in_four_menus(world: World, held: Held) -> None:
    await burst(world, AT_ONCE + 16, files=lambda n: [picture(f"{n}-{m}.png", b"cat") for m in range(10)])
    merged = await merged_by(world)
    assert len(merged.embeds) == 10
    assert pressable(merged) == [*["More about a picture…"] * 4, "Send to my DMs"]
    assert len(set(options(merged).values())) == 100


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_a_merged_answer_loses_the_part_whose_picture_goes(world: World, held: Held) -> None:
    await burst(world, 9, files=one)
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD)
    sent = len(world.answers())
    merged = max(world.answers(), key=lambda answer: len(answer.embeds))
    gone, *left = sources(merged)
    world.env.backend.delete_message(world.channel.id, gone)
    await world.env.settle()
    assert left
    assert [sources(answer) for answer in world.answers() if answer.id == merged.id] == [left]
    await world.restart()
    world.env.backend.bulk_delete_messages(world.channel.id, left)
    await world.env.settle()
    assert merged.id not in {answer.id for answer in world.answers()}
    assert len(world.answers()) == sent - 1


@pytest.mark.parametrize("times", [1, None])
async def test_a_merged_answer_outlives_a_fault_of_the_network(
    world: World, held: Held, times: int | None
) -> None:
    await burst(world, 9, files=one)
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD)
    merged = max(world.answers(), key=lambda answer: len(answer.embeds))
    gone, *left = sources(merged)
    world.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=times)
    world.env.backend.delete_message(world.channel.id, gone)
    await world.env.settle()
    await world.env.advance_time(30)
    (kept,) = [answer for answer in world.answers() if answer.id == merged.id]
    assert sources(kept) == (left if times == 1 else [gone, *left])


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_each_picture_of_a_merged_answer_is_in_its_menu(world: World, held: Held) -> None:
    """Also where somebody posts the same picture twice."""
    world.classifier.says = {b"dog": DOG}
    await burst(world, 9, files=lambda n: [picture(f"{n}.png", b"dog"), picture(f"{n}b.png", b"cat")])
    merged = await merged_by(world)
    assert pressable(merged) == ["More about a picture…", "Send to my DMs"]  # and Delete where one is picked
    assert [name.partition(". ")[0] for name in options(merged)] == [
        str(number) for number in range(1, len(merged.embeds) + 1)
    ]
    for name, embed in zip(options(merged), merged.embeds, strict=True):
        assert name.partition(": ")[2] in str(embed.description)
    name, value = next((name, value) for name, value in options(merged).items() if "beagle" in name)

    await world.restart()
    shown = private(await world.alice.select(merged, [value]))
    assert "basset" in description(shown)
    assert str(shown.embeds[0].title) in {f"{n}.png" for n in range(9)}
    assert pressable(shown) == ["Why?", "Was this right?", "Alt text", "Delete"]
    await world.alice.click(private(await world.alice.click(shown, label="Was this right?")), label="Yes")
    (opinion,) = await world.bot.store.feedback.on(merged.id)
    assert (opinion.image + 1, opinion.label) == (int(name.partition(".")[0]), "beagle")


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_delete_of_a_picked_picture_takes_its_part_out_of_a_merged_answer(
    world: World, held: Held
) -> None:
    await burst(world, 9, files=one)
    merged = await merged_by(world)
    first, *others = options(merged)
    shown = private(await world.alice.select(merged, [options(merged)[first]]))
    await world.alice.click(shown, label="Delete")
    (left,) = [answer for answer in world.answers() if answer.id == merged.id]
    assert list(options(left)) == others
    assert len(left.embeds) == len(merged.embeds) - 1


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_of_a_picture_that_goes_nothing_is_left_to_press(world: World, held: Held) -> None:
    await burst(world, 9, files=one)
    merged = await merged_by(world)
    _, *names = options(merged)
    world.env.backend.delete_message(world.channel.id, sources(merged)[0])
    await world.env.settle()
    (left,) = [answer for answer in world.answers() if answer.id == merged.id]
    assert names
    assert list(options(left)) == names
    assert pressable(left) == ["More about a picture…", "Send to my DMs"]


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_a_picture_deleted_while_its_answer_waits_is_not_in_it(world: World, held: Held) -> None:
    ids = await burst(world, 9, files=one)
    await world.env.advance_time(2)
    world.env.backend.delete_message(world.channel.id, ids[-1])
    await world.env.settle()
    await world.env.advance_time(HOLD)
    assert sorted(source for answer in world.answers() for source in sources(answer)) == ids[:-1]


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_an_edit_takes_its_part_out_of_a_merged_answer_and_answers_anew(
    world: World, held: Held
) -> None:
    ids = await burst(world, 9, files=one)
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD + WINDOW)
    merged = max(world.answers(), key=lambda answer: len(answer.embeds))
    edited, *left = sources(merged)
    stored = world.stored(picture("new.png", b"new"), picture("too.png", b"too"))
    world.env.backend.edit_message(world.channel.id, edited, {"attachments": stored})
    await world.env.settle()
    by_id = {answer.id: answer for answer in world.answers()}
    assert sources(by_id[merged.id]) == left
    new = world.answers()[-1]
    assert (sources(new), len(new.embeds)) == ([edited], 2)
    assert len(ids) == 9


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_bursts_in_two_channels_do_not_wait_for_each_other(world: World, held: Held) -> None:
    await burst(world, 9, files=one)
    await world.env.advance_time(2)
    before = held.waiting
    other = world.guild.create_text_channel("other")
    backend = world.env.backend
    stored = backend.store_attachments(other.id, [picture()])
    backend.create_message(other.id, world.alice.id, "", attachments=stored)
    await world.env.advance_time(1)
    assert held.waiting == before + 1
    await world.env.advance_time(HOLD)
    assert len(world.answers(other)) == 1


@pytest.mark.whatsit(limits={"user_images_per_minute": 1000, "user_burst": 1000})
async def test_where_embeds_are_not_allowed_answers_wait_in_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = world.closed_to(embed_links=False)
    Held(world, monkeypatch)
    backend = world.env.backend
    for number in range(8):
        stored = backend.store_attachments(closed.id, one(number))
        backend.create_message(closed.id, world.alice.id, "", attachments=stored)
    await world.env.advance_time(2)
    await world.env.advance_time(HOLD)
    assert len(world.answers(closed)) == 8
    assert all(answer.reference for answer in world.answers(closed))
