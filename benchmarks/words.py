"""`python -m benchmarks.words FILE`: how often each word that a name is said with is right.

FILE has a line for each photograph, `PATH, CLASS`, with paths from its own folder and classes of ImageNet from 0
to 999, as the validation sets of ILSVRC 2012 have it. What it prints is the table in ARCHITECTURE.md.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path

from bot.presentation.naming import MAYBE, Certainty, Finding
from config.settings import Settings
from inference.results import InferenceError, ModelInfo
from inference.serving.client import Classifier

AT_ONCE = 24


async def main(folder: Path, lines: list[str]) -> None:
    """Classify the photographs of a folder that the lines name, and print the table."""
    classifier = Classifier(Settings.model_validate({"model": {"name": "efficientnet_lite0"}}))
    said: Counter[Certainty] = Counter()
    right: Counter[Certainty] = Counter()
    info = await classifier.start()
    turns = asyncio.Semaphore(AT_ONCE)

    async def judge(line: str) -> None:
        path, _, number = line.rpartition(",")
        data = await asyncio.to_thread((folder / path.strip()).read_bytes)
        async with turns, classifier.admit(len(data)) as admission:
            finding = Finding.of(await admission.classify(data), MAYBE)
        said[finding.certainty] += 1
        right[finding.certainty] += is_right(finding, info, int(number))

    try:
        await asyncio.gather(*(judge(line) for line in lines))
    except InferenceError as error:
        sys.exit(f"A photograph in {folder} could not be classified: {error}")
    finally:
        await classifier.close()
    print("| said | of all | right |\n|---|---|---|")
    for certainty in reversed(Certainty):
        share = right[certainty] / max(1, said[certainty])
        print(
            f"| {certainty.name} | {said[certainty] / said.total():.1%} ({said[certainty]}) | {share:.1%} |"
        )
    outright = [Certainty.SURE, Certainty.PROBABLY]
    total = sum(said[each] for each in outright)
    print(f"\nWithout a maybe: {sum(right[each] for each in outright) / total:.1%} right.")
    print(f"Hedged: {1 - total / said.total():.1%} of {said.total()}.")


def is_right(finding: Finding, info: ModelInfo, number: int) -> bool:
    """Return whether the name that is said is that of the class, or its everyday name."""
    if finding.headline:
        return info.coarse[number] == finding.headline.name
    return finding.labels[0].index == number


if __name__ == "__main__":
    listed = Path(sys.argv[1])
    asyncio.run(main(listed.parent, [line for line in listed.read_text().splitlines() if line.strip()]))
