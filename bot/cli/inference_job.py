"""Runs `python -m inference`: what the `whatsit` command does, and its own process must not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from bot.cli import FAILED, OK
from bot.cli.settings import complain
from bot.cli.terminal import errors, model_progress
from config.settings import Settings

LEAVING_SECONDS = 10.0
"""For a job that is told to end: it removes what it has made so far."""


def do_inference_job(
    job: str, settings: Settings, *arguments: str, task: Mapping[str, object] | None = None
) -> int:
    """Do a job that reports its progress and ends in a sentence, print that, and return the exit code."""
    code = FAILED
    with (
        inference_job(job, settings, *arguments, task=task) as said,
        model_progress(errors()) as report,
    ):
        for words in said:
            match words:
                case {"stage": stage, "fraction": fraction}:
                    report(stage, fraction)
                case {"note": sentence}:
                    complain(sentence)
                case {"done": sentence}:
                    print(sentence)
                    code = OK
                case {"error": sentence}:
                    complain(sentence)
    return code


@contextmanager
def inference_job(
    job: str, settings: Settings, *arguments: str, task: Mapping[str, object] | None = None
) -> Iterator[Iterator[dict[str, Any]]]:
    """Run `python -m inference` with the settings, and give what it says: one JSON object a line.

    `task` is what it reads from its standard input, as JSON. It is not of the terminal's own group, so that
    Ctrl-C is ours alone to hear; it is then told to end, and has ended when this does.
    """
    command = [sys.executable, "-m", "inference", job, settings.model_dump_json(), *arguments]
    with subprocess.Popen(  # noqa: S603  # our own words
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            if process.stdin:
                with suppress(BrokenPipeError):  # it has ended already, and its exit code says so
                    process.stdin.write(json.dumps(task))
                    process.stdin.close()
            yield (json.loads(line) for line in process.stdout or ())
        finally:
            process.terminate()
            try:
                process.wait(LEAVING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
