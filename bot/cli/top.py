"""`whatsit top`: what a running bot does, read from its metrics again and again."""

from __future__ import annotations

import argparse
import ipaddress
import time
from collections import deque
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from bot.cli import FAILED, OK
from bot.cli.scrape import Interval, NotReadable, Scrape, read
from bot.cli.settings import complain, settings_for
from bot.cli.top_screen import frame, is_same_run
from config.settings import ConfigError

WINDOW = 60.0
"""Seconds over which rates and times are taken."""


def main(args: argparse.Namespace) -> int:
    """Show frames until Ctrl-C, or one; return 0, 1 if nothing can be read. Raises `ConfigError`."""
    host, port = _address(args)
    console = Console(highlight=False)
    try:
        first = read(host, port)
    except NotReadable as error:
        complain(error)
        return FAILED
    if args.once or not console.is_terminal or console.is_dumb_terminal:
        console.print(frame(Interval(first.beginning(), first), console.width))
        return OK
    with suppress(KeyboardInterrupt):  # which is how one leaves
        _watch(console, host, port, first, args.every)
    return OK


def _watch(console: Console, host: str, port: int, first: Scrape, every: float) -> None:
    """Read and draw, without end. What is over a minute old is forgotten."""
    readings = deque([first])
    with Live(
        frame(_interval(readings), console.width), console=console, screen=True, auto_refresh=False
    ) as live:
        while True:
            time.sleep(every)
            trouble = ""
            try:
                reading = read(host, port)
            except NotReadable:
                trouble = "does not answer any more"
            else:
                if not is_same_run(readings[-1], reading):
                    readings.clear()
                readings.append(reading)
            while len(readings) > 1 and readings[-1].at - readings[1].at >= WINDOW:
                readings.popleft()
            live.update(frame(_interval(readings), console.width, trouble=trouble), refresh=True)


def _interval(readings: deque[Scrape]) -> Interval:
    oldest, newest = readings[0], readings[-1]
    return Interval(oldest if len(readings) > 1 else newest.beginning(), newest)


def _address(args: argparse.Namespace) -> tuple[str, int]:
    """Return where the bot serves its metrics; for all addresses, this machine's own."""
    if args.address is not None:
        host, port = args.address
        return host, port
    address = settings_for(args).metrics.address
    if address is None:
        raise ConfigError(
            "metrics.listen is empty, so no bot of these settings tells what it does. Set it, for example to "
            '"127.0.0.1:9464", and start the bot again.'
        )
    host = ipaddress.ip_address(address.host)
    if host.is_unspecified:
        return ("127.0.0.1" if host.version == 4 else "::1"), address.port  # noqa: PLR2004 - of IP
    return address.host, address.port
