"""`whatsit capacity`: how many machines a bot of so many servers needs, and what breaks first."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from importlib.util import find_spec
from typing import Any

from rich.console import Console

from bot.cli import FAILED, OK
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import counting, errors
from config.settings import ConfigError

SERVERS = (10_000, 100_000, 1_000_000)


def main(args: argparse.Namespace) -> int:
    """Simulate, and print the plans; return 0, or 1 if SimPy is missing. Raises `ConfigError`."""
    if find_spec("simpy") is None:
        complain(
            "This needs SimPy, which the bot itself does not. Install the extra `capacity`: "
            "pip install 'whatsit[capacity]', or just simpy."
        )
        return FAILED
    # Not before: these modules need SimPy.
    from bot.capacity.figures import load_figures  # noqa: PLC0415
    from bot.capacity.plan import CapacityQuestion, plan  # noqa: PLC0415
    from bot.cli.capacity_screen import plans_screen, sources_screen  # noqa: PLC0415

    settings = settings_for(args)
    figures, sources = load_figures(_given(args.set))
    if args.sources:
        if args.json:
            print(json.dumps(_figures_json(figures.model_dump(mode="json"), sources), indent=2))
        else:
            _print(sources_screen(figures, sources))
        return OK
    questions = [
        CapacityQuestion(
            servers=servers,
            images_a_day=args.images,
            cores=args.cores,
            price=args.price,
            replicas=args.replicas,
            goal=args.goal,
            seed=args.seed,
        )
        for servers in args.servers or SERVERS
    ]
    plans = []
    with counting(errors(), len(questions)) as next_one:
        for question in questions:
            plans.append(plan(question, figures, settings))
            next_one()
    if args.json:
        found = {
            "plans": [_plan_json(each) for each in plans],
            "figures": _figures_json(figures.model_dump(mode="json"), sources),
        }
        print(json.dumps(found, indent=2, allow_nan=False))
    else:
        _print(plans_screen(plans, _width()))
    return OK


def _given(assignments: list[str]) -> dict[str, str]:
    """Return what `--set` was given. Raises ConfigError for what is no NAME=NUMBER."""
    given = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: this is no NAME=NUMBER, such as repost_share=0.2")
        given[name.strip()] = value.strip()
    return given


def _plan_json(plan: Any) -> dict[str, Any]:
    found = dataclasses.asdict(plan)
    for demand, own in zip(found["demands"], plan.demands, strict=True):
        demand |= {"share": own.share, "remedy": own.remedy}
    return {name: None if _is_nan(value) else value for name, value in found.items()}


def _is_nan(value: object) -> bool:
    """JSON has no NaN, which stands for the latency of nothing."""
    return isinstance(value, float) and math.isnan(value)


def _figures_json(values: dict[str, Any], sources: Any) -> dict[str, Any]:
    return {
        name: {"value": value, "kind": sources[name].kind, "source": sources[name].source}
        for name, value in values.items()
    }


def _width() -> int:
    return Console().width


def _print(screen: Any) -> None:
    Console(highlight=False).print(screen)
