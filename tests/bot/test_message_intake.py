"""Post an image in a channel: one reply, an embed an image, in order, whatever happens to one of them."""

from __future__ import annotations

import asyncio

import discord
import pytest
from simcord.backend.models import MessageSticker

from bot.delivery.reactions import FAILED, OFFER
from bot.download.downloader import Gone, TooSlow
from inference.results import Busy, CorruptImage, HarmfulImage, ImageTooLarge, NotAnImage, TimedOut
from tests.bot.wishes import reactions
from tests.world import World, classified, picture

DOG, CUP = classified(("beagle", 0.93), ("basset", 0.03)), classified(("cup", 0.55), ("espresso", 0.31))


async def test_an_image_in_a_channel_gets_one_reply_with_its_labels(world: World) -> None:
    source = await world.alice.send(world.channel, attachments=[picture()])

    answer = world.only_answer()
    assert answer.reference is not None
    assert answer.reference.message_id == source.id
    (embed,) = answer.embeds
    assert embed.description == (
        "Probably **an Egyptian cat**.\n"
        "`███████░░░  71%` Egyptian cat\n`██░░░░░░░░  16%` tabby\n`█░░░░░░░░░   8%` tiger cat"
    )
    assert embed.footer.text == "MobileNetV2"


async def test_all_images_of_a_message_are_in_one_reply_in_their_order(world: World) -> None:
    world.classifier.says = {b"dog": DOG, b"cup": CUP}
    files = [picture("dog.jpg", b"dog"), picture("cat.png", b"cat"), picture("cup.webp", b"cup")]

    await world.alice.send(world.channel, attachments=files)

    embeds = world.only_answer().embeds
    assert [embed.title for embed in embeds] == ["1. dog.jpg", "2. cat.png", "3. cup.webp"]
    assert ["beagle" in str(embeds[0].description), "Egyptian cat" in str(embeds[1].description)] == [
        True,
        True,
    ]
    assert "cup" in str(embeds[2].description)


async def test_images_of_a_message_are_in_work_at_once_and_their_order_is_kept(world: World) -> None:
    world.classifier.says = {b"dog": DOG, b"cup": CUP}
    done: list[bytes] = []

    async def the_first_takes_longest(data: bytes) -> None:
        await asyncio.sleep({b"dog": 3, b"cup": 1}[data])
        done.append(data)

    world.classifier.meanwhile = the_first_takes_longest
    await world.alice.send(
        world.channel, attachments=[picture("dog.png", b"dog"), picture("cup.png", b"cup")]
    )

    assert world.classifier.most_inside == 2
    assert done == [b"cup", b"dog"]
    assert [embed.title for embed in world.only_answer().embeds] == ["1. dog.png", "2. cup.png"]


async def test_every_image_is_admitted_with_its_size_on_its_servers_account(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(data=b"12345"), picture(data=b"123")])
    assert sorted(world.classifier.admitted) == [(3, world.guild.id), (5, world.guild.id)]


async def test_an_image_that_fails_does_not_spoil_its_neighbours(world: World) -> None:
    world.classifier.says = {b"broken": CorruptImage("cut short")}
    world.fetcher.fails = {"gone.png": Gone("404")}
    files = [picture("broken.png", b"broken"), picture("cat.png", b"cat"), picture("gone.png", b"gone")]

    await world.alice.send(world.channel, world.me.mention, attachments=files)

    broken, cat, gone = world.only_answer().embeds
    assert broken.description == "This picture is damaged or incomplete. Save it again and send it once more."
    assert "Egyptian cat" in str(cat.description)
    assert gone.description == "This picture is no longer there. Upload it again."


@pytest.mark.parametrize("error", [Busy("full"), CorruptImage("cut"), NotAnImage("text")])
async def test_an_image_that_fails_alone_is_answered_too(world: World, error: Exception) -> None:
    world.classifier.otherwise = error
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    (embed,) = world.only_answer().embeds
    assert embed.description
    assert embed.footer.text is None


