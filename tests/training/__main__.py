"""`python -m tests.training`: the round trip with the embedded model, on a larger set than `make test` has.

Six kinds of drawn pictures, in any colour: 20 of each to learn from and 15 to be judged by.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.training.drawn_set import KINDS, draw_set
from tests.training.round_trip import differs_most, logits_of, round_trip

LEARNT, JUDGED = 20, 15
RIGHT = 0.9
"""Share of first labels that have to be right. One of six would be right by chance."""
MOST_OFF = 0.15
"""The largest expected calibration error; of 90 pictures it cannot be told exactly."""
MOST_DIFFERENT = 2e-3


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train = draw_set(place / "train", list(KINDS), LEARNT, seed=3)
        test = draw_set(place / "test", list(KINDS), JUDGED, seed=4)
        trip = round_trip("efficientnet_lite0", train, test, place)
        files = [Path(said["source"]) for said in trip.named]
        different = differs_most(trip, logits_of(trip.model, files, 224))
    right, off = trip.evaluation["top_1"], trip.evaluation["calibration_error"]
    print(
        f"{right:.1%} right of {len(files)} (at least {RIGHT:.0%}), calibration error {off:.1%} (at most "
        f"{MOST_OFF:.0%}), plain TensorFlow Hub differs by {different:.1g} (at most {MOST_DIFFERENT:g})"
    )
    return 0 if right >= RIGHT and off <= MOST_OFF and different <= MOST_DIFFERENT else 1


if __name__ == "__main__":
    sys.exit(main())
