"""An event that discord.py cannot parse costs that event and one line in the log, never the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wire.bots import online
from tests.wire.odd_events import EVENTS, SECRET, event, odd
from tests.wire.wire import Wire
from tests.wire.world import Payload

PICTURE = ("cat.png", b"\x89PNG and so on")
GUARD = "bot.connection.event_guard"


async def is_answered(wire: Wire) -> None:
    """Somebody posts a picture, and it is answered."""
    message = await wire.post(PICTURE)
    await wire.world.until(lambda: wire.world.answered()[message["id"]], patience=20)


def guard_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == GUARD]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_an_event_looks_like_the_next_picture_is_answered(
    data: st.DataObject, caplog: pytest.LogCaptureFixture
) -> None:
    async def live() -> None:
        async with Wire() as wire, online(wire) as bot:
            await is_answered(wire)
            for kind in EVENTS:
                for _ in range(3):
                    await wire.gateway.emit(kind, data.draw(odd(event(wire, kind)), label=kind))
            await is_answered(wire)
            await bot.work_in_hand.finish(10)
            await asyncio.sleep(0.1)  # discord.py tells itself that the commands are done

    asyncio.run(live())
    assert SECRET not in str(guard_lines(caplog))
    caplog.clear()


def without_me(payload: Payload) -> Payload:
    payload["reactions"] = [{"emoji": {"id": None, "name": "x"}, "count": 1}]
    return payload


def with_roles_as_objects(payload: Payload) -> Payload:
    payload["member"]["roles"] = [{"id": "1", "name": "new"}]
    return payload


def of_no_server(payload: Payload) -> Payload:
    return payload | {"guild_id": None}


@pytest.mark.parametrize(
    ("kind", "oddly"),
    [
        ("MESSAGE_CREATE", of_no_server),
        ("MESSAGE_UPDATE", with_roles_as_objects),
        ("MESSAGE_CREATE", without_me),
    ],
)
async def test_an_odd_event_is_one_line_with_its_type_and_keys(
    wire: Wire, caplog: pytest.LogCaptureFixture, kind: str, oddly: Callable[[Payload], Payload]
) -> None:
    async with online(wire):
        payload = oddly(event(wire, kind))
        for _ in range(2):
            await wire.gateway.emit(kind, payload)
        await is_answered(wire)
    first, second = guard_lines(caplog)
    assert first.startswith(f"An event {kind} cannot be parsed and is passed over (1 since the start): ")
    assert "(2 since the start)" in second
    assert first.endswith(f"Its keys: {', '.join(payload)}.")
    assert SECRET not in first
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == ["WARNING"] * 2


@pytest.mark.parametrize("missing", ["user", "session_id", "guilds"])
async def test_an_odd_ready_is_another_session(
    wire: Wire, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    wire.gateway.missing_in_ready = missing
    async with online(wire):
        await wire.world.until(lambda: "trying a new session" in caplog.text)
        wire.gateway.missing_in_ready = None
        await wire.world.until(lambda: len(wire.gateway.sessions) > 1)
        await is_answered(wire)
    assert "Traceback" not in caplog.text