async def test_a_queue_that_is_full_refuses_before_anything_is_fetched(world: World) -> None:
    world.classifier.refuses = Busy("full")
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert world.fetcher.fetched == []
    assert "Send it again in a minute" in str(world.only_answer().embeds[0].description)


@pytest.mark.logs_errors
async def test_an_error_that_nobody_foresaw_is_logged_once_and_still_answered(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.classifier.says = {b"odd": ZeroDivisionError("nobody thought of this")}
    files = [picture("odd.png", b"odd"), picture()]
    await world.alice.send(world.channel, world.me.mention, attachments=files)

    odd, cat = world.only_answer().embeds
    assert str(odd.description).startswith("Something went wrong with this picture.")
    assert "Egyptian cat" in str(cat.description)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info


@pytest.mark.logs_errors
async def test_an_error_of_the_bots_own_is_logged_once_and_still_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.presentation.answer.Writer.write", broken)
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert world.only_answer().content.startswith("Something went wrong")
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_what_failed_has_no_buttons_under_it(world: World) -> None:
    world.fetcher.fails = {"cat.png": TooSlow("15 s")}
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert world.only_answer().components == []


@pytest.mark.parametrize("error", [Busy("full"), TimedOut("30 s"), TooSlow("15 s")])
async def test_where_nobody_asked_what_may_work_later_is_offered_and_nothing_is_said(
    world: World, error: Exception
) -> None:
    world.classifier.refuses = error
    message = await world.alice.send(world.channel, attachments=[picture(), picture("dog.png")])
    assert world.answers() == []
    assert reactions(world, message) == [OFFER]
    world.classifier.refuses = None
    await world.alice.react(message, OFFER)
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


@pytest.mark.parametrize("error", [CorruptImage("cut"), ImageTooLarge("90 MP"), HarmfulImage("twice")])
async def test_where_nobody_asked_what_will_never_work_is_marked_and_nothing_is_said(
    world: World, error: Exception
) -> None:
    world.classifier.otherwise = error
    message = await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []
    assert reactions(world, message) == [FAILED]
    await world.alice.send(world.channel, world.me.mention, reply_to=message)
    assert str(world.only_answer().embeds[0].description).endswith(".")


async def test_where_nobody_asked_a_failure_beside_a_name_is_a_mark(world: World) -> None:
    world.classifier.says = {b"busy": Busy("full")}
    await world.alice.send(world.channel, attachments=[picture("busy.png", b"busy"), picture()])
    busy, cat = world.only_answer().embeds
    assert (busy.title, busy.description) == ("1. busy.png", "⚠️")
    assert "Egyptian cat" in str(cat.description)


@pytest.mark.logs_errors
async def test_where_nobody_asked_an_error_of_the_bots_own_is_only_logged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bot.presentation.answer.Writer.write", broken)
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []


async def test_messages_without_images_are_left_alone(world: World) -> None:
    await world.alice.send(world.channel, "look at https://example.org/cat.png")
    await world.alice.send(world.channel, attachments=[("notes.txt", b"words"), ("song.ogg", b"sound")])
    assert world.answers() == []
    assert world.classifier.admitted == []


async def test_files_beside_an_image_are_left_out_silently(world: World) -> None:
    await world.alice.send(world.channel, attachments=[("notes.txt", b"words"), picture()])
    (embed,) = world.only_answer().embeds
    assert "Egyptian cat" in str(embed.description)


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("IMG_0042.HEIC", "application/octet-stream"),
        ("photo.avif", None),
        ("photo.png", "text/plain"),
        ("photo", "image/jpeg"),
        ("photo.bin", "IMAGE/PNG"),
        ("photo", None),
    ],
)
async def test_a_wrong_or_missing_type_is_no_reason_to_miss_an_image(
    world: World, filename: str, content_type: str | None
) -> None:
    (upload,) = world.stored(picture(filename))
    upload["content_type"] = content_type
    await world.post(attachments=[upload])
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


