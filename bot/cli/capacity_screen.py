"""Draw what `whatsit capacity` found, for a terminal of any width from 40 columns on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.capacity.demands import Demand
from bot.capacity.figures import CapacityFigures, FigureSource
from bot.capacity.plan import CapacityPlan

SIDE_BY_SIDE = 72
"""Columns from which on the plans fit beside each other, up to `MOST_BESIDE` of them."""
MOST_BESIDE = 4
SECOND = 1.0
NEARLY = 0.7
"""Share of a limit from which on there is something to prepare."""

ROWS: Mapping[str, Callable[[CapacityPlan], str]] = {
    "images a day": lambda plan: _big(plan.images_a_day),
    "images a second, busiest hour": lambda plan: _count(plan.images_a_second),
    "  busiest ten seconds": lambda plan: _count(plan.busiest_images_a_second),
    "bot processes (shards)": lambda plan: f"{plan.processes:,}",
    "machines for them": lambda plan: _machines(plan.bot_machines),
    "machines that look at images": lambda plan: f"{plan.replicas:,}",
    "  how busy they are": lambda plan: f"{plan.load:.0%}",
    "machines for PostgreSQL": lambda plan: _machines(plan.databases),
    "machines in all": lambda plan: f"{plan.machines:,}",
    "a day costs": lambda plan: f"{plan.cost_a_day:,.2f}",
    "a million images cost": lambda plan: f"{plan.cost_a_million:,.2f}",
    "  if replicas follow the hour": lambda plan: f"{plan.cost_a_million_by_the_hour:,.2f}",
    "posted to answered, p50": lambda plan: _time(plan.p50),
    "posted to answered, p95": lambda plan: _time(plan.p95),
    "  looking at it, p95": lambda plan: _time(plan.p95_looks),
    "refused": lambda plan: _share(plan.refused),
    "answered under today's limits": lambda plan: _share(plan.answered_as_it_is),
    "until all shards have started": lambda plan: f"{plan.start_minutes:,.0f} min",
}


def plans_screen(plans: Sequence[CapacityPlan], width: int) -> RenderableType:
    """Return the plans, what breaks first in each, and what to do about it."""
    question = plans[0].question
    head = Text(
        f"{question.images_a_day:g} images a server a day, machines of {question.cores} cores at "
        f"{question.price:g} an hour, seed {question.seed}.",
    )
    groups = [plans] if width >= SIDE_BY_SIDE and len(plans) <= MOST_BESIDE else [[plan] for plan in plans]
    parts: list[RenderableType] = [head]
    for group in groups:
        parts += ["", _table(group), "", _limits(group)]
    parts += ["", *_notes(plans), "", *_remedies(plans)]
    return Group(*parts)


def sources_screen(figures: CapacityFigures, sources: Mapping[str, FigureSource]) -> RenderableType:
    """Return every figure with its value, its kind and its source."""
    parts: list[RenderableType] = []
    for name, source in sources.items():
        value = getattr(figures, name)
        if isinstance(value, tuple):
            lines = [_entry(each) for each in value]
            parts.append(Text.assemble((name, "bold"), f" ({source.kind})"))
            parts += [Padding(Text(line), (0, 0, 0, 2), expand=False) for line in lines]
        else:
            parts.append(Text.assemble((name, "bold"), f" = {value:g} ({source.kind})"))
        parts.append(Padding(Text(source.source, style="dim", overflow="fold"), (0, 0, 0, 2), expand=False))
    return Group(*parts)


def _table(plans: Sequence[CapacityPlan]) -> Table:
    table = _grid("servers", plans)
    for name, cell in ROWS.items():
        table.add_row(name, *map(cell, plans))
    return table


def _limits(plans: Sequence[CapacityPlan]) -> Table:
    table = _grid("of each limit", plans)
    for first in plans[-1].demands:
        shares = [_of(plan.demands, first.name) for plan in plans]
        table.add_row(first.name, *shares)
    return table


def _grid(name: str, plans: Sequence[CapacityPlan]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(ratio=1)
    for _ in plans:
        table.add_column(justify="right", no_wrap=True)
    table.add_row(
        Text(name, style="bold"), *(Text(f"{plan.question.servers:,}", style="bold") for plan in plans)
    )
    return table


def _of(demands: Sequence[Demand], name: str) -> Text:
    """Return how much of a limit is used, in a colour that says how near it is."""
    (demand,) = (each for each in demands if each.name == name)
    style = "bold red" if demand.share > 1 else "yellow" if demand.share > NEARLY else ""
    digits = 0 if demand.share >= 0.1 else 1  # noqa: PLR2004 - two digits that count
    return Text(f"{demand.share:,.{digits}%}", style=style)


def _notes(plans: Sequence[CapacityPlan]) -> list[Text]:
    notes = []
    for plan in plans:
        servers = f"{plan.question.servers:,} servers"
        if plan.simulated < 1:
            notes.append(
                f"{servers}: {plan.simulated:.1%} of the machines were simulated, with "
                f"{plan.simulated_images:,} images."
            )
        if not plan.reached:
            notes.append(
                f"{servers}: {plan.replicas:,} machines that look at images are too few for 95 of 100 images "
                f"to be looked at within {plan.question.goal:g} s, and at most 1 of 1,000 refused."
            )
    return [Text(note) for note in notes]


def _remedies(plans: Sequence[CapacityPlan]) -> list[RenderableType]:
    """Return what breaks, in the order in which it does when servers come."""
    last = plans[-1].demands
    in_order = sorted(last, key=lambda demand: demand.breaks_at or math.inf)
    parts: list[RenderableType] = [Text("What breaks first, and what to do", style="bold")]
    for number, demand in enumerate(in_order, 1):
        when = (
            "never with these figures"
            if demand.breaks_at is None
            else f"from about {demand.breaks_at:,} servers on"
        )
        parts.append(
            Text.assemble(f"{number}. ", (demand.name, "bold"), f" (limit {_count(demand.limit)}): {when}.")
        )
        parts.append(Padding(Text(demand.remedy), (0, 0, 0, 3), expand=False))
    return parts


def _entry(value: object) -> str:
    if isinstance(value, tuple):
        return ": ".join(f"{each:g}" for each in value)
    return str(value)


def _big(number: float) -> str:
    return f"{number / 1e6:,.1f} million" if number >= 1e6 else f"{number:,.0f}"  # noqa: PLR2004 - a million


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"  # noqa: PLR2004 - two digits


def _machines(number: int) -> str:
    return f"{number:,}" if number else "the same"


def _share(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 1 else f"{share:.0%}"


def _time(seconds: float) -> str:
    if math.isnan(seconds):
        return "-"
    return f"{1000 * seconds:.0f} ms" if seconds < SECOND else f"{seconds:.1f} s"
