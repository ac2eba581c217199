"""`whatsit top` beside a real bot: one frame, and the live view on a terminal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

from tests.e2e.command import whatsit
from tests.e2e.terminal import Terminal
from tests.inference.fakes import picture
from tests.wire.bots import process
from tests.wire.metrics import FAKE_MODEL, Endpoint, free_port
from tests.wire.wire import Wire


async def test_it_shows_what_the_bot_does_and_that_it_is_gone(wire: Wire, tmp_path: Path) -> None:
    endpoint = Endpoint(free_port())
    async with process(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL) as bot:
        await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
        await wire.post(("a.png", picture(1)), ("b.png", picture(2)))
        await endpoint.until(lambda seen: seen.of("whatsit_answer_seconds_count") == 1)
        once = await asyncio.to_thread(whatsit, "top", "--once", variables={**endpoint.env, "COLUMNS": "40"})
        assert once.returncode == 0
        shown = once.stdout.decode()
        assert "ready" in shown.splitlines()[0]
        assert "fake on fake" in shown
        assert re.search(r"images named +2, ", shown)
        assert max(map(len, shown.splitlines())) == 40
        await asyncio.to_thread(_watch, endpoint, bot.pid)


def _watch(endpoint: Endpoint, pid: int) -> None:
    with Terminal(
        "top", "--every", "0.2", **endpoint.env, TERM="xterm", COLUMNS="80", LINES="40"
    ) as terminal:
        terminal.wait_for("Images since the start")
        terminal.wait_for(r"Images of the last [\d.]+ s")
        os.kill(pid, signal.SIGKILL)
        terminal.wait_for("does not answer any more")
        assert terminal.interrupt() == 0
