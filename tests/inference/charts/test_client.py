"""A chart is drawn in a process of its own, whatever becomes of that."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from inference.charts import client
from inference.charts.client import ChartFailed, ChartPainter
from inference.subprocesses import own_environment
from tests.inference.charts.sheets import columns, ranking, shares, sheet

WHOLE = sheet(columns(3, 1, 4, 1, 5), ranking("cat", "Süßwasserfisch", "犬"), shares(3, 1))


async def test_a_sheet_becomes_a_png_with_transparent_corners() -> None:
    png = await ChartPainter(nice=10).draw(WHOLE)
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    assert image.width == 1650
    corner, middle = image.getpixel((0, 0)), image.getpixel((image.width // 2, 30))
    assert isinstance(corner, tuple)
    assert isinstance(middle, tuple)
    assert (corner[3], middle[3]) == (0, 255)
    assert len(png) < 200_000


def test_what_draws_has_no_file_but_the_fonts_no_network_and_no_other_program() -> None:
    code = """
import os, socket, sys
from inference.charts import __main__
def deeds(sheet):
    for deed in (lambda: open("/etc/passwd"), lambda: open("chart.png", "w"), socket.socket, os.fork):
        try:
            deed()
        except OSError as error:
            print(type(error).__name__, file=sys.stderr)
    return b""
__main__.draw_sheet = deeds
__main__.main(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=WHOLE.model_dump_json().encode(),
        capture_output=True,
        check=True,
        env=own_environment(),
    )
    assert done.stderr.decode().split() == ["PermissionError"] * 4


async def test_no_secret_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    run = subprocess.run

    def spy(*args: object, env: dict[str, str], **options: object) -> object:
        seen.append(env)
        return run(*args, env=env, **options)  # type: ignore[call-overload]

    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    monkeypatch.setattr(subprocess, "run", spy)
    await ChartPainter(nice=0).draw(sheet(columns(1)))
    assert [value for env in seen for value in env.values() if value == "secret"] == []


async def test_a_process_that_dies_is_an_error_that_says_of_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "module_command", lambda *_: [sys.executable, "-c", "1/0"])
    with pytest.raises(ChartFailed, match="status 1: ZeroDivisionError"):
        await ChartPainter(nice=0).draw(WHOLE)


async def test_a_process_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DRAW_SECONDS", 0.2)
    monkeypatch.setattr(
        client, "module_command", lambda *_: [sys.executable, "-c", "import time; time.sleep(600)"]
    )
    with pytest.raises(ChartFailed, match=r"within 0\.2 s"):
        await ChartPainter(nice=0).draw(WHOLE)


@pytest.mark.parametrize("printed", ["", "GIF89a"])
async def test_what_is_no_png_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch, printed: str) -> None:
    monkeypatch.setattr(
        client, "module_command", lambda *_: [sys.executable, "-c", f"print({printed!r}, end='')"]
    )
    with pytest.raises(ChartFailed, match="no picture came"):
        await ChartPainter(nice=0).draw(WHOLE)


async def test_an_interpreter_that_is_gone_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(client, "module_command", lambda *_: [str(tmp_path / "python")])
    with pytest.raises(ChartFailed, match="could not be started"):
        await ChartPainter(nice=0).draw(WHOLE)


def test_it_runs_as_nice_as_it_is_told() -> None:
    code = "import os; from inference.charts import __main__ as m; "
    code += "m.draw_sheet = lambda sheet: str(os.nice(0)).encode(); m.main(7)"
    done = subprocess.run(
        [sys.executable, "-c", code], input=WHOLE.model_dump_json().encode(), capture_output=True, check=True
    )
    assert int(done.stdout) == min(os.nice(0) + 7, 19)


async def test_charts_are_drawn_one_at_a_time_and_few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    painter, at_work, most = ChartPainter(nice=0), [0], [0]
    lock = threading.Lock()

    def draw(_: object) -> bytes:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        threading.Event().wait(0.02)
        with lock:
            at_work[0] -= 1
        return b""

    monkeypatch.setattr(painter, "_draw", draw)
    drawn = await asyncio.gather(*(painter.draw(WHOLE) for _ in range(10)), return_exceptions=True)
    assert most == [1]
    assert drawn[:8] == [b""] * 8
    assert [str(each) for each in drawn[8:]] == ["8 others are waiting for theirs."] * 2
    assert await painter.draw(WHOLE) == b""