async def test_a_file_of_unknown_kind_that_is_no_image_is_nobodys_question(world: World) -> None:
    world.classifier.says = {b"data": NotAnImage("no picture at all")}
    unknown, cat = world.stored(("dump", b"data"), picture())
    unknown["content_type"] = None

    await world.post(attachments=[unknown])
    assert world.answers() == []

    await world.post(attachments=[unknown, cat])
    assert len(world.only_answer().embeds) == 1


async def test_forwarded_images_count(world: World) -> None:
    elsewhere = world.guild.create_text_channel("elsewhere")
    quiet = await world.post(elsewhere, attachments=world.stored(picture(), channel=elsewhere))
    forwarded = await world.alice.forward(quiet, world.channel)

    answer = world.only_answer()
    assert answer.reference is not None
    assert answer.reference.message_id == forwarded.id
    assert "Egyptian cat" in str(answer.embeds[0].description)


def link(kind: str = "image") -> dict[str, object]:
    url, proxy = "https://example.org/cat.png", "https://images-ext-1.discordapp.net/external/abc/cat.png"
    return {
        "type": kind,
        "url": url,
        "thumbnail": {"url": url, "proxy_url": proxy, "width": 800, "height": 600},
    }


async def test_links_are_left_alone_unless_switched_on(world: World) -> None:
    await world.post(content="https://example.org/cat.png", embeds=[link()])
    assert world.answers() == []


@pytest.mark.whatsit(watch={"links": True})
async def test_a_link_to_an_image_is_fetched_through_discords_proxy_alone(world: World) -> None:
    world.env.backend.cdn._blobs["https://images-ext-1.discordapp.net/external/abc/cat.png"] = b"cat"
    await world.post(content="https://example.org/cat.png", embeds=[link()])
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)
    assert world.fetcher.fetched == [("cat.png", None, (800, 600))]
    assert world.classifier.admitted == [(10 * 1024 * 1024, world.guild.id)]


@pytest.mark.whatsit(watch={"links": True})
async def test_a_page_with_a_picture_in_it_is_no_image(world: World) -> None:
    await world.post(content="https://example.org/news", embeds=[link("article"), link("gifv"), link("rich")])
    assert world.answers() == []


@pytest.mark.whatsit(watch={"links": True})
async def test_a_link_that_discord_looks_up_later_is_answered_once(world: World) -> None:
    world.env.backend.cdn._blobs["https://images-ext-1.discordapp.net/external/abc/cat.png"] = b"cat"
    source = await world.alice.send(world.channel, "https://example.org/cat.png")
    stored = world.env.backend.get_message(world.channel.id, source.id)
    for _ in range(2):
        stored.embeds = [link()]
        world.env.backend.emit("MESSAGE_UPDATE", world.payload(source))
        await world.env.settle()
    assert len(world.answers()) == 1


@pytest.mark.whatsit(watch={"links": True})
async def test_a_link_that_is_looked_up_again_much_later_is_no_news(world: World) -> None:
    source = await world.alice.send(world.channel, "https://example.org/cat.png")
    await world.env.advance_time(3600)
    world.env.backend.get_message(world.channel.id, source.id).embeds = [link()]
    world.env.backend.emit("MESSAGE_UPDATE", world.payload(source))
    await world.env.settle()
    assert world.answers() == []
    assert world.env.backend.get_message(world.channel.id, source.id).reactions == []


@pytest.mark.whatsit(watch={"links": True})
async def test_a_link_behind_a_spoiler_stays_behind_one(world: World) -> None:
    world.env.backend.cdn._blobs["https://images-ext-1.discordapp.net/external/abc/cat.png"] = b"cat"
    await world.post(content="no peeking ||https://example.org/cat.png||", embeds=[link()])
    description = str(world.only_answer().embeds[0].description)
    assert description.startswith("||")
    assert description.endswith("||")


def sticker(world: World, kind: int = 1) -> MessageSticker:
    made = world.guild.create_sticker("blobcat", format_type=kind)
    stored = f"https://media.discordapp.net/stickers/{made.id}.{'gif' if kind == 4 else 'png'}"
    for url in (stored, stored.replace("media.discordapp.net", "cdn.discordapp.com")):
        world.env.backend.cdn._blobs[url] = b"cat"
    return MessageSticker(made.id, "blobcat", kind, world.guild.id)


