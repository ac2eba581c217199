"""`whatsit train`: makes a model that tells the classes of a folder, by training it in another process."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bot.cli import USAGE
from bot.cli.inference_job import do_inference_job
from bot.cli.labelled_folder import BadFolder, LabelledFolder, labelled_folder
from bot.cli.settings import complain, settings_for
from bot.cli.terminal import safe


def main(args: argparse.Namespace) -> int:
    """Return 0 if the model was made, 1 if not, 2 for a folder that cannot be used. Raises `ConfigError`."""
    settings = settings_for(args)
    out: Path = args.out
    try:
        _check_place(out, args.folder)
        folder = labelled_folder(args.folder, least_classes=2)
    except BadFolder as error:
        complain(error)
        return USAGE
    return do_inference_job("train", settings, task=_task(args, folder))


def _check_place(out: Path, pictures: Path) -> None:
    """Raise BadFolder where the new model cannot be put."""
    if os.path.lexists(out):
        raise BadFolder(f"{safe(str(out))} exists already: name another place for --out, or remove it.")
    if not out.absolute().parent.is_dir():
        raise BadFolder(
            f"There is no folder {safe(str(out.parent))} to put {safe(out.name)} into: make it first."
        )
    if out.absolute().parent.resolve().is_relative_to(pictures.resolve()):
        raise BadFolder(
            f"{safe(str(out))} would be inside {safe(str(pictures))}, and look like a class the next time: "
            "name another place for --out."
        )
    if not os.access(out.absolute().parent, os.W_OK | os.X_OK):
        raise BadFolder(
            f"Nothing may be written into {safe(str(out.absolute().parent))}: name another place for --out."
        )


def _task(args: argparse.Namespace, folder: LabelledFolder) -> dict[str, object]:
    """Return what `inference.training.train.TrainingTask` is made of."""
    return {
        "folder": os.fspath(folder.path),
        "labels": folder.labels,
        "files": [[os.path.abspath(file) for file in files] for files in folder.pictures],  # noqa: PTH100  # keeps links
        "out": os.path.abspath(args.out),  # noqa: PTH100  # as above
        "fine_tune": args.fine_tune,
        "epochs": args.epochs,
    }
