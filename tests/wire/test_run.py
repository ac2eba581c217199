"""The life of the bot as a real process: real signals, and what its owner reads when it ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import matplotlib as mpl
import pytest

from tests.wire import cdn
from tests.wire.bots import LABEL, process
from tests.wire.modes import compatible_server, each_server
from tests.wire.wire import Wire

PICTURE = ("cat.png", b"\x89PNG and so on")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_answers_what_is_in_hand_and_nothing_new(
    wire: Wire, tmp_path: Path, number: signal.Signals
) -> None:
    async with process(wire, tmp_path, seconds=1.0) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        in_hand = await wire.post(PICTURE)
        await wire.cdn.until_asked()
        bot.tell(number)
        await asyncio.sleep(0.3)
        await wire.post(PICTURE)
        code, out, err = await bot.end()
    (answer,) = wire.world.answers()
    assert LABEL in str(answer)
    assert answer["message_reference"]["message_id"] == in_hand["id"]
    assert code == 0
    assert out.endswith("closed\n")
    assert "everything in hand was answered" in err


@compatible_server
@pytest.mark.real_model
@pytest.mark.timeout(600)
async def test_ctrl_c_at_the_terminal_leaves_the_real_worker_its_last_images(
    wire: Wire, tmp_path: Path
) -> None:
    photograph = (Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes()
    model = {"WHATSIT_MODEL__NAME": "efficientnet_lite0", "WHATSIT_QUEUE__DRAIN": "60"}
    async with process(wire, tmp_path, model, command=["bot", "run"]) as bot:
        await wire.world.until(lambda: wire.gateway.ready, patience=500)
        for number in range(5):  # no two the same, so that each is work
            await wire.post((f"{number}.jpg", photograph + bytes([number])))
        await wire.cdn.until_asked(5)
        bot.tell(signal.SIGINT, group=True)
        code, _, err = await bot.end()
    assert code == 0
    assert "everything in hand was answered" in err
    assert [LABEL in str(answer) for answer in wire.world.answers()] == [True] * 5


async def test_it_has_given_up_core_dumps(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        limits = await asyncio.to_thread(Path(f"/proc/{bot.pid}/limits").read_text)
        assert [line.split()[4:6] for line in limits.splitlines() if "core file" in line] == [["0", "0"]]
        bot.tell(signal.SIGTERM)
        await bot.end()


async def test_idle_it_leaves_at_once(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        bot.tell(signal.SIGTERM)
        code, _, _ = await bot.end()
    assert code == 0
    assert wire.gateway.ready == []


async def test_told_to_stop_while_the_model_loads_it_does(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, load=600) as bot:
        await wire.world.until(lambda: wire.world.sent("GET", "/oauth2/applications/@me"))
        bot.tell(signal.SIGTERM)
        code, out, _ = await bot.end()
    assert code == 0
    assert out == "loading\nclosed\n"


async def test_what_is_not_done_when_the_time_is_over_is_left(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"WHATSIT_QUEUE__DRAIN": "0.3"}, seconds=600) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.cdn.until_asked()
        bot.tell(signal.SIGTERM)
        code, _, err = await bot.end()
    assert code == 1
    assert "still unanswered after 0.3 s" in err


async def test_a_second_ctrl_c_leaves_at_once(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"WHATSIT_QUEUE__DRAIN": "600"}, seconds=600) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.cdn.until_asked()
        bot.tell(signal.SIGINT)
        await asyncio.sleep(0.3)
        bot.tell(signal.SIGINT)
        code, _, _ = await bot.end()
    assert code == -signal.SIGINT


async def test_a_download_in_hand_is_waited_for_too(wire: Wire, tmp_path: Path) -> None:
    wire.cdn.answer = cdn.slow(0.5, before=True)
    async with process(wire, tmp_path) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.cdn.until_asked()
        bot.tell(signal.SIGTERM)
        code, _, _ = await bot.end()
    assert code == 0
    assert LABEL in str(wire.world.answers())


async def test_without_a_token_it_says_where_to_get_one(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"DISCORD_TOKEN": ""}) as bot:
        code, _, err = await bot.end()
    assert code == 2
    assert err.count("\n") == 1
    assert "DISCORD_TOKEN" in err
    assert wire.world.requests == []


@each_server
async def test_a_refused_token_is_one_sentence_that_does_not_repeat_it(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path, {"DISCORD_TOKEN": "not.the.token"}) as bot:
        code, out, err = await bot.end()
    assert code == 2
    assert "The token is refused" in err
    assert ("discord.com/developers" in err) is not wire.strict
    assert "not.the.token" not in out + err
    assert "loading" not in out


@pytest.mark.parametrize(("close", "code", "says"), [(4004, 2, "The token is refused"), (4013, 1, "4013")])
async def test_a_gateway_that_refuses_for_good_ends_it(
    wire: Wire, tmp_path: Path, close: int, code: int, says: str
) -> None:
    wire.gateway.refuse = close
    async with process(wire, tmp_path) as bot:
        ended, out, err = await bot.end()
    assert ended == code
    assert says in err
    assert out.endswith("closed\n")


async def test_a_model_that_cannot_load_ends_it_with_its_reason(wire: Wire, tmp_path: Path) -> None:
    why = "There is no such model as x; see `whatsit models`."
    async with process(wire, tmp_path, unavailable=why) as bot:
        code, _, err = await bot.end()
    assert code == 1
    assert why in err


async def test_a_server_that_is_down_is_one_sentence(wire: Wire, tmp_path: Path) -> None:
    nowhere = {
        "WHATSIT_DISCORD__API_URL": "http://127.0.0.1:1/api/v10",
        "WHATSIT_DISCORD__GATEWAY_URL": "ws://127.0.0.1:1",
    }
    async with process(wire, tmp_path, nowhere) as bot:
        code, _, err = await bot.end()
    assert code == 1
    assert "cannot be reached" in err


async def test_a_store_that_cannot_be_used_ends_it_at_once_and_says_what_to_do(
    wire: Wire, tmp_path: Path
) -> None:
    (tmp_path / "whatsit.sqlite3").write_bytes(b"no database at all, whatever its name says" * 100)
    async with process(wire, tmp_path) as bot:
        code, out, err = await bot.end()
    assert code == 1
    assert "is damaged" in err
    assert "put a backup in its place" in err
    assert out == ""
    assert not wire.gateway.ready


async def test_of_two_bots_on_one_store_the_second_says_so_and_ends(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path) as first:
        await wire.world.until(lambda: wire.gateway.ready)
        async with process(wire, tmp_path) as second:
            code, out, err = await second.end()
        assert code == 1
        assert err.count("is used by another Whatsit") == 1
        assert "store.shared" in err
        assert out == ""
        async with process(wire, tmp_path, {"WHATSIT_STORE__SHARED": "true"}) as sharing:
            code, out, err = await sharing.end()
        assert code not in (None, 0)
        assert "store.shared need a PostgreSQL" in err  # a SQLite file is one process's
        await first.kill()
    wire.gateway.sessions.clear()
    async with process(wire, tmp_path):
        await wire.world.until(lambda: wire.gateway.ready)


async def test_a_gateway_that_is_down_costs_one_line_an_attempt(wire: Wire, tmp_path: Path) -> None:
    async with process(wire, tmp_path) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        wire.gateway.held = True
        await wire.gateway.drop()
        await wire.world.until(lambda: wire.gateway.refused >= 2)
        wire.gateway.held = False
        await wire.world.until(lambda: wire.gateway.ready)
        bot.tell(signal.SIGTERM)
        code, _, err = await bot.end()
    assert code == 0
    assert err.count("The connection to the gateway failed (") == err.count("Attempting a reconnect")
    assert err.count("Attempting a reconnect") >= 2
