"""Have a chart drawn: the one part of this room that the bot's process imports, besides the sheet.

Neither Pillow nor a font is ever loaded into the process that calls this.
"""

from __future__ import annotations

import asyncio
import subprocess

from inference.charts.sheet import ChartSheet
from inference.subprocesses import module_command, own_environment

DRAW_SECONDS = 20.0
"""For one chart. It takes half a second, and was seen to take 3 s with every core busy."""
MOST_WAITING = 8
"""Charts that may wait or be drawn; whoever comes then hears so at once."""
MOST_BYTES = 4 * 1024 * 1024
"""Of one PNG; a chart has some 60 KB."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class ChartFailed(Exception):
    """The chart could not be drawn; the message says why, for the log."""


class ChartPainter:
    """Draws charts, one at a time, each in a process of its own with no secret in its environment."""

    def __init__(self, *, nice: int) -> None:
        """`nice` is the niceness of the process that draws, 0 to 19."""
        self._nice = nice
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def draw(self, sheet: ChartSheet) -> bytes:
        """Return the sheet as a PNG. Raises ChartFailed; at once if too many others wait already."""
        if self._waiting >= MOST_WAITING:
            raise ChartFailed(f"{self._waiting} others are waiting for theirs.")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(self._draw, sheet)
        finally:
            self._waiting -= 1

    def _draw(self, sheet: ChartSheet) -> bytes:
        command = module_command("inference.charts", str(self._nice))
        try:
            done = subprocess.run(  # noqa: S603 - this very interpreter, our own module
                command,
                input=sheet.model_dump_json().encode(),
                capture_output=True,
                timeout=DRAW_SECONDS,
                check=False,
                env=own_environment(),
                start_new_session=True,  # Ctrl-C is for the bot, which finishes what it has in hand
            )
        except subprocess.TimeoutExpired:
            raise ChartFailed(f"It was not drawn within {DRAW_SECONDS:g} s.") from None
        except OSError as error:
            raise ChartFailed(f"Its process could not be started: {error}.") from error
        if done.returncode or not done.stdout.startswith(PNG_SIGNATURE) or len(done.stdout) > MOST_BYTES:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ChartFailed(f"Its process ended with status {done.returncode}: {last or 'no picture came'}")
        return done.stdout
