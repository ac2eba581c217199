"""`/labels`: teachers see what was taught, put it right, undo, test it, and take it along as a file."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.store.taught_results import NewExample
from bot.teaching.label_file import BadLabelFile, LabelFileOfOtherModel, TaughtLabels, read_file, write_files
from inference.charts.client import ChartFailed, ChartPainter
from inference.charts.sheet import ChartSheet
from inference.knowledge.results import KnowledgeFailed, SuspectExample, TeachingReport
from inference.results import ModelInfo
from tests.bot.moderation import moderator, refusal, said, shown, text
from tests.bot.pressing import description, member
from tests.world import FakeClassifier, FakeKnowledge, World


@pytest.fixture
def knowledge() -> FakeKnowledge:
    return FakeKnowledge()


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier(features=1280, plain=True)


UNDO = "To take that back: `/labels undo`."


async def taught(world: World, *, kind: str = "", **labels: int) -> None:
    """So many examples of each label; `none` are "none of these"."""
    for name, count in labels.items():
        examples = [
            NewExample(fingerprint(world, f"{name} {n}"), world.alice.id, world.channel.id, 77 + n)
            for n in range(count)
        ]
        await world.bot.store.teaching.teach(
            world.guild.id,
            None if name == "none" else name,
            kind or str(world.classifier.info.fingerprints),
            examples,
        )


def fingerprint(world: World, seed: str) -> bytes:
    """A fingerprint such as the model gives them."""
    return struct.pack("<f", 0.01) + seed.encode().ljust(world.classifier.features, b"\1")


async def counts(world: World) -> dict[str, int]:
    kind = str(world.classifier.info.fingerprints)
    found = await world.bot.store.teaching.counts(world.guild.id)
    return {each.name: each.kinds.get(kind, 0) for each in found}


async def labels(
    world: World, command: str, who: MemberActor | None = None, **options: Any
) -> InteractionResult:
    return await (who or moderator(world)).slash(world.channel, f"labels {command}", **options)


# Who, and what they see


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("show", {}),
        ("examples", {"label": "Fluffy"}),
        ("rename", {"label": "Fluffy", "name": "Bello"}),
        ("merge", {"label": "Fluffy", "into": "Bello"}),
        ("remove", {"label": "Fluffy"}),
        ("undo", {}),
        ("test", {}),
        ("export", {}),
        ("import", {"file": ("labels.json.gz", b"")}),
    ],
)
async def test_it_is_for_those_who_may_teach(world: World, command: str, options: dict[str, Any]) -> None:
    await taught(world, Fluffy=1)
    result = await labels(world, command, member(world, "bob"), **options)
    assert refusal(world, result).startswith("To teach me you need Manage Server.")
    assert await counts(world) == {"Fluffy": 1}


async def test_it_shows_counts_as_bars_and_says_in_plain_words_what_it_cannot(world: World) -> None:
    await taught(world, Fluffy=8, Bello=2, none=4)
    message = shown(await labels(world, "show"))
    assert message.embeds[0].title == "What I was taught here (2/100)"
    lines = description(message).splitlines()
    assert lines[:3] == ["`██░░░░░░ 2` **Bello**", "`████████ 8` **Fluffy**", "`████░░░░ 4` *none of these*"]
    assert lines[4] == "Fewer than 5 examples, so I'm often wrong with them: **Bello**."
    assert "about every second time" in lines[5]
    assert "“none of these”" in lines[5]


async def test_where_nothing_was_taught_it_says_how(world: World) -> None:
    assert description(shown(await labels(world, "show"))) == (
        "Nobody has taught me a word here yet. With `/teach` you can."
    )


async def test_a_hundred_labels_fit(world: World) -> None:
    kind = str(world.classifier.info.fingerprints)
    for n in range(100):
        example = NewExample(fingerprint(world, str(n)))
        await world.bot.store.teaching.teach(world.guild.id, f"{'w' * 40} {n}", kind, [example])
    message = shown(await labels(world, "show"))
    assert len(description(message)) <= 4096
    assert description(message).count("█") >= 100


async def test_after_a_change_of_model_it_says_what_must_be_taught_again(world: World) -> None:
    await taught(world, kind="another model", Fluffy=8)
    await taught(world, Bello=5)
    words = description(shown(await labels(world, "show")))
    assert "These must be taught again" in words or "So these must be taught again: **Fluffy**." in words
    assert "`░░░░░░░░ 0` **Fluffy**" in words


# Putting it right


async def test_a_label_is_renamed_merged_and_removed_and_each_is_undone(world: World) -> None:
    await taught(world, Fluffy=3, Bello=2)
    mod = moderator(world)
    assert said(await labels(world, "rename", mod, label="fluffy", name="Minka")) == (
        f"**Fluffy** is called **Minka** now. {UNDO}"
    )
    assert said(await labels(world, "merge", mod, label="Bello", into="Minka")) == (
        f"The examples of **Bello** are now of **Minka**. {UNDO}"
    )
    assert await counts(world) == {"Minka": 5}
    assert said(await labels(world, "remove", mod, label="Minka")) == f"**Minka** is removed. {UNDO}"
    assert await counts(world) == {}
    assert said(await labels(world, "undo", mod)) == "Undone: what was removed is back."
    assert said(await labels(world, "undo", mod)) == "Undone: the two words that were merged are two again."
    assert said(await labels(world, "undo", mod)) == "Undone: the word is called **Fluffy** again."
    assert await counts(world) == {"Bello": 2, "Fluffy": 3}
    assert said(await labels(world, "undo", mod)).startswith("Undone: I've forgotten the pictures")
    await labels(world, "undo", mod)
    assert refusal(world, await labels(world, "undo", mod)).startswith("There is nothing left to undo")
    assert world.knowledge.forgotten


async def test_what_cannot_be_is_said(world: World) -> None:
    await taught(world, Fluffy=1, Bello=1)
    mod = moderator(world)
    gone = "That label is not there (any more). See which there are: `/labels show`."
    assert refusal(world, await labels(world, "remove", mod, label="Minka")) == gone
    assert refusal(world, await labels(world, "rename", mod, label="Fluffy", name="bello")) == (
        "There is a label **bello** already. To make the two one: `/labels merge`."
    )
    assert refusal(world, await labels(world, "merge", mod, label="Fluffy", into="fluffy")) == (
        "That is the same word twice."
    )


async def test_labels_are_offered_while_one_types(world: World) -> None:
    await taught(world, Fluffy=1, Bello=1)
    mod = moderator(world)
    for command, option in (("remove", "label"), ("merge", "into"), ("examples", "label")):
        offered = await mod.autocomplete(world.channel, f"labels {command}", option, "bel")
        assert [choice["value"] for choice in offered] == ["Bello"]


async def test_examples_are_seen_with_links_and_taken_out(world: World) -> None:
    await taught(world, Fluffy=3)
    mod = moderator(world)
    panel = shown(await labels(world, "examples", mod, label="Fluffy")).message
    words = text(world, panel)
    assert "### **Fluffy**: 3 examples" in words
    assert f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/79" in words
    await mod.select(panel, ["1", "3"])
    words = text(world, panel)
    assert f"2 examples are taken out. {UNDO}" in words
    assert "### **Fluffy**: 1 example" in words
    assert await counts(world) == {"Fluffy": 1}


async def test_many_examples_come_in_pages(world: World) -> None:
    await taught(world, Fluffy=45)
    mod = moderator(world)
    panel = shown(await labels(world, "examples", mod, label="Fluffy")).message
    assert "Example 45" in text(world, panel)
    await mod.click(panel, label="Older")
    await mod.click(panel, label="Older")
    assert "Example 5" in text(world, panel)
    assert "Older" not in text(world, panel)
    await mod.click(panel, label="Newer")
    assert "Example 25" in text(world, panel)


async def test_none_of_these_has_examples_too(world: World) -> None:
    await taught(world, none=2)
    mod = moderator(world)
    panel = shown(await labels(world, "examples", mod, label="none of these")).message
    assert "### “none of these”: 2 examples" in text(world, panel)
    await mod.select(panel, ["1"])
    assert await counts(world) == {"": 1}


async def test_a_teacher_who_no_longer_is_one_takes_nothing_out(world: World) -> None:
    await taught(world, Fluffy=2)
    role = world.guild.create_role("teachers")
    await world.bot.store.guilds.update(world.guild.id, {"teachers": [role.id]})
    carol = world.guild.add_member(world.env.create_user("carol"), roles=[role])
    panel = shown(await labels(world, "examples", carol, label="Fluffy")).message
    await world.bot.store.guilds.update(world.guild.id, {"teachers": []})
    assert said(await carol.select(panel, ["1"])).startswith("To teach me you need")
    assert await counts(world) == {"Fluffy": 2}


# A test


def report(world: World, labels: tuple[int, ...]) -> TeachingReport:
    first, second = sorted(labels)
    return TeachingReport(
        (first, second), (4, 4), ((3, 1), (0, 4)), (0, 0), 0, (SuspectExample(1, first, second),)
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[ChartSheet]:
    sheets: list[ChartSheet] = []

    async def draw(_: ChartPainter, sheet: ChartSheet) -> bytes:
        sheets.append(sheet)
        return b"\x89PNG\r\n\x1a\n and so on"

    monkeypatch.setattr(ChartPainter, "draw", draw)
    return sheets


async def test_a_test_says_how_well_the_labels_are_known(world: World, drawn: list[ChartSheet]) -> None:
    await taught(world, Fluffy=4, Bello=4)
    names = await world.bot.store.teaching.names(world.guild.id)
    world.knowledge.reports[world.guild.id] = report(world, tuple(names))
    message = shown(await labels(world, "test")).message
    assert "88%" in message.content
    assert f"https://discord.com/channels/{world.guild.id}/{world.channel.id}/" in message.content
    assert "**Fluffy**" in message.content
    (file,) = message.attachments
    assert file.filename == "labels.png"
    assert len(drawn) == 1


async def test_where_no_chart_can_be_drawn_it_is_said_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> bytes:
        raise ChartFailed("no room")

    monkeypatch.setattr(ChartPainter, "draw", fails)
    await taught(world, Fluffy=4, Bello=4)
    world.knowledge.reports[world.guild.id] = report(
        world, tuple(await world.bot.store.teaching.names(world.guild.id))
    )
    message = shown(await labels(world, "test")).message
    assert "88%" in message.content
    assert not message.attachments


async def test_a_test_that_cannot_be_is_said_to(world: World) -> None:
    assert refusal(world, await labels(world, "test")).startswith("I was taught nothing here yet")
    world.knowledge.fails = KnowledgeFailed("Its process ended.")
    assert refusal(world, await labels(world, "test")) == (
        "I couldn't test that right now. Try again in a minute."
    )
    world.classifier.features = 0
    assert "can't be taught" in refusal(world, await labels(world, "test"))


# A file


async def exported(world: World, who: MemberActor) -> bytes:
    message = shown(await labels(world, "export", who)).message
    (file,) = message.attachments
    data = world.env.backend.cdn.get(file.url)
    assert data is not None
    return data


async def test_what_was_taught_goes_into_a_file_and_comes_back(world: World) -> None:
    await taught(world, Fluffy=3, none=2)
    mod = moderator(world)
    data = await exported(world, mod)
    content = json.loads(gzip.decompress(data))
    assert content["kind"] == world.classifier.info.fingerprints
    assert str(world.alice.id) not in gzip.decompress(data).decode()
    await labels(world, "remove", mod, label="Fluffy")
    await labels(world, "import", mod, file=("labels.json.gz", data))
    assert await counts(world) == {"Fluffy": 3, "": 2}
    assert "already" in refusal(world, await labels(world, "import", mod, file=("labels.json.gz", data)))
    assert said(await labels(world, "undo", mod)) == "Undone: I've forgotten what the file brought."
    assert await counts(world) == {"": 2}


async def test_a_file_of_another_model_is_refused(world: World) -> None:
    await taught(world, Fluffy=3)
    mod = moderator(world)
    content = json.loads(gzip.decompress(await exported(world, mod)))
    other = json.dumps({**content, "kind": "another", "model": "mobilenet_v1_025"}).encode()
    words = refusal(world, await labels(world, "import", mod, file=("labels.json", other)))
    assert words.startswith("That file is from MobileNetV1")


async def test_where_nothing_was_taught_there_is_no_file(world: World) -> None:
    assert refusal(world, await labels(world, "export")).startswith("I was taught nothing here yet")


INFO = ModelInfo("m", "openvino", 224, 2, None, "0" * 64, 1, features=4)
GOOD = struct.pack("<f", 0.5) + b"\1\2\3\4"


def file(**changes: Any) -> bytes:
    labels: Any = {"Fluffy": [base64.b64encode(GOOD).decode()]}
    content = {
        "whatsit_labels": 1,
        "model": "m",
        "kind": INFO.fingerprints,
        "labels": labels,
        "none_of_these": [],
    }
    return json.dumps({**content, **changes}).encode()


def code(fingerprint: bytes) -> list[str]:
    return [base64.b64encode(fingerprint).decode()]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b"[" * 100_000,
        gzip.compress(file())[:-9],
        gzip.compress(b" " * (64 * 1024 * 1024 + 1)),
        file(whatsit_labels=2),
        file(labels=[]),
        file(labels={"": []}),
        file(labels={"a": [], "A": []}),
        file(labels={str(n): [] for n in range(101)}),
        file(labels={"a": code(GOOD) * 201}),
        file(labels={"a": "text"}),
        file(labels={"a": [7]}),
        file(labels={"a": ["%%%"]}),
        file(labels={"a": code(GOOD[:-1])}),
        file(labels={"a": code(GOOD + b"\0")}),
        file(labels={"a": code(struct.pack("<f", float("nan")) + b"\1\2\3\4")}),
        file(labels={"a": code(struct.pack("<f", 0.0) + b"\1\2\3\4")}),
        file(none_of_these={"a": 1}),
    ],
)
def test_a_file_that_is_not_ours_teaches_nothing(data: bytes) -> None:
    with pytest.raises(BadLabelFile):
        read_file(data, INFO)


def test_a_file_says_which_model_it_is_of() -> None:
    with pytest.raises(LabelFileOfOtherModel) as refused:
        read_file(file(kind="other", model="n"), INFO)
    assert refused.value.model == "n"


def test_thousands_of_examples_are_several_files_that_discord_takes() -> None:
    wide = ModelInfo("m", "openvino", 224, 2, None, "0" * 64, 1, features=1280)
    state, noise = 1, bytearray()
    for _ in range(1280 * 8 + 200_000):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise.append(state >> 56)
    given = {
        f"label {label}": [
            struct.pack("<f", 0.01) + bytes(noise[(label * 200 + n) * 7 :][:1280]) for n in range(200)
        ]
        for label in range(40)
    }
    files = write_files(TaughtLabels(given, [GOOD]), wide)
    assert len(files) == 2
    assert max(map(len, files)) <= 10 * 1024 * 1024


async def test_it_speaks_the_teachers_language(world: World) -> None:
    await taught(world, Fluffy=2)
    mod = moderator(world)
    await world.bot.store.members.update(mod.id, {"language": "de"})
    assert said(await labels(world, "rename", mod, label="Fluffy", name="Minka")).startswith(
        "**Fluffy** heißt jetzt **Minka**."
    )
