"""Which deaths of a worker condemn the image that it was looking at."""

from __future__ import annotations

import pytest

from inference.serving.image_job import ImageJob
from inference.serving.supervisor import DeathCause, WorkerDied
from inference.serving.verdict_cache import ImageKey


@pytest.mark.parametrize(
    ("deaths", "guilty"),
    [
        ([(DeathCause.CRASHED, False), (DeathCause.CRASHED, True)], True),
        ([(DeathCause.CRASHED, False), (DeathCause.CRASHED, False)], False),
        ([(DeathCause.HUNG, True), (DeathCause.HUNG, True)], True),
        ([(DeathCause.HUNG, True)], False),
        ([(DeathCause.KILLED, False), (DeathCause.KILLED, True)], False),
        ([(DeathCause.KILLED, False), (DeathCause.KILLED, True), (DeathCause.KILLED, True)], True),
        ([(DeathCause.KILLED, False), (DeathCause.BLOATED, True)], True),
    ],
)
def test_what_condemns_an_image(deaths: list[tuple[DeathCause, bool]], guilty: bool) -> None:
    job = ImageJob(1, ImageKey(b"", 1), b"", None)
    verdicts = [job.died(WorkerDied(cause, "so it died"), alone=alone) for cause, alone in deaths]
    assert verdicts == [False] * (len(deaths) - 1) + [guilty]
