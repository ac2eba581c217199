"""`/stats`: what was counted in a server, as a chart and in words, for those who may manage it."""

from __future__ import annotations

import io
import logging
from typing import Any

import discord
import pytest
from PIL import Image
from simcord.actors import MemberActor
from simcord.results import InteractionResult

from bot.store import StoreUnavailable
from inference.charts.client import ChartFailed, ChartPainter
from inference.charts.sheet import ChartSheet, RankingPanel
from tests.bot.moderation import moderator, refusal, said
from tests.world import World, classified, picture

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[ChartSheet]:
    """The sheets that were to be drawn; nothing is."""
    sheets: list[ChartSheet] = []

    async def draw(_: ChartPainter, sheet: ChartSheet) -> bytes:
        sheets.append(sheet)
        return PNG

    monkeypatch.setattr(ChartPainter, "draw", draw)
    return sheets


async def post(world: World, *names: tuple[str, float]) -> None:
    """Alice posts a picture of each of these."""
    for name, probability in names:
        data = f"{name} {probability}".encode()
        world.classifier.says[data] = classified((name, probability))
        await world.alice.send(world.channel, attachments=[picture(data=data)])


async def stats(world: World, member: MemberActor | None = None) -> InteractionResult:
    return await (member or moderator(world)).slash(world.channel, "stats")


