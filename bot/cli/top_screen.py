"""Draw one frame of `whatsit top`, for a terminal of any width from 40 columns on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.cli.scrape import Interval, Scrape
from bot.cli.terminal import safe

SIDE_BY_SIDE = 72
"""Columns from which on two panels fit beside each other."""
NAMED = "named"
STAGES = ("download", "queue", "wait", "decode", "predict", "send")
BAN = 10_000
SHORT = 3
"""Outcomes and ways in that are shown; the rest is left to Prometheus."""
Row = tuple[str, str | Text]


def frame(interval: Interval, width: int, *, trouble: str = "") -> RenderableType:
    """Return what is shown. `trouble`: why the figures are no longer new."""
    panels = [_answers(interval), _latencies(interval), _worker(interval), _discord(interval)]
    if width >= SIDE_BY_SIDE:
        both = Table.grid(expand=True)
        both.add_column(ratio=1)
        both.add_column(ratio=1)
        both.add_row(Group(panels[0], panels[1]), Group(panels[2], panels[3]))
        return Group(_head(interval, trouble), both)
    return Group(_head(interval, trouble), *panels)


def _head(interval: Interval, trouble: str) -> RenderableType:
    new = interval.new
    (build,) = (dict(has) for (name, has) in new.samples if name == "whatsit_build_info")
    models = [dict(has) for (name, has) in new.samples if name == "whatsit_model_info"]
    failing = [check for check, passed in new.by("whatsit_ready", "check").items() if not passed]
    head = Text("Whatsit ", style="bold")
    head.append(safe(build.get("version", "")), style="bold")
    head.append(f", up {_time(new.at - new.started_at)}, ")
    if trouble:
        head.append(trouble, style="bold red")
    elif failing:
        head.append(f"NOT READY: {', '.join(map(safe, sorted(failing)))}", style="bold red")
    else:
        head.append("ready", style="green")
    for model in models:
        head.append(f"\n{safe(model['model'])} on {safe(model['engine'])}", style="dim")
    return head


def _answers(interval: Interval) -> Panel:
    outcomes = interval.grown_by("whatsit_images_total", "outcome")
    named = outcomes.pop(NAMED, 0.0)
    rows: list[Row] = [
        ("images named", _with_rate(named, interval)),
        *((f"  {_words(outcome)}", _count(images)) for outcome, images in _first(outcomes)),
        ("requests", _with_rate(interval.grown("whatsit_requests_total"), interval)),
        *((f"  {_words(way)}", _count(times)) for way, times in _first(_ways(interval))),
        ("named since the start", _count(interval.new.value("whatsit_images_total", outcome=NAMED))),
    ]
    return _panel(f"Images {_period(interval)}", rows)


def _latencies(interval: Interval) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_row("", Text("p50", style="dim"), Text("p95", style="dim"))
    table.add_row("posted to answered", *_both(interval, "whatsit_answer_seconds"), style="bold")
    for stage in STAGES:
        table.add_row(f"  {stage}", *_both(interval, "whatsit_stage_seconds", stage=stage))
    return Panel(table, title=f"Times {_period(interval)}", title_align="left")


def _worker(interval: Interval) -> Panel:
    new = interval.new
    images, most_images = new.value("whatsit_queue_images"), new.value("whatsit_queue_images_limit")
    held, most_held = new.value("whatsit_queue_bytes"), new.value("whatsit_queue_bytes_limit")
    resident, most = (
        new.value("whatsit_worker_resident_bytes"),
        new.value("whatsit_worker_memory_limit_bytes"),
    )
    batches = interval.grown("whatsit_batch_images_count")
    batch = interval.grown("whatsit_batch_images_sum") / batches if batches else None
    breaker = new.value("whatsit_breaker_open")
    rows: list[Row] = [
        ("queue", _of(f"{images:.0f}", f"{most_images:.0f} images", images, most_images)),
        ("bytes held", _of(_mebibytes(held), f"{_mebibytes(most_held)} MiB", held, most_held)),
        ("images a batch", "-" if batch is None else f"{batch:.1f}"),
        ("worker's memory", _of(_mebibytes(resident), f"{_mebibytes(most)} MiB", resident, most)),
        ("bot's memory", f"{_mebibytes(new.value('process_resident_memory_bytes'))} MiB"),
        ("workers replaced", _count(new.value("whatsit_worker_restarts_total"))),
        ("images condemned", _count(new.value("whatsit_condemned_total"))),
        ("breaker", Text("OPEN", style="bold red") if breaker else "closed"),
        ("store's failures", _alarming(new.value("whatsit_store_failures_total"))),
    ]
    return _panel("Queue and worker", rows)


def _discord(interval: Interval) -> Panel:
    new = interval.new
    latency = new.value("whatsit_gateway_latency_seconds")
    refused = new.value("whatsit_bad_answers")
    waited = interval.grown("whatsit_rate_limit_wait_seconds_total")
    rows: list[Row] = [
        ("servers", _count(new.value("whatsit_servers"))),
        ("gateway's latency", "-" if math.isnan(latency) else _time(latency)),
        ("reconnects", _count(new.value("whatsit_gateway_reconnects_total"))),
        ("events", f"{_rate(interval.grown('whatsit_events_total'), interval)} a minute"),
        ("  unreadable", _alarming(new.value("whatsit_unreadable_events_total"))),
        ("waited for limits", _time(waited)),
        ("refused in 10 minutes", _of(f"{refused:.0f}", f"{BAN:,}", refused, BAN / 5)),
    ]
    return _panel("Discord", rows)


def _panel(title: str, rows: Sequence[Row]) -> Panel:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, value)
    return Panel(table, title=title, title_align="left")


def _ways(interval: Interval) -> dict[str, float]:
    return interval.grown_by("whatsit_requests_total", "way")


def _both(interval: Interval, name: str, **labels: str) -> tuple[str, str]:
    low, high = (interval.quantile(share, name, **labels) for share in (0.5, 0.95))
    return ("-" if low is None else _time(low)), ("-" if high is None else _time(high))


def _first(counts: dict[str, float]) -> Iterable[tuple[str, float]]:
    return list(counts.items())[:SHORT]


def _of(value: str, limit: str, number: float, most: float) -> Text:
    """Return "value of limit", in a colour that says how near it is."""
    share = number / most if most else 0.0
    style = "bold red" if share > 0.9 else "yellow" if share > 0.5 else ""  # noqa: PLR2004
    return Text(f"{value} of {limit}", style=style)


def _alarming(number: float) -> str | Text:
    return Text(_count(number), style="yellow") if number else "0"


def _words(name: str) -> str:
    return safe(name.replace("_", " "))


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _rate(number: float, interval: Interval) -> str:
    """Return how many that is a minute."""
    rate = 60 * number / interval.seconds
    return f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.1f}"  # noqa: PLR2004


def _with_rate(number: float, interval: Interval) -> str:
    return f"{_count(number)}, {_rate(number, interval)} a minute"


def _period(interval: Interval) -> str:
    return f"of the last {_time(interval.seconds)}" if interval.old.samples else "since the start"


def _mebibytes(number: float) -> str:
    return f"{number / 2**20:,.0f}"


def _time(seconds: float) -> str:
    """Return a time as people say it: 0.8 ms, 12 ms, 3.4 s, 5 min, 2 h 10 min, 3 d 4 h."""
    if seconds < 1:
        return f"{1000 * seconds:.1f} ms" if 0 < seconds < 0.01 else f"{1000 * seconds:.0f} ms"  # noqa: PLR2004
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    minutes = int(seconds // 60)
    hours, days = minutes // 60, minutes // 1440
    if not hours:
        return f"{minutes} min"
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def is_same_run(old: Scrape, new: Scrape) -> bool:
    """Return whether two readings are of one run of the bot: a new one counts from 0."""
    return abs(old.started_at - new.started_at) < 1
