"""Whose pictures go first where the processor is busy."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from config import settings
from inference.results import HarmfulImage
from inference.serving.client import Classifier
from tests.inference.fakes import costly, picture, running

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere no thread has a priority of its own"
)
SECONDS = 0.3


def seconds_of_niced_threads(classifier: Classifier) -> float:
    """Return the processor time of the worker's threads that are nicer than the process is."""
    pid = classifier.worker_pid
    assert pid
    usual = os.getpriority(os.PRIO_PROCESS, pid)
    return sum(
        thread.user_time + thread.system_time
        for thread in psutil.Process(pid).threads()
        if os.getpriority(os.PRIO_PROCESS, thread.id) > usual
    )


async def test_who_has_used_much_of_late_is_served_at_a_lower_priority(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(load="load_costly_decoder") as classifier:
        await classifier.classify(costly(SECONDS, 1), group="seldom")
        assert seconds_of_niced_threads(classifier) < SECONDS / 2
        monkeypatch.setattr("inference.serving.image_lanes.HEAVY_SECONDS", 0)
        await classifier.classify(costly(SECONDS, 2), group="often")
        assert seconds_of_niced_threads(classifier) > SECONDS / 2


async def test_what_tries_suspects_has_a_lower_priority() -> None:
    wanted = settings.Settings(worker=settings.Worker(image_seconds=0.3))
    async with running(wanted, load="load_costly_decoder") as classifier:
        with pytest.raises(HarmfulImage):
            await classifier.classify(costly(60), group="attacked")
        await classifier.classify(picture(1), group="attacked")
        await classifier.classify(picture(2), group="another")
        trying = [child.nice() for child in psutil.Process().children() if child.pid != classifier.worker_pid]
        pid = classifier.worker_pid
        assert pid
        assert max(trying) > psutil.Process(pid).nice()
