"""What Discord refuses: counted, not asked for again, and with a refused token the end of the bot."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from functools import partial
from pathlib import Path

import discord
import pytest

from bot.connection.request_brake import NO_COURTESIES, ONLY_INTERACTIONS
from tests.wire.bots import LABEL, online, process
from tests.wire.cdn import slow
from tests.wire.wire import Wire

PICTURE = ("cat.png", b"\x89PNG and so on")
MESSAGES = r"/channels/\d+/messages"
CHANNELS = r"/channels/\d+/.*"
MISSING_PERMISSIONS = {"code": 50013, "message": "Missing Permissions"}


def refused(wire: Wire, *statuses: int) -> int:
    """How many requests were answered with one of these."""
    return sum(request.status in statuses for request in wire.world.requests)


async def test_a_token_that_is_refused_ends_the_bot_with_one_sentence(wire: Wire, tmp_path: Path) -> None:
    others = [wire.world.add_channel(f"c{n}") for n in range(10)]
    async with process(wire, tmp_path, seconds=0.2) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        for method in ("GET", "POST", "PUT"):
            wire.world.fail(method, CHANNELS, 401, times=10_000)
        for number in range(100):
            await wire.post(PICTURE, channel=others[number % 10])
        code, _, err = await bot.end()
    assert code == 2
    assert err.count("The token is refused") == 1
    assert "Traceback" not in err
    # On its way already was, in each channel, no more than typing, a reading and an answer.
    assert 1 <= refused(wire, 401) <= 3 * len(others)


async def test_the_expired_token_of_an_interaction_is_not_the_bots(wire: Wire, tmp_path: Path) -> None:
    async with online(wire, data=tmp_path):
        wire.cdn.answer = slow(0.3, before=True)
        interaction = await wire.slash("classify", PICTURE)
        await wire.world.until(lambda: interaction.message_ids)
        interaction.expired = True
        await wire.world.until(lambda: refused(wire, 401))
        await wire.post(PICTURE)
        await wire.world.until(lambda: LABEL in str(wire.world.answers()))


async def test_a_channel_that_refuses_is_not_tried_again_until_its_permissions_change(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fault = wire.world.fail("POST", MESSAGES, 403, times=100, body=MISSING_PERMISSIONS)
    other = wire.world.add_channel("other")
    async with online(wire, data=tmp_path) as bot:
        await wire.post(PICTURE)
        await wire.world.until(lambda: wire.world.reactions)
        for number in range(1, 6):
            await wire.post(PICTURE)
            await wire.world.until(partial(_reacted_to_more_than, wire, number))
        assert refused(wire, 403) == 1
        assert len(wire.cdn.asked) == 1
        fault.times = 0
        await wire.post(PICTURE, channel=other)
        await wire.world.until(lambda: wire.world.answers(other))
        channel = wire.world.channels[wire.world.general]
        overwrite = {"id": wire.world.guild_id, "type": 0, "allow": "2048", "deny": "0"}
        await wire.gateway.emit("CHANNEL_UPDATE", channel | {"permission_overwrites": [overwrite]})
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        assert bot.http_watch.brake.counts() == {"403": 1}
    assert sum("refuses the bot" in record.getMessage() for record in caplog.records) == 1


async def test_a_member_who_blocks_reactions_closes_no_channel(wire: Wire, tmp_path: Path) -> None:
    blocked = {"code": 90001, "message": "Reaction blocked"}
    wire.world.fail("PUT", CHANNELS, 403, body=blocked)
    async with online(wire, data=tmp_path) as bot:
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        bot.http_watch.channels.answered("POST", f"/channels/{wire.world.general}/messages", 403, 50013)
        await wire.post(PICTURE)
        await wire.world.until(lambda: refused(wire, 403))
        await wire.post(PICTURE)
        await wire.world.until(lambda: wire.world.reactions)


async def test_after_many_refusals_courtesies_stop_and_then_all_but_interactions(
    wire: Wire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with online(wire, data=tmp_path) as bot:
        _refuse(bot.http_watch.brake.answered, NO_COURTESIES)
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 1)
        assert wire.world.sent("POST", r"/channels/\d+/typing") == []
        _refuse(bot.http_watch.brake.answered, ONLY_INTERACTIONS - NO_COURTESIES)
        await wire.post(PICTURE)
        interaction = await wire.slash("classify", PICTURE)
        await wire.world.until(lambda: wire.world.sent("PATCH", r"/webhooks/.*"))
        await asyncio.sleep(0.2)
        assert interaction.message_ids
        assert len(wire.world.sent("POST", MESSAGES)) == 1
    said = [record.getMessage() for record in caplog.records if "ban this address" in record.getMessage()]
    assert [line.partition(" requests")[0] for line in said] == [
        f"Discord has refused {NO_COURTESIES:d}",
        f"Discord has refused {ONLY_INTERACTIONS:d}",
    ]


@pytest.mark.parametrize("seconds", [75, -75, 7200])
async def test_a_clock_that_is_off_is_allowed_for_and_said_once(
    wire: Wire,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: float,
) -> None:
    true = discord.utils.utcnow
    monkeypatch.setattr(discord.utils, "utcnow", lambda: true() + datetime.timedelta(seconds=seconds))
    await wire.post(PICTURE)
    async with online(wire, data=tmp_path):
        await wire.world.until(partial(_gave_answers, wire, 1))  # what it missed
        for number in range(2, 4):
            await wire.post(PICTURE)
            await wire.world.until(partial(_gave_answers, wire, number))
    assert wire.world.reactions == []
    said = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert len(said) == 1
    assert f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'}" in said[0]


def _reacted_to_more_than(wire: Wire, number: int) -> bool:
    return len(wire.world.reactions) > number


def _gave_answers(wire: Wire, number: int) -> bool:
    return len(wire.world.answers()) == number


def _refuse(answered: Callable[[str, int], bool], times: int) -> None:
    for _ in range(times):
        answered("/api/v10/channels/1/messages", 403)
