"""Measure taught labels: `make bench-teach KINDS="FOLDER ..." STRANGERS="FOLDER ..."`.

A kind is a folder with a folder of pictures for each label; strangers are folders of pictures that have
nothing to do with a kind, and where one is the kind's own folder it is passed over. Without any kind only the
speed is measured, on made-up fingerprints.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.teaching import speed
from benchmarks.teaching.naming import NamingFigures, mean_of, measure, measure_unequal
from benchmarks.teaching.pictures import load_kind, load_strangers
from benchmarks.teaching.table import naming_table, speed_table
from config.settings import Model, Settings
from inference.bench.machine import describe
from inference.knowledge.background_bank import BackgroundBank
from inference.models.fingerprint import unpack
from inference.serving.client import Classifier
from inference.teaching.background import Background

EXAMPLES = (1, 5, 10, 20)
"""Examples of a label that are taught."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them as JSON where asked to; return 0, or 2 where pictures are missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.teaching")
    parser.add_argument(
        "kinds", nargs="*", type=Path, help="a folder with a folder of pictures for each label"
    )
    parser.add_argument(
        "--strangers", nargs="*", type=Path, default=[], help="folders of pictures never taught"
    )
    parser.add_argument("--model", default="efficientnet_lite0", help="a model of the catalogue")
    parser.add_argument("--draws", type=int, default=10, help="random choices of examples to average over")
    parser.add_argument("--json", type=Path, help="a file to write the figures to")
    options = parser.parse_args(arguments)
    for folder in (*options.kinds, *options.strangers):
        if not folder.is_dir():
            parser.error(f"{folder} is not a folder")
    try:
        figures = asyncio.run(_naming(options)) if options.kinds else []
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    costs = asyncio.run(speed.measure_speed())
    if figures:
        print(naming_table(figures), end="\n\n")
    print(speed_table(costs))
    if options.json:
        found = {
            "machine": describe(),
            "model": options.model,
            "naming": [asdict(each) for each in figures],
            "speed": asdict(costs),
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


async def _naming(options: argparse.Namespace) -> list[NamingFigures]:
    settings = Settings(model=Model(name=options.model))
    classifier = Classifier(settings)
    try:
        info = await classifier.start()
        kinds = [await load_kind(classifier, folder) for folder in options.kinds]
        strangers = [await load_strangers(classifier, folder) for folder in options.strangers]
        packed = await BackgroundBank(settings.model.cache_dir).fingerprints(
            info, lambda data: classifier.classify(data, features="query")
        )
    finally:
        await classifier.close()
    background = Background(np.stack([unpack(each) for each in packed]))
    figures: list[NamingFigures] = []
    for folder, kind in zip(options.kinds, kinds, strict=True):
        groups = [
            group
            for place, group in zip(options.strangers, strangers, strict=True)
            if place.resolve() != folder.resolve()
        ]
        found = [measure(kind, count, background, groups, draws=options.draws) for count in EXAMPLES]
        figures += [each for each in found if each]
        figures.append(measure_unequal(kind, background, groups, draws=options.draws))
    return [*figures, *_means(figures)]


def _means(figures: Sequence[NamingFigures]) -> list[NamingFigures]:
    """Return the mean over kinds for each number of examples that several have pictures enough for."""
    same = ([each for each in figures if each.examples == count] for count in (*EXAMPLES, 0))
    return [mean_of(each) for each in same if len(each) > 1]


if __name__ == "__main__":
    sys.exit(main())
