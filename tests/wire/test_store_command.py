"""`whatsit store` beside a real bot: a backup is made of what it uses, and nothing is changed under it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.wire.bots import process
from tests.wire.wire import Wire

PICTURE = ("cat.png", b"\x89PNG and so on")


async def store(data: Path, *typed: str) -> tuple[int | None, str]:
    """Run `whatsit store` for a data folder; return its exit code and all that it said."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "store", *typed),
        env=os.environ | {"WHATSIT_DATA__DIR": str(data)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    return command.returncode, said.decode()


async def test_a_running_bots_store_can_be_backed_up_and_checked_but_not_replaced_or_moved(
    wire: Wire, tmp_path: Path
) -> None:
    data, backup, moved = tmp_path / "data", tmp_path / "backup", tmp_path / "moved.sqlite3"
    async with process(wire, data) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.world.until(wire.world.answers)
        assert (await store(data, "check"))[0] == 0
        code, said = await store(data, "backup", str(backup))
        assert (code, "rows of" in said) == (0, True)
        for typed in (("restore", str(backup)), ("move", f"sqlite:///{moved}")):
            code, said = await store(data, *typed)
            assert (code, "is used by a bot. Stop every bot on it" in said) == (1, True)
        bot.tell(signal.SIGTERM)
        await bot.end()
    assert not moved.exists()
    assert (await store(data, "restore", str(backup)))[0] == 0
    assert (await store(data, "move", f"sqlite:///{moved}"))[0] == 0
    moved.rename(data / "whatsit.sqlite3")
    wire.gateway.sessions.clear()
    async with process(wire, data) as bot:  # which answers no picture twice
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(PICTURE)
        await wire.world.until(lambda: len(wire.world.answers()) == 2)
        bot.tell(signal.SIGTERM)
        await bot.end()
    assert len(wire.world.answers()) == 2
