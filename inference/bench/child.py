"""One measured system in its own process, `python -m inference.bench.child NAME OPTIONS`, started by `stage`.

It opens, says so in one line of JSON, and then answers each line with one: the name of one of its methods and
the arguments come in, what the method returned goes out. It leaves when its input ends.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TextIO

__all__ = ["SYSTEMS", "System", "main", "serve"]

SYSTEMS = {
    "whatsit": "inference.bench.whatsit:Whatsit",
    "usual": "inference.bench.usual:Usual",
    "bare": "inference.bench.bare:Bare",
    "decoder": "inference.bench.decoder:Decoder",
}
"""By name, as each brings libraries that the others must not have in memory."""


class System(Protocol):
    async def open(self) -> dict[str, Any]: ...
    async def close(self) -> None: ...


async def serve(system: System, orders: TextIO, answers: TextIO) -> None:
    """Carry out one order after another until the input ends."""
    loop = asyncio.get_running_loop()
    reader = ThreadPoolExecutor(max_workers=1)  # of its own: the default pool is the usual bot's
    try:
        _say(answers, await system.open())
        while line := await loop.run_in_executor(reader, orders.readline):
            order = json.loads(line)
            try:
                answer = await getattr(system, order.pop("do"))(**order)
            except Exception as error:  # noqa: BLE001  # whoever asked is told, and may ask for something else
                answer = _failed(error)
            _say(answers, answer)
    finally:
        await system.close()
        reader.shutdown()


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what a library prints must not be taken for an answer
        name, options = sys.argv[1:]
        module, _, system = SYSTEMS[name].partition(":")
        try:
            made = getattr(importlib.import_module(module), system)(**json.loads(options))
            asyncio.run(serve(made, sys.stdin, answers))
        except Exception as error:
            _say(answers, _failed(error))
            raise


def _failed(error: Exception) -> dict[str, str]:
    return {"failed": f"{type(error).__name__}: {error}"}


def _say(answers: TextIO, result: object) -> None:
    answers.write(json.dumps(result) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
