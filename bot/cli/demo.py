"""`whatsit demo`: the real bot, the real model and real photographs in a simulated Discord.

Nothing here answers for the bot: somebody asks it in the three ways there are, and what it sent is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator, Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rich.console import Console

from bot.cli import FAILED, OK
from bot.cli.demo_transcript import names, show
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import model_progress, safe
from config.settings import Settings, Watch
from inference.results import ModelUnavailable
from inference.serving.client import Classifier

if TYPE_CHECKING:
    from bot.demo.stage import Stage

EMBEDDED = "efficientnet_lite0"


def main(args: argparse.Namespace) -> int:
    """Return 0 if every picture was named rightly, 1 if not. Raises `ConfigError`."""
    if find_spec("simcord") is None:
        complain("the demo needs the development packages, which `make demo` installs.")
        return FAILED
    settings = _for_the_demo(settings_for(args))
    once = args.once or os.environ.get("ONCE", "0") not in ("", "0") or not sys.stdin.isatty()
    return asyncio.run(_demo(settings, Console(highlight=False), once=once))


def _for_the_demo(settings: Settings) -> Settings:
    """Return settings for a Discord that has neither the owner's channels nor a clock that refills quotas.

    `auto` becomes the model that pip brought: it needs no network, so a first answer waits for no download.
    """
    name = EMBEDDED if settings.model.name == "auto" else settings.model.name
    generous = {"user_images_per_minute": 10_000, "user_burst": 10_000}
    return settings.model_copy(
        update={
            "model": settings.model.model_copy(update={"name": name}),
            "limits": settings.limits.model_copy(update=generous),
            "watch": Watch(),
        }
    )


async def _demo(settings: Settings, console: Console, *, once: bool) -> int:
    from bot.demo.stage import staged  # noqa: PLC0415  # needs a development package, which `main` looked for

    classifier = Classifier(settings)
    try:
        with model_progress(console) as report:
            info = await classifier.start(report)
        console.print(
            f"The real bot in a simulated Discord; its model is {info.name}, run by {info.engine}.\n"
        )
        async with staged(settings, classifier) as stage:
            code = await _three_ways(stage, console)
            if not once:
                await _go_on(stage, console)
    except ModelUnavailable as error:
        complain(error)
        return FAILED
    finally:
        await classifier.close()
    return code


async def _three_ways(stage: Stage, console: Console) -> int:
    """Ask in a channel, with `/classify` and by direct message; print each, and see that it is right."""
    code = OK
    async for exchange in stage.three_ways():
        show(console, exchange.what, exchange.answers, exchange.reactions)
        if not names(exchange.answers, exchange.expected):
            console.print(f"[red]It should have been named {' or '.join(sorted(exchange.expected))}.[/]\n")
            code = FAILED
    return code


async def _go_on(stage: Stage, console: Console) -> None:
    """Answer the paths that are typed, until the end of the input or of the page's session."""
    console.print("The channel, in your browser; run /classify there with a picture of your own:")
    console.print(f"  [bold]{stage.url}[/]\n", soft_wrap=True)
    console.print("Or type the path of a picture here, and it is posted in the channel.")
    console.print("Ctrl-D ends the demo.")
    async for line in _typed(sys.stdin.fileno(), until=stage.ended()):
        for path in _paths(line):
            try:
                exchange = await stage.post_file(path)
            except OSError as error:
                console.print(f"[red]{safe(str(path))} cannot be read: {error.strerror}.[/]")
            else:
                show(console, exchange.what, exchange.answers, exchange.reactions)


async def _typed(terminal: int, *, until: Coroutine[None, None, None]) -> AsyncIterator[str]:
    """Yield what is typed, line by line, until it ends (Ctrl-D) or `until` returns."""
    loop, keys = asyncio.get_running_loop(), asyncio.Queue[bytes]()
    # Not connect_read_pipe: it makes the terminal non-blocking, for what is printed on it too.
    loop.add_reader(terminal, lambda: keys.put_nowait(os.read(terminal, 65536)))
    end, rest = asyncio.create_task(until), b""
    try:
        while True:
            more = asyncio.create_task(keys.get())
            await asyncio.wait({more, end}, return_when=asyncio.FIRST_COMPLETED)
            if not more.done() or not more.result():
                more.cancel()
                return
            *lines, rest = (rest + more.result()).split(b"\n")
            for line in lines:
                yield os.fsdecode(line)
    finally:
        loop.remove_reader(terminal)
        end.cancel()


def _paths(line: str) -> list[Path]:
    """Return the files that a line names: typed, quoted, or dropped on the terminal by a file manager."""
    try:
        words = [line.strip()] if Path(line.strip()).is_file() else shlex.split(line)
    except ValueError:  # a quote without its fellow
        words = [line.strip()]
    return [
        Path(unquote(word.removeprefix("file://")) if word.startswith("file://") else word).expanduser()
        for word in words
    ]
