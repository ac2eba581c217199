"""A whole evening, and the log of it: whatever its loggers are told to say, it holds ids alone."""

from __future__ import annotations

import asyncio
import json
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.config.test_privacy_page import DISK, PAGE, is_known, named
from tests.wire import cdn
from tests.wire.bots import LABEL, process
from tests.wire.gateway import Gateway
from tests.wire.wire import Wire
from tests.wire.world import TOKEN, Payload, new_user

MESSAGES = r"/channels/\d+/messages"
SECRETS = {
    "a member's name": "Philomena-Quill",
    "another's": "Theophil-Ratte",
    "a server's name": "Order-of-the-Teapot",
    "a channel's name": "below-the-stairs",
    "what somebody wrote": "my grandmother's emerald",
    "a file's name": "holiday-in-brindisi",
    "what is signed in an address": "hm=ab",
    "the token": TOKEN,
    "a label": LABEL,
    "an interaction's token": "interaction-",
}


def sign(wire: Wire) -> None:
    """Give everybody and everything names that are known again."""
    world = wire.world
    world.person |= {"username": SECRETS["a member's name"], "global_name": SECRETS["a member's name"]}
    world.channels[world.general]["name"] = SECRETS["a channel's name"]
    guild = world.guild

    def named() -> dict[str, object]:
        return {**guild(), "name": SECRETS["a server's name"]}

    world.guild = named  # type: ignore[method-assign]


def files_in(folder: Path) -> dict[str, int]:
    """The names of all files, and their modes."""
    return {file.name: file.stat().st_mode for file in folder.rglob("*") if file.is_file()}


def is_answered(wire: Wire, message: Payload) -> bool:
    return wire.world.answered()[message["id"]] > 0


async def evening(wire: Wire, gateway: Gateway) -> None:
    """Pictures in every way, and most of what can go wrong with them."""
    world, written = wire.world, SECRETS["what somebody wrote"]
    picture = (SECRETS["a file's name"] + ".png", b"\x89PNG and so on")
    other = new_user(SECRETS["another's"])

    first = await wire.post(picture, content=written)
    await world.until(lambda: world.answered()[first["id"]])
    await wire.edit(first, content=f"{written}, again")
    direct = await wire.post_dm(picture, author=other)
    await world.until(lambda: LABEL in str(world.answers(direct["channel_id"])))
    await wire.slash("classify", picture)
    await wire.menu("What's in this picture?", first)
    await wire.slash("preferences", language="tlh")
    await wire.slash("classify", picture, where="group")
    await world.until(lambda: len(wire.cdn.asked) >= 4)

    for reply in (cdn.status(404, written), cdn.page(), cdn.redirect(str(wire.trap_url)), cdn.cut(5)):
        wire.cdn.answer = reply
        failing = await wire.post(picture, content=f"<@{world.bot['id']}> {written}", author=other)
        await world.until(partial(is_answered, wire, failing))
    wire.cdn.answer = cdn.plain

    echo = {"code": 50035, "message": written, "errors": {"content": {"_errors": [{"message": written}]}}}
    world.fail("POST", MESSAGES, 400, body=echo)
    world.limit("PATCH", r"/webhooks/.*", 0.1)
    world.fail("POST", r"/webhooks/.*", 404, body={"code": 10015, "message": written})
    lost = await wire.post(picture, content=written)
    await wire.slash("classify", picture)
    await world.until(lambda: len(wire.cdn.asked) >= 10)
    await gateway.emit("MESSAGE_UPDATE", {"id": "odd", "channel_id": world.general, "content": written})
    await gateway.emit("GUILD_ROLE_UPDATE", {"guild_id": world.guild_id, "role": written})
    await gateway.drop()
    await world.until(lambda: gateway.ready)
    await wire.delete(lost)
    await wire.delete(first)
    last = await wire.post(picture, content=written, author=other)
    await world.until(lambda: world.answered()[last["id"]])


@pytest.mark.parametrize("written_as", ["text", "json"])
async def test_no_line_of_an_evening_holds_more_than_ids(wire: Wire, tmp_path: Path, written_as: str) -> None:
    sign(wire)
    wanted = {"WHATSIT_LOG__FORMAT": written_as, "WHATSIT_LOG__LEVEL": "debug", "PYTHONASYNCIODEBUG": "1"}
    async with process(wire, tmp_path, wanted, log_everything=True) as bot:
        ended = asyncio.create_task(bot.end(patience=100))
        await wire.world.until(lambda: wire.gateway.ready)
        await evening(wire, wire.gateway)
        bot.tell(signal.SIGTERM)
        code, out, err = await ended
    assert code == 0
    assert "everything in hand was answered" in err
    lines = (out + err).splitlines()
    assert [(what, line) for what, secret in SECRETS.items() for line in lines if secret in line] == []
    files = files_in(tmp_path)
    assert set(files) <= set(named(DISK)), f"give them a row in {PAGE}"
    assert [name for name, mode in files.items() if mode & 0o077] == [], "others may read them"
    if written_as == "json":
        said = [json.loads(line) for line in err.splitlines()]
        assert sum(line["event"] == "image" for line in said) >= 10
        assert {line["logger"].partition(".")[0] for line in said} >= {"bot", "discord"}
        fields = {field for line in said for field in line}
        assert [field for field in fields if not is_known(field)] == [], f"give them a row in {PAGE}"
