"""`python -m inference JOB SETTINGS [...]`: jobs of the `whatsit` command that the bot's process must not do.

SETTINGS is all of `config.settings.Settings` as JSON. Each job prints one JSON object a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from config.settings import ConfigError, Settings
from inference.models import catalogue, hub_failure
from inference.results import ModelUnavailable


def main(arguments: list[str]) -> int:
    """Do the job that the first argument names, and return the exit code: 0 if it was done."""
    job, settings, *more = arguments
    # Told to end, a job removes what it has made so far.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        return JOBS[job](Settings.model_validate_json(settings), *more)
    except BrokenPipeError:  # whoever asked is gone; keep Python from complaining once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _models(settings: Settings) -> int:
    """Print the catalogue, and what of it is on this machine."""
    for row in catalogue.describe(settings.model):
        entry = row.entry
        _say(
            name=entry.name,
            source=entry.source,
            input_size=entry.input_size,
            classes=entry.classes,
            licence=entry.licence,
            summary=entry.summary,
            cached=str(row.cached) if row.cached else None,
            bytes=row.size,
        )
    return 0


def _quantize(settings: Settings, name: str, photographs: str = "") -> int:
    """Make the int8 variant of the model `name`, calibrated on the pictures in `photographs` if given."""
    from inference.models.quantize import quantize  # noqa: PLC0415 - it imports NumPy, which a list does not need

    model = settings.model.model_copy(update={"name": name})
    try:
        made = quantize(
            model,
            report=lambda stage, fraction: _say(stage=stage, fraction=fraction),
            photographs=Path(photographs) if photographs else None,
        )
    except ModelUnavailable as error:
        _say(error=str(error))
        return 1
    _say(done=str(made))
    return 0


def _train(settings: Settings) -> int:
    """Train a model as the task on standard input says, `inference.training.train.TrainingTask` as JSON."""
    from inference.training.train import TrainingTask, train  # noqa: PLC0415 - likewise

    task = TrainingTask(**json.load(sys.stdin))
    try:
        made = train(settings, task, report=lambda stage, fraction: _say(stage=stage, fraction=fraction))
    except ModelUnavailable as error:
        _say(error=str(error))
        return 1
    for note in made.notes:
        _say(note=note)
    _say(done=str(made))
    return 0


def _push(settings: Settings, *places: str) -> int:
    """Bring the configured model, prepared on this machine, to each of `places`."""
    from inference.cluster.model_push import PushFailed, push_to_all  # noqa: PLC0415 - a list does not need it

    try:
        done = push_to_all(
            settings, places, report=lambda stage, fraction: _say(stage=stage, fraction=fraction)
        )
    except (ModelUnavailable, PushFailed, ConfigError) as error:
        _say(error=str(error))
        return 1
    _say(done=done)
    return 0


def _refresh(settings: Settings) -> int:
    """Forget that the Hub was out of reach."""
    try:
        hub_failure.forget(settings.model.cache_dir)
    except OSError as error:
        _say(error=f"{settings.model.cache_dir} cannot be written: {error.strerror}.")
        return 1
    _say(done="The next start asks the Hub for a model that is not on this machine.")
    return 0


def _say(**words: object) -> None:
    print(json.dumps(words), flush=True)


JOBS: dict[str, Callable[..., int]] = {
    "models": _models,
    "push": _push,
    "quantize": _quantize,
    "refresh": _refresh,
    "train": _train,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