async def test_stickers_are_left_alone_unless_switched_on(world: World) -> None:
    await world.post(stickers=[sticker(world)])
    assert world.answers() == []


@pytest.mark.whatsit(watch={"stickers": True})
async def test_stickers_are_answered_where_switched_on_but_for_drawings(world: World) -> None:
    await world.post(stickers=[sticker(world, 4), sticker(world, 3)])
    assert "Egyptian cat" in str(world.only_answer().embeds[0].description)


@pytest.mark.whatsit(limits={"images_per_answer": 3})
async def test_more_images_than_fit_are_counted_in_a_line(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(5)])
    answer = world.only_answer()
    assert len(answer.embeds) == 3
    assert answer.content == "I looked at the first 3 pictures and left 2 out."


@pytest.mark.parametrize("flagged", [False, True])
async def test_a_spoiler_stays_a_spoiler(world: World, flagged: bool) -> None:
    (upload,) = world.stored(picture("cat.png" if flagged else "SPOILER_cat.png"))
    if flagged:
        upload["flags"] = discord.AttachmentFlags(spoiler=True).value
    await world.post(attachments=[upload])
    (embed,) = world.only_answer().embeds
    assert str(embed.description).startswith("||")
    assert str(embed.description).endswith("||")
    assert "cat" not in f"{embed.title}{embed.footer.text}"


async def test_doubt_is_said_with_the_best_guess(world: World) -> None:
    world.classifier.otherwise = classified(("axolotl", 0.13), ("missile", 0.12))
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.only_answer().embeds[0].description == "I'm not sure. Maybe **an axolotl**?"


async def test_bots_and_webhooks_are_not_answered(world: World) -> None:
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await robot.send(world.channel, attachments=[picture()])
    await world.guild.create_webhook(world.channel).send(attachments=[picture()])
    assert world.answers() == []


@pytest.mark.whatsit(watch={"applications": [466378653216014359]})
async def test_a_webhook_of_a_listed_application_is_answered_like_a_person(world: World) -> None:
    webhook = world.guild.create_webhook(world.channel)
    for application, answers in ((1, 0), (466378653216014359, 1)):
        await world.post(
            author=webhook._webhook.webhook_user_id,
            webhook_id=webhook.id,
            application_id=application,
            attachments=world.stored(picture()),
        )
        assert len(world.answers()) == answers


async def test_a_listed_bot_is_answered_like_a_person(world: World) -> None:
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await world.restart(watch={"applications": [robot.id]})
    await robot.send(world.channel, attachments=[picture()])
    assert len(world.answers()) == 1


async def test_the_bot_never_answers_itself(world: World) -> None:
    await world.restart(watch={"applications": [world.me.id]})
    await world.post(author=world.me.id, attachments=world.stored(picture()))
    assert len(world.channel.history()) == 1


async def test_only_watched_channels_are_answered_and_threads_follow_theirs(world: World) -> None:
    other = world.guild.create_text_channel("other")
    threads = [world.thread(channel) for channel in (world.channel, other)]
    await world.restart(watch={"channels": [world.channel.id]})

    for place in (world.channel, other, *threads):
        await world.alice.send(place, attachments=[picture()])

    assert [len(world.answers(place)) for place in (world.channel, other, *threads)] == [1, 0, 1, 0]


async def test_an_owner_can_watch_no_channel_at_all(world: World) -> None:
    await world.restart(watch={"channels": []})
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []


async def test_forum_posts_follow_their_forum(world: World) -> None:
    forum = world.guild.create_forum_channel("help")
    await world.restart(watch={"channels": [forum.id]})
    post = world.thread(forum, "What is this?")
    await world.alice.send(post, attachments=[picture()])
    assert len(world.answers(post)) == 1


@pytest.mark.whatsit(message_content=False)
async def test_without_message_content_no_channel_is_watched(world: World) -> None:
    await world.alice.send(world.channel, attachments=[picture()])
    assert world.answers() == []
