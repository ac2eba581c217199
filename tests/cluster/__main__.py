"""Kill what a cluster is made of, while pictures keep coming; each has to be answered once, and rightly.

    python -m tests.cluster            all of it: five minutes on two cores
    python -m tests.cluster --short    without the head and scaling: two minutes

The exit code is 0 if no picture was lost, and none had to wait for too long.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.cluster.chaos import Chaos, Outcome
from tests.cluster.machines import Machine
from tests.cluster.traffic import asking


class Run(NamedTuple):
    """A new cluster, whose model is from `load` of `tests.cluster.engines`, and what is done to it, in
    order; `ray` are settings of it."""

    load: str
    events: tuple[str, ...]
    ray: dict[str, Any]


TWO = {"min_replicas": 2}
BUSY = Run(
    "load",
    ("worker_killed", "replica_killed", "ingress_killed", "hostile_picture", "worker_spies", "model_updated"),
    TWO,
)
"""Both processors are busy all the time."""
RUNS = (
    BUSY,
    # A head that is started anew gets none of the processors of those who ask, who are elsewhere.
    Run("load_sleeping", ("head_killed",), TWO),
    Run("load_sleeping", ("scaled",), {"min_replicas": 1, "scale_up_seconds": 2, "scale_down_seconds": 4}),
)


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--short", action="store_true", help="without what takes long")
    every = [event for run in RUNS for event in run.events]
    parser.add_argument("--only", choices=every, nargs="+", default=every, help="these events alone")
    args = parser.parse_args(arguments)
    began = time.monotonic()
    outcomes = asyncio.run(_events([BUSY] if args.short else RUNS, args.only))
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if all(outcome.is_well for outcome in outcomes) else 1


async def _events(runs: Iterable[Run], only: Collection[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for run in runs:
        if chosen := [event for event in run.events if event in only]:
            outcomes += await _with_cluster(chosen, run)
    return outcomes


async def _with_cluster(events: list[str], run: Run) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with TemporaryDirectory(prefix="wt", dir="/tmp") as folder:  # sockets want a short path
        machines = [
            Machine(
                Path(folder),
                number,
                load_from=f"tests.cluster.engines:{run.load}",
                places=1,
                max_replicas=2,
                **run.ray,
            )
            for number in (0, 1)
        ]
        try:
            began = time.monotonic()
            for machine in machines:
                machine.start()
            await machines[0].deployed()
            print(f"two machines answer after {time.monotonic() - began:.1f} s", flush=True)
            async with asking([machine.url for machine in machines], Path(folder, "secret")) as classifier:
                chaos = Chaos(classifier, machines)
                for event in events:
                    await chaos.settled(run.ray["min_replicas"])
                    outcomes.append(await getattr(chaos, event)())
                    print(outcomes[-1], flush=True)
        except BaseException:
            for machine in machines:
                print(f"--- machine {machine.number}\n{machine.log}", file=sys.stderr)
            raise
        finally:
            codes = [machine.stop() for machine in reversed(machines)]
        left = [each for machine in machines for each in machine.left()]
        assert not left, f"processes are left: {left}"
        assert codes == [0, 0], codes
    return outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
