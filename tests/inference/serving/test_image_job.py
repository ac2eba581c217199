"""Which deaths of a worker condemn the image that it was looking at."""

from __future__ import annotations

import pytest

from inference.serving.image_job import ImageJob
from inference.serving.verdict_cache import ImageKey
from inference.serving.worker_death import DeathCause, WorkerDied


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
        ([(DeathCause.OVERRAN, False)], True),
    ],
)
def test_what_condemns_an_image(deaths: list[tuple[DeathCause, bool]], guilty: bool) -> None:
    job = ImageJob(1, ImageKey(b"", 1), b"", None)
    verdicts = [job.died(WorkerDied(cause, "so it died", {1: 0.5}), alone=alone) for cause, alone in deaths]
    assert verdicts == [False] * (len(deaths) - 1) + [guilty]
    assert job.core_seconds == 0.5 * len(deaths)


def test_two_images_that_overran_together_are_not_condemned() -> None:
    job = ImageJob(1, ImageKey(b"", 1), b"", None)
    assert not job.died(WorkerDied(DeathCause.OVERRAN, "so it died", {1: 4.0, 2: 4.0}), alone=False)


@pytest.mark.parametrize(("cause", "guilty"), [(DeathCause.CRASHED, True), (DeathCause.KILLED, False)])
def test_an_image_that_resembles_a_condemned_one_needs_one_death_alone(
    cause: DeathCause, guilty: bool
) -> None:
    job = ImageJob(1, ImageKey(b"", 1), b"", None)
    job.suspicious = True
    assert job.died(WorkerDied(cause, "so it died", {1: 0.5}), alone=True) is guilty


def test_a_worker_that_died_before_it_said_anything_of_a_suspect_costs_its_sender_nothing() -> None:
    job = ImageJob(1, ImageKey(b"", 1), b"", None)
    verdicts = [job.died(WorkerDied(DeathCause.CRASHED, "so it died"), alone=True) for _ in range(2)]
    assert verdicts == [False, True]
    assert job.core_seconds == 0
