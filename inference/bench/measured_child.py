"""The process of one measured system: `python -m inference.bench.measured_child MODULE:CLASS OPTIONS`.

It opens the system and prints one line of JSON. Then it answers each line of JSON, a method's name and
arguments, with another: the result or the error. It leaves when its input ends.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from inference.bench.measuring import MeasuredSystem


async def _serve(system: MeasuredSystem, answers: TextIO) -> None:
    loop = asyncio.get_running_loop()
    reader = ThreadPoolExecutor(max_workers=1)  # of its own: the default pool is the usual bot's
    try:
        _say(answers, result=await system.open())
        while line := await loop.run_in_executor(reader, sys.stdin.readline):
            order = json.loads(line)
            try:
                _say(answers, result=await getattr(system, order["method"])(**order["arguments"]))
            except Exception as error:  # noqa: BLE001 - the parent is told, and may ask for something else
                _say(answers, failed=f"{type(error).__name__}: {error}")
    finally:
        await system.close()
        reader.shutdown()


def _main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what a library prints must not be taken for an answer
        address, options = sys.argv[1:]
        module, _, name = address.partition(":")
        try:
            system = getattr(importlib.import_module(module), name)(**json.loads(options))
            asyncio.run(_serve(system, answers))
        except Exception as error:
            _say(answers, failed=f"{type(error).__name__}: {error}")
            raise


def _say(answers: TextIO, **words: object) -> None:
    answers.write(json.dumps(words) + "\n")
    answers.flush()


if __name__ == "__main__":
    _main()
