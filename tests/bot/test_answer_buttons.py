"""The buttons under a public answer: who may press them, what they show, and that they outlive a restart."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.actors import MemberActor

from bot import buttons
from bot.buttons import MarkSeal
from bot.buttons.answer_buttons import Deletion
from bot.buttons.image_mark import MARK_CHARACTERS, ImageMark, OtherModel
from bot.i18n import ENGLISH
from bot.image_source import ImageSource
from bot.presentation.answer import Outcome
from bot.presentation.naming import Finding
from bot.store import BUTTONS, Feedback, GuildSettings, StoreUnavailable
from bot.store.teaching import NUMBERS
from inference.results import Busy, Classification, Coarse, Label, ModelInfo, PictureKind
from tests.bot.moderation import moderator, said
from tests.bot.pressing import Shown, description, member, now, options, pressable, private
from tests.world import CAT, World, classified, picture

SEAL = MarkSeal(b"a key of the tests")
TEN = classified(*((f"thing {n}", 0.5 / 2**n) for n in range(10)))
CATS = classified(
    ("Egyptian cat", 0.61),
    ("tabby", 0.2),
    ("tiger cat", 0.1),
    ("lynx", 0.03),
    coarse={"cat": 0.91, "dog": 0.01},
)
MODERATOR = discord.Permissions(manage_messages=True)


async def opinions(world: World, answer: discord.Message) -> list[tuple[int, int, str, bool, str | None]]:
    """(image, person, label, right, said) of each opinion on an answer."""
    rows: Sequence[Feedback] = await world.bot.store.feedback.on(answer.id)
    return [(row.image, row.user_id, row.label, row.right, row.said) for row in rows]


async def answered(world: World, *files: tuple[str, bytes], spoiler: bool = False) -> discord.Message:
    await world.alice.send(
        world.channel, attachments=list(files) or [picture("SPOILER_a.png" if spoiler else "a.png")]
    )
    return world.only_answer()


# Which there are


async def test_an_answer_carries_all_buttons_unless_the_server_chose_others(world: World) -> None:
    answer = await answered(world)
    assert pressable(answer) == ["More", "Send to my DMs", "Was this right?", "Alt text", "Delete"]


@pytest.mark.parametrize(
    ("chosen", "carried"),
    [(["alt_text", "more"], ["More", "Alt text"]), (["dm_button"], ["Send to my DMs"]), ([], [])],
)
async def test_a_server_chooses_the_buttons(world: World, chosen: list[str], carried: list[str]) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"buttons": chosen})
    assert pressable(await answered(world)) == carried
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    assert pressable(result.response) == carried


async def test_an_answer_without_any_name_has_none(world: World) -> None:
    world.classifier.otherwise = Busy("full")
    await world.alice.send(world.channel, world.me.mention, attachments=[picture()])
    assert pressable(world.only_answer()) == []


async def test_of_several_images_one_is_picked_first(world: World) -> None:
    world.classifier.says = {b"bad": Busy("full"), b"ten": TEN, b"spoiled": TEN}
    files = [picture(), picture("bad.png", b"bad"), picture("ten.png", b"ten")]
    answer = await answered(world, *files, picture("SPOILER_x.png", b"spoiled"))
    assert pressable(answer) == ["More about a picture…", "Send to my DMs", "Delete"]
    assert list(options(answer)) == ["1. Egyptian cat", "3. thing 0", "4. spoiler"]


# More


async def test_more_shows_the_ten_best_guesses_to_whoever_presses(world: World) -> None:
    world.classifier.otherwise = TEN
    answer = await answered(world)
    assert len(description(answer).splitlines()) == 1 + 3
    shown = private(await member(world, "bob").click(answer, label="More"))
    assert len(description(shown).splitlines()) == 1 + 10
    assert description(shown).splitlines()[:4] == description(answer).splitlines()
    assert "thing 9" in description(shown)
    assert len(world.classifier.asked) == 1


async def test_more_of_a_command_works_after_a_restart(world: World) -> None:
    world.classifier.otherwise = TEN
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    await world.restart()
    shown = private(await world.alice.click(result.response, label="More"))
    assert "thing 9" in description(shown)
    assert len(world.classifier.asked) == 1


async def test_more_of_a_picked_image_has_its_other_buttons(world: World) -> None:
    world.classifier.says = {b"ten": TEN}
    answer = await answered(world, picture(), picture("ten.png", b"ten"))
    await world.restart()
    shown = private(await world.alice.select(answer, [options(answer)["2. thing 0"]]))
    assert shown.embeds[0].title == "ten.png"
    assert "thing 9" in description(shown)
    assert pressable(shown) == ["Why?", "Was this right?", "Alt text"]
    await world.alice.click(private(await world.alice.click(shown, label="Was this right?")), label="Yes")
    assert await opinions(world, answer) == [(1, world.alice.id, "thing 0", True, None)]


async def test_without_the_button_more_a_picked_image_shows_no_more(world: World) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"buttons": ["alt_text"]})
    world.classifier.otherwise = TEN
    answer = await answered(world, picture(), picture("ten.png", b"ten"))
    shown = private(await world.alice.select(answer, [options(answer)["1. thing 0"]]))
    assert len(description(shown).splitlines()) == 1 + 3
    assert pressable(shown) == ["Alt text"]


async def test_more_of_doubt_says_the_doubt_too(world: World) -> None:
    world.classifier.otherwise = classified(("lynx", 0.11), ("hare", 0.1))
    shown = private(await world.alice.click(await answered(world), label="More"))
    assert description(shown).splitlines() == [
        "I'm not sure. Maybe **a lynx**?",
        "`█░░░░░░░░░  11%` lynx",
        "`█░░░░░░░░░  10%` hare",
    ]


# Was this right?


@pytest.mark.parametrize("who", ["alice", "moderator"])
async def test_yes_is_kept(world: World, who: str) -> None:
    answer = await answered(world)
    presser = world.alice if who == "alice" else member(world, "mod", MODERATOR)
    question = private(await presser.click(answer, label="Was this right?"))
    assert question.content == "I said **Egyptian cat**. Was that right?"
    await presser.click(question, label="Yes")
    assert now(world, question).content.startswith("Thank you")
    assert pressable(now(world, question)) == []
    assert await opinions(world, answer) == [(0, presser.id, "Egyptian cat", True, None)]
    (kept,) = await world.bot.store.feedback.of_guild(world.guild.id)
    assert kept.model == "mobilenet_v2"


async def test_no_is_kept_at_once_and_then_what_it_is(world: World) -> None:
    answer = await answered(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    await world.alice.click(question, label="No")
    assert await opinions(world, answer) == [(0, world.alice.id, "Egyptian cat", False, None)]
    await world.restart()
    names = options(now(world, question))
    assert list(names) == ["tabby", "tiger cat", "lynx", "mouse", "plate", "Something else…"]
    await world.alice.select(now(world, question), [names["lynx"]])
    assert now(world, question).content.startswith("Thank you")
    assert await opinions(world, answer) == [(0, world.alice.id, "Egyptian cat", False, "lynx")]


async def test_something_else_can_be_typed(world: World) -> None:
    answer = await answered(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    await world.alice.click(question, label="No")
    form = await world.alice.select(now(world, question), [options(now(world, question))["Something else…"]])
    await world.alice.submit_modal(form, {"said": "  my cat Tom "})
    assert now(world, question).content.startswith("Thank you")
    assert await opinions(world, answer) == [(0, world.alice.id, "Egyptian cat", False, "my cat Tom")]


async def test_what_was_said_is_what_is_judged(world: World) -> None:
    world.classifier.otherwise = CATS
    answer = await answered(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    assert question.content == "I said **cat**. Was that right?"
    await world.alice.click(question, label="No")
    assert list(options(now(world, question)))[:2] == ["Egyptian cat", "tabby"]
    assert await opinions(world, answer) == [(0, world.alice.id, "cat", False, None)]


@pytest.mark.whatsit(watch={"channels": []})
async def test_whoever_asked_and_whoever_posted_may_both_judge(world: World) -> None:
    bob = member(world, "bob")
    posted = await bob.send(world.channel, attachments=[picture()])
    await world.alice.send(world.channel, world.me.mention, reply_to=posted)
    answer = world.only_answer()
    for presser in (world.alice, bob):
        await presser.click(private(await presser.click(answer, label="Was this right?")), label="Yes")
        assert offered_text(await alt_text_form(world, answer, presser))
    assert len(await opinions(world, answer)) == 2


@pytest.mark.parametrize(
    ("button", "line"),
    [
        (
            "Was this right?",
            "Only the person who posted the picture or asked about it, or a moderator, can answer that.",
        ),
        (
            "Delete",
            "Only the person who posted the picture or asked about it, or a moderator, can delete this.",
        ),
    ],
)
async def test_others_get_one_line(world: World, button: str, line: str) -> None:
    answer = await answered(world)
    shown = private(await member(world, "bob").click(answer, label=button))
    assert shown.content == line
    assert shown.embeds == []
    assert pressable(shown) == []
    assert await opinions(world, answer) == []


async def test_an_opinion_that_cannot_be_kept_is_said_to_be_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk full")

    answer = await answered(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    monkeypatch.setattr("bot.store.feedback.Opinions.give", full)
    result = await world.alice.click(question, label="Yes")
    assert private(result).content == "I can't save that right now. Try again in a minute."
    assert pressable(now(world, question)) == ["Yes", "No"]


async def test_moderators_see_how_often_answers_were_right_and_what_it_was_instead(world: World) -> None:
    mod = moderator(world)
    nothing = said(await mod.slash(world.channel, "settings feedback"))
    assert nothing == "Nobody has pressed “Was this right?” here yet."
    answer = await answered(world)
    question = private(await world.alice.click(answer, label="Was this right?"))
    await world.alice.click(question, label="No")
    form = await world.alice.select(now(world, question), [options(now(world, question))["Something else…"]])
    await world.alice.submit_modal(form, {"said": "**Tom**"})
    assert "how often I'm right" in now(world, question).content
    other = member(world, "other", MODERATOR)
    await other.click(private(await other.click(answer, label="Was this right?")), label="Yes")
    words = said(await mod.slash(world.channel, "settings feedback"))
    assert words.splitlines() == [
        "### Was this right?",
        "1 of 2 right",
        "- Said with “probably”: 1 of 2 right",
        "- **Egyptian cat**: 1 of 2 right; it was \\*\\*Tom\\*\\* (1)",
    ]


# Alt text


async def alt_text_form(world: World, answer: Shown, who: MemberActor | None = None) -> Any:
    return await (who or world.alice).click(answer, label="Alt text")


def offered_text(form: Any) -> str:
    (field,) = form.modal["components"]
    return str(field["component"]["value"])


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (classified(("Egyptian cat", 0.9)), "Picture of an Egyptian cat."),
        (classified(("Egyptian cat", 0.7)), "Picture, probably of an Egyptian cat."),
        (classified(("Egyptian cat", 0.5)), "Picture, possibly of an Egyptian cat."),
        (classified(("lynx", 0.1)), "Picture of something hard to make out, maybe a lynx."),
        (classified(("jeans", 0.9)), "Picture of jeans."),
        (classified(("corn", 0.84), ("ear of corn", 0.16), coarse={"corn": 1.0}), "Picture of corn."),
        (
            classified(("Egyptian cat", 0.75), ("tabby", 0.2), coarse={"cat": 0.95}),
            "Picture of a cat, probably an Egyptian cat.",
        ),
        (classified(("tabby", 0.3), ("tiger cat", 0.3), coarse={"cat": 0.95}), "Picture of a cat."),
        (classified(("tabby", 0.1), ("tiger cat", 0.1), coarse={"cat": 0.75}), "Picture, probably of a cat."),
        (
            classified(("Blenheim spaniel", 0.95), coarse={"dog": 0.95}),
            "Picture of a dog, a Blenheim spaniel.",
        ),
    ],
)
async def test_alt_text_begins_with_a_sentence(world: World, result: Classification, sentence: str) -> None:
    world.classifier.otherwise = result
    answer = await answered(world)
    await world.restart()
    assert offered_text(await alt_text_form(world, answer)) == sentence


async def test_whoever_sees_the_picture_makes_its_alt_text_better_and_gets_it_to_copy(world: World) -> None:
    bob = member(world, "bob")
    form = await alt_text_form(world, await answered(world), bob)
    assert "Egyptian cat" in offered_text(form)
    shown = private(await bob.submit_modal(form, {"text": " Tom, asleep ```on``` `me`. "}))
    assert shown.content.splitlines()[1:] == ["```", "Tom, asleep '''on''' `me`.", "```"]


@pytest.mark.parametrize(
    ("told", "filename", "kind"),
    [
        (None, "cat.png", "Picture"),
        ("photo", "cat.png", "Photo"),
        ("drawing", "cat.png", "Drawing"),
        ("screenshot", "cat.png", "Screenshot"),
        (None, "Screenshot_2026-05-01_at_12.00.00.png", "Screenshot"),
        (None, "SPOILER_Screenshot_20260501-120000.png", "Screenshot"),
        (None, "Screen_Shot_2019-05-01.png", "Screenshot"),
        (None, "Bildschirmfoto_2026-05-01_um_12.00.00.png", "Screenshot"),
        (None, "screenshots_of_cats_are_not_meant.png", "Picture"),
        ("photo", "Screenshot_1.png", "Photo"),  # what the camera wrote into it is surer than a name
    ],
)
async def test_alt_text_says_the_kind_of_picture_only_where_it_is_known(
    world: World, told: PictureKind | None, filename: str, kind: str
) -> None:
    world.classifier.otherwise = replace(CAT, picture_kind=told)
    await world.alice.send(world.channel, world.me.mention, attachments=[picture(filename)])
    assert offered_text(await alt_text_form(world, world.only_answer())).startswith(kind)


async def test_a_files_own_name_is_shown_where_discord_had_to_change_it(world: World) -> None:
    (attachment,) = world.stored(picture("2026-05-01.png"))
    attachment["title"] = "スクリーンショット 2026-05-01"
    await world.post(attachments=[attachment, *world.stored(picture())])
    answer = world.only_answer()
    assert answer.embeds[0].title == "1. スクリーンショット 2026-05-01.png"
    first = next(iter(options(answer).values()))
    picked = private(await world.alice.select(answer, [first]))
    assert offered_text(await alt_text_form(world, picked)).startswith("Screenshot")


# Delete


@pytest.mark.parametrize("who", ["alice", "moderator"])
async def test_the_author_and_moderators_delete_an_answer(world: World, who: str) -> None:
    answer = await answered(world)
    await world.restart()
    await (world.alice if who == "alice" else member(world, "mod", MODERATOR)).click(answer, label="Delete")
    assert world.answers() == []


@pytest.mark.whatsit(watch={"channels": []})
async def test_whoever_asked_about_somebody_elses_picture_deletes_the_answer(world: World) -> None:
    posted = await member(world, "bob").send(world.channel, attachments=[picture()])
    await world.alice.send(world.channel, world.me.mention, reply_to=posted)
    await world.alice.click(world.only_answer(), label="Delete")
    assert world.answers() == []


async def test_the_answer_to_a_command_and_one_in_a_direct_message_can_be_deleted(world: World) -> None:
    result = await world.alice.slash(world.channel, "classify", picture=picture())
    assert result.response is not None
    await world.alice.click(result.response, label="Delete")
    assert world.answers() == []
    dm = world.alice.user.dm_channel
    await world.alice.send_dm(attachments=world.stored(picture(), channel=dm))
    await world.alice.user.click(world.only_answer(dm), label="Delete")
    assert world.answers(dm) == []


# Compact


@pytest.mark.parametrize("pictures", [1, 3])
async def test_a_compact_answer_has_one_row_and_the_rest_behind_it(world: World, pictures: int) -> None:
    await world.bot.store.guilds.update(world.guild.id, {"style": "compact"})
    answer = await answered(world, *(picture(f"{n}.png", str(n).encode()) for n in range(pictures)))
    assert len(answer.components) == 1
    if pictures == 1:
        assert pressable(answer) == ["More"]
        shown = private(await world.alice.click(answer, label="More"))
    else:
        assert pressable(answer) == ["More about a picture…"]
        shown = private(await world.alice.select(answer, [options(answer)["1. Egyptian cat"]]))
        assert shown.embeds[0].title == "0.png"
    assert pressable(shown) == ["Why?", "Send to my DMs", "Was this right?", "Alt text", "Delete"]
    await world.alice.click(shown, label="Send to my DMs")
    sent = world.only_answer(world.alice.user.dm_channel)
    assert sent.content == f"[Go to the picture]({answer.jump_url})"
    assert sent.embeds[0].description == answer.embeds[0].description
    await world.alice.click(shown, label="Delete")
    assert world.answers() == []
    assert now(world, shown).content == "The answer is deleted."


# Send to my DMs


async def test_a_direct_copy_shows_each_picture_but_no_spoiler(world: World) -> None:
    answer = await answered(world, picture("a.png", b"a"), picture("SPOILER_b.png", b"b"))
    await world.alice.click(answer, label="Send to my DMs")
    shown, spoiler = world.only_answer(world.alice.user.dm_channel).embeds
    assert str(shown.thumbnail.url).endswith("/a.png")
    assert not spoiler.thumbnail


# Spoilers


async def test_a_spoiler_stays_one_behind_every_button(world: World) -> None:
    answer = await answered(world, spoiler=True)
    await world.restart()
    assert description(answer).startswith("||")
    more = private(await world.alice.click(answer, label="More"))
    assert description(more).startswith("||")
    assert description(more).endswith("||")
    assert offered_text(await alt_text_form(world, answer)) == "Picture, probably of an Egyptian cat."
    question = private(await world.alice.click(answer, label="Was this right?"))
    assert question.content == "||I said **Egyptian cat**. Was that right?||"
    await world.alice.click(question, label="No")
    assert pressable(now(world, question)) == ["Something else…"]
    form = await world.alice.click(now(world, question), label="Something else…")
    await world.alice.submit_modal(form, {"said": "lynx"})
    assert await opinions(world, answer) == [(0, world.alice.id, "Egyptian cat", False, "lynx")]
    for shown in (more, question):
        assert "SPOILER_" not in shown.content + str([embed.to_dict() for embed in shown.embeds])


async def test_a_file_flagged_as_a_spoiler_is_one(world: World) -> None:
    (attachment,) = world.stored(picture())
    attachment["flags"] = discord.AttachmentFlags(spoiler=True).value
    await world.post(attachments=[attachment])
    answer = world.only_answer()
    assert description(answer).startswith("||")
    assert description(private(await world.alice.click(answer, label="More"))).startswith("||")


# Whatever happens


async def test_buttons_of_a_model_that_is_gone_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await answered(world)
    other = ModelInfo("another", "openvino", 224, 1, None, "1" * 64, 1, ("thing",), (None,))
    monkeypatch.setattr(type(world.classifier), "info", other)
    shown = private(await world.alice.click(answer, label="More"))
    assert shown.content.startswith("I no longer use the model that named this picture.")


async def test_a_model_whose_names_are_unknown_leaves_what_works_without(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nameless = ModelInfo("mobilenet_v2", "openvino", 224, 1, None, "1" * 64, 1)
    monkeypatch.setattr(type(world.classifier), "info", nameless)
    assert pressable(await answered(world)) == ["Send to my DMs", "Delete"]


names = st.integers(0, 999)
chances = st.floats(0, 1)


def model_of(classes: int, everyday: str | None = "cat") -> ModelInfo:
    labels = tuple(f"class {n}" for n in range(classes))
    return ModelInfo("m", "openvino", 224, classes, None, "2" * 64, 1, labels, (everyday,) * classes)


BIG = model_of(1 << 16)


@given(
    st.lists(st.tuples(st.integers(0, (1 << 16) - 1), chances), min_size=1, max_size=10),
    st.none() | chances,
    st.booleans(),
    st.booleans(),
    st.integers(0, 255),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.sampled_from([None, *get_args(PictureKind)]),
)
def test_a_mark_comes_out_as_it_went_in_and_fits_into_a_custom_id(  # noqa: PLR0917 - hypothesis fills them
    ranked: list[tuple[int, float]],
    coarse: float | None,
    doubtful: bool,
    spoiler: bool,
    image: int,
    asker: int,
    author: int,
    answer: int,
    kind: PictureKind | None,
) -> None:
    labels = tuple(Label(f"class {n}", n, p, "cat") for n, p in ranked)
    finding = Finding(labels, None if coarse is None else Coarse("cat", coarse), doubtful)
    mark = ImageMark(finding, image, spoiler, buttons.People(asker, author), answer, kind)
    packed = mark.pack(BIG, SEAL)
    assert len(packed) <= MARK_CHARACTERS
    assert len(f"whatsit:pic:form:{packed}") <= 100
    found, model = ImageMark.unpack(packed, [model_of(3), BIG], SEAL)
    assert model is BIG
    assert replace(found, finding=finding) == mark
    assert (found.finding.headline is None) == (coarse is None)
    assert (found.finding.said, found.finding.certainty) == (finding.said, finding.certainty)
    assert (found.finding.finer is None) == (finding.finer is None)
    assert [(label.name, label.index) for label in found.finding.labels] == [
        (f"class {n}", n) for n, _ in ranked
    ]
    for label, (_, probability) in zip(found.finding.labels, ranked, strict=True):
        assert abs(label.probability - probability) <= 0.0051


@given(st.text(max_size=100))
def test_what_is_no_mark_is_of_another_model(text: str) -> None:
    with pytest.raises(OtherModel):
        ImageMark.unpack(text, [BIG], SEAL)


@given(
    st.lists(st.tuples(names, chances), min_size=1, max_size=10, unique_by=lambda label: label[0]),
    st.booleans(),
    st.integers(0, NUMBERS - 1),
    st.booleans(),
)
def test_a_taught_label_is_in_the_mark_and_takes_the_place_of_a_guess_at_most(
    ranked: list[tuple[int, float]], is_coarse: bool, taught: int, few: bool
) -> None:
    labels = tuple(Label(f"class {n}", n, p, "cat") for n, p in ranked)
    finding = Finding(labels, Coarse("cat", 0.5) if is_coarse else None, doubtful=False)
    people = buttons.People(2**64 - 1, 2**64 - 1)
    mark = ImageMark(finding, 255, True, people, 2**64 - 1, "screenshot", taught, few)
    packed = mark.pack(BIG, SEAL)
    assert len(packed) <= MARK_CHARACTERS
    found, _ = ImageMark.unpack(packed, [BIG], SEAL)
    assert replace(found, finding=finding) == mark
    assert [label.index for label in found.finding.labels] == [n for n, _ in ranked][: 10 - is_coarse]


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_mark_that_was_changed_or_signed_by_somebody_else_is_none(place: int, change: int) -> None:
    finding = Finding((Label("class 0", 0, 0.5, "cat"),), None, doubtful=False)
    mark = ImageMark(finding, 0, False, buttons.People(1, 2))
    with pytest.raises(OtherModel):
        ImageMark.unpack(mark.pack(BIG, MarkSeal(b"another key")), [BIG], SEAL)
    packed = bytearray(base64.b85decode(mark.pack(BIG, SEAL)))
    packed[place % len(packed)] ^= change
    with pytest.raises(OtherModel):
        ImageMark.unpack(base64.b85encode(packed).decode(), [BIG], SEAL)


def test_who_may_delete_is_signed_too() -> None:
    deletion = Deletion(buttons.People(2**64 - 1, 2), 3, 2**64 - 1)
    packed = deletion.pack(SEAL)
    assert Deletion.unpack(packed, SEAL) == deletion
    assert len(f"whatsit:pic:delete:{packed}") <= 100
    for text in (deletion.pack(MarkSeal(b"another key")), "1.2.3.4", "", "\u00e9"):
        with pytest.raises(ValueError, match=r"not signed here|base85|ASCII"):
            Deletion.unpack(text, SEAL)


@given(
    st.lists(
        st.builds(
            lambda ranked, coarse, spoiler: (
                Outcome(
                    ImageSource("https://cdn.discordapp.com/a", "a" * 300, "attachment", spoiler=spoiler),
                    Classification(
                        tuple(Label(f"{'n' * 300}{n}", n, p, "cat") for n, p in ranked),
                        "m", "openvino", (1, 1), 1, 1, 1, (Coarse("cat", coarse),),
                    ),
                )
                if ranked
                else Outcome(ImageSource("https://cdn.discordapp.com/a", "a", "attachment"), Busy("full"))
            ),
            st.lists(st.tuples(names, chances), max_size=10),
            chances,
            st.booleans(),
        ),
        min_size=1,
        max_size=10,
    ),
    st.sets(st.sampled_from(list(BUTTONS))),
)  # fmt: skip
def test_all_buttons_are_inside_discords_limits(outcomes: list[Outcome], chosen: set[str]) -> None:
    guild = GuildSettings.model_validate({"buttons": [name for name in BUTTONS if name in chosen]})
    people = buttons.People(2**64 - 1, 2**64 - 1)
    under = buttons.buttons_for(
        outcomes, people, ENGLISH, guild=guild, models=[model_of(1000)], seal=SEAL, is_taught=True
    )
    parts = [buttons.MergedPart(2**64 - 1, "a" * 32, under)]
    for view in (under.view(), buttons.merged_view(parts * 2), buttons.merged_view(parts * 10)):
        if view is None:
            assert not chosen or all(isinstance(outcome.result, Busy) for outcome in outcomes)
        else:
            check_limits(view)


def check_limits(view: discord.ui.View) -> None:
    rows = view.to_components()
    assert len(rows) <= 5
    items = [item for row in rows for item in row["components"]]
    assert all(len(row["components"]) <= 5 for row in rows)
    assert len({item["custom_id"] for item in items}) == len(items)
    for item in items:
        assert len(item["custom_id"]) <= 100
        assert len(item.get("label", "")) <= 80
        values = [option["value"] for option in item.get("options", ())]
        assert len(values) == len(set(values)) <= 25
        assert all(len(value) <= 100 for value in values)
        assert all(0 < len(option["label"]) <= 100 for option in item.get("options", ()))
