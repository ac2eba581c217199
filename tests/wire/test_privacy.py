"""`/privacy` over real sockets, with a real process and its database's files."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.wire import cdn
from tests.wire.bots import process
from tests.wire.wire import Wire
from tests.wire.world import Interaction, Payload, new_user

PICTURE = ("cat.png", b"\x89PNG and so on")
MESSAGES = r"/channels/\d+/messages"


async def privacy(wire: Wire, what: str) -> Interaction:
    """Somebody runs `/privacy what`."""
    interaction = wire.interaction("privacy")
    interaction.payload["data"]["options"] = [{"name": what, "type": 1, "options": []}]
    await wire.gateway.emit("INTERACTION_CREATE", interaction.payload)
    return interaction


def shown(wire: Wire, interaction: Interaction) -> str:
    """Everything that the responses to an interaction say."""
    stand = wire.world.messages[interaction.channel_id]
    return json.dumps([stand[each] for each in interaction.message_ids])


def says(wire: Wire, interaction: Interaction, words: str) -> bool:
    return words in shown(wire, interaction)


def is_answered(wire: Wire, message: Payload) -> bool:
    return wire.world.answered()[message["id"]] > 0


def traces(folder: Path, person: Payload) -> int:
    """How often somebody's id stands in the database's files, as a number or as text."""
    held = b"".join(file.read_bytes() for file in folder.glob("whatsit.sqlite3*"))
    return held.count(int(person["id"]).to_bytes(8, "big")) + held.count(str(person["id"]).encode())


async def test_whoever_is_forgotten_is_gone_from_the_work_and_from_the_files_while_it_runs(
    wire: Wire, tmp_path: Path
) -> None:
    world, other = wire.world, new_user("Grace")
    async with process(wire, tmp_path) as bot:
        await world.until(lambda: wire.gateway.ready)
        first = await wire.post(PICTURE)
        await world.until(partial(is_answered, wire, first))
        wire.cdn.answer = cdn.slow(30, before=True)
        downloading = await wire.post(PICTURE)
        command = await wire.slash("classify", PICTURE)
        await wire.cdn.until_asked(3)
        assert traces(tmp_path, world.person) > 0

        question = await privacy(wire, "delete")
        await world.until(partial(says, wire, question, "Forget everything about you?"))
        pressed = await wire.press(
            "whatsit:privacy:forget:keep", world.messages[world.general][question.message_ids[0]]
        )
        pressed.message_ids.extend(question.message_ids)
        await world.until(partial(says, wire, question, "I've forgotten everything I knew about you."))
        assert traces(tmp_path, world.person) == 0
        assert says(wire, command, "I stopped: whoever this belongs to")

        wire.cdn.answer = cdn.plain
        later = await wire.post(PICTURE, author=other)
        await world.until(partial(is_answered, wire, later))
        assert not is_answered(wire, downloading)
        bot.tell(signal.SIGTERM)
        code, _, _ = await bot.end()
    assert code == 0
    assert traces(tmp_path, world.person) == 0
    assert traces(tmp_path, other) > 0


def copies(wire: Wire) -> list[dict[str, Any]]:
    """The copies that were sent, to wherever it was."""
    files = [file for request in wire.world.requests for file in request.files if request.status == 200]
    return [json.loads(data) for name, data in files if name == f"whatsit-{wire.world.person['id']}.json"]


@pytest.mark.parametrize("code", [None, 50007, 50278])
async def test_a_copy_is_sent_by_direct_message_or_where_that_is_closed_in_the_response(
    wire: Wire, tmp_path: Path, code: int | None
) -> None:
    world = wire.world
    async with process(wire, tmp_path) as bot:
        await world.until(lambda: wire.gateway.ready)
        message = await wire.post(PICTURE)
        await world.until(partial(is_answered, wire, message))
        direct = world.dm(world.person)
        if code is not None:
            world.fail("POST", f"/channels/{direct}/messages", 403, body={"code": code, "message": "no"})
        asked = await privacy(wire, "export")
        await world.until(partial(copies, wire))
        (copy,) = copies(wire)
        assert [row["source_id"] for row in copy["kept"]["answer"]] == [message["id"]]
        words = "Sent to your DMs:" if code is None else "ere it is; only you see it."
        await world.until(partial(says, wire, asked, words))
        assert len(world.answers(direct)) == (1 if code is None else 0)
        bot.tell(signal.SIGTERM)
        assert (await bot.end())[0] == 0