def now(world: World, result: InteractionResult) -> discord.Message:
    """The answer, once what was promised is there."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.message


def panels(sheet: ChartSheet) -> dict[str, Any]:
    return {panel.title: panel for row in sheet.rows for stack in row.stacks for panel in stack}


async def test_a_moderator_sees_a_chart_and_its_numbers(world: World, drawn: list[ChartSheet]) -> None:
    await post(world, ("cat", 0.95), ("cat", 0.8), ("mouse", 0.5), ("hare", 0.1))
    answer = world.answers()[0]
    await world.alice.click(answer, label="Was this right?")
    for user, right in ((1, True), (2, True), (3, False)):
        await world.bot.store.feedback.give(
            answer_id=answer.id, image=0, user_id=user, guild_id=world.guild.id, model="m", label="cat",
            certainty="sure", right=right,
        )  # fmt: skip
    message = now(world, await stats(world))
    assert message.content.splitlines()[:5] == [
        "### The last 30 days",
        "4 pictures",
        "**Seen most often**: cat (2), hare (1), and mouse (1)",
        "**How sure I was**: sure 25% (1), probably 25% (1), maybe 25% (1), and not sure 25% (1)",
        "**Right and wrong**: right 67% (2) and wrong 33% (1)",
    ]
    (sheet,) = drawn
    assert (sheet.figure, sheet.locale) == (4, "en")
    days = panels(sheet)["Pictures a day"].columns
    assert [column.value for column in days] == [0] * 29 + [4]
    assert [(row.label, row.value) for row in panels(sheet)["Seen most often"].rows][:1] == [("cat", 2)]
    (file,) = message.attachments
    assert file.filename == "statistics.png"
    assert file.description is not None
    assert "Seen most often: cat (2), hare (1), and mouse (1)" in file.description
    assert file.description.endswith(": " + "0, " * 29 + "4.")
    assert len(file.description) <= 1024


async def test_the_chart_is_drawn_by_the_process_that_is_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: list[bytes] = []

    async def draw(painter: ChartPainter, sheet: ChartSheet) -> bytes:
        real.append(painter._draw(sheet))
        return real[-1]

    monkeypatch.setattr(ChartPainter, "draw", draw)
    await post(world, ("cat", 0.95))
    (file,) = now(world, await stats(world)).attachments
    stored = world.env.backend.cdn.get(file.url)
    assert stored == real[0]
    assert Image.open(io.BytesIO(real[0])).format == "PNG"


GERMAN = [
    "### Die letzten 30 Tage",
    "2 Bilder",
    "**Am häufigsten gesehen**: Katze (1) und ",
    "sicher 50 % (1)",
]
JAPANESE = ["### 最近30日間", "画像2枚", "猫 (1)、", "確実 50% (1)"]


@pytest.mark.parametrize(("language", "cat", "words"), [("de", "Katze", GERMAN), ("ja", "猫", JAPANESE)])
async def test_it_speaks_the_moderators_language(
    world: World, drawn: list[ChartSheet], language: str, cat: str, words: list[str]
) -> None:
    await post(world, ("cat", 0.95), ("mouse", 0.5))
    mod = moderator(world)
    await world.bot.store.members.update(mod.id, {"language": language})
    message = now(world, await stats(world, mod))
    for expected in words:
        assert expected in message.content.replace("\xa0", " ")
    (sheet,) = drawn
    assert sheet.locale == language
    ((names, *_), *_) = sheet.rows[1].stacks
    assert isinstance(names, RankingPanel)
    assert names.rows[0].label == cat
    assert cat in str(message.attachments[0].description)


async def test_what_only_one_person_saw_is_counted_without_its_name(
    world: World, drawn: list[ChartSheet]
) -> None:
    world.classifier.otherwise = classified(("secret", 0.95))
    await world.alice.slash(world.channel, "classify", picture=picture(), private=True)
    await world.alice.slash(world.channel, "classify", picture=picture())
    sums = await world.bot.store.sums.of(world.guild.id, 30)
    assert (sums.total, sums.names, sums.certainties) == (2, {"secret": 1}, {"sure": 2})


async def test_a_spoiler_is_counted_without_what_it_hides(world: World) -> None:
    world.classifier.otherwise = classified(("the end", 0.95))
    await world.alice.send(world.channel, attachments=[picture("SPOILER_a.png"), picture("b.png")])
    sums = await world.bot.store.sums.of(world.guild.id, 30)
    assert (sums.total, sums.names) == (2, {"the end": 1})


async def test_direct_messages_and_what_could_not_be_named_are_not_counted(world: World) -> None:
    world.classifier.otherwise = StoreUnavailable("no picture")  # any error
    world.classifier.says[b"cat"] = classified(("cat", 0.9))
    await world.alice.send_dm(attachments=world.stored(picture(), channel=world.alice.user.dm_channel))
    assert world.bot.store.sums.new_guilds() == set()


async def test_a_merged_or_compact_answer_counts_each_picture(world: World) -> None:
    world.classifier.otherwise = classified(("cat", 0.9))
    await world.alice.send(world.channel, attachments=[picture(f"{n}.png") for n in range(7)])
    assert (await world.bot.store.sums.of(world.guild.id, 1)).names == {"cat": 7}


async def test_where_nothing_was_seen_there_is_no_chart(world: World, drawn: list[ChartSheet]) -> None:
    message = now(world, await stats(world))
    assert message.content == "I have not looked at any picture here in the last 30 days."
    assert message.attachments == []
    assert drawn == []


async def test_a_server_can_turn_the_counts_off(world: World, drawn: list[ChartSheet]) -> None:
    mod = moderator(world)
    await post(world, ("cat", 0.95))
    words = said(await mod.slash(world.channel, "settings how", statistics="off"))
    assert "**Daily counts**: None" in words
    await post(world, ("cat", 0.95))
    assert (await world.bot.store.sums.of(world.guild.id, 30)).total == 0
    assert said(await stats(world, mod)).startswith("Daily counts are off in this server")
    await mod.slash(world.channel, "settings how", statistics="on")
    await post(world, ("cat", 0.95))
    assert now(world, await stats(world, mod)).content.splitlines()[1] == "1 picture"


async def test_whoever_an_administrator_let_in_without_the_right_is_told_so(
    world: World, drawn: list[ChartSheet]
) -> None:
    command = world.env.backend.find_command("stats", world.guild.id, type=1)
    assert command is not None
    world.guild.set_command_permissions(int(command["id"]), {world.alice: True})
    sentence = refusal(world, await stats(world, world.alice))
    assert sentence == "You need Manage Server to see or change these."
    assert drawn == []


async def test_it_is_offered_to_those_who_may_manage_the_server_and_not_in_direct_messages(
    world: World,
) -> None:
    (command,) = [each for each in world.bot.tree.get_commands() if each.name == "stats"]
    payload = command.to_dict(world.bot.tree)
    assert payload["default_member_permissions"] == discord.Permissions(manage_guild=True).value
    assert payload["contexts"] == [0]


async def test_where_no_chart_can_be_drawn_the_numbers_are_said(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object) -> bytes:
        raise ChartFailed("Its process ended with status 1.")

    monkeypatch.setattr(ChartPainter, "draw", fails)
    await post(world, ("cat", 0.95))
    message = now(world, await stats(world))
    assert message.content.startswith("The chart could not be drawn this time.")
    assert "1 picture" in message.content
    assert message.attachments == []
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        f"The chart of the server {world.guild.id} was not drawn. Its process ended with status 1."
    ]


async def test_a_store_that_fails_is_said_in_a_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch, drawn: list[ChartSheet]
) -> None:
    async def fails(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(world.bot.store.sums, "of", fails)
    answer = await stats(world)
    assert world.env.errors
    assert "I can't reach my database right now." in now(world, answer).content
