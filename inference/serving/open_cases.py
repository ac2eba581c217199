"""Deaths of the worker whose suspects have not been tried yet: nobody knows whether a picture is to blame."""

from __future__ import annotations

from collections.abc import Iterable

from inference.results import HarmfulImage, ModelUnavailable
from inference.serving.image_job import ImageJob, Outcome
from inference.serving.worker_death import WorkerDied


class OpenCases:
    """Follows each death until one of its suspects explains it, or all have been tried and none does."""

    def __init__(self) -> None:
        self._cases: list[tuple[WorkerDied, set[ImageJob]]] = []

    def open(self, death: WorkerDied, suspects: Iterable[ImageJob]) -> None:
        """Take note of a death, and of the images that may be to blame for it."""
        self._cases.append((death, set(suspects)))

    def tried(self, job: ImageJob, outcome: Outcome) -> list[WorkerDied]:
        """Take note of what became of a suspect, and return the deaths that no image explains."""
        unexplained = []
        for case in list(self._cases):
            death, untried = case
            if job not in untried:
                continue
            untried.discard(job)
            if isinstance(outcome, (HarmfulImage, ModelUnavailable)):
                self._cases.remove(case)  # explained, or it will never be
            elif not untried:
                self._cases.remove(case)
                unexplained.append(death)
        return unexplained

    def clear(self) -> None:
        """Forget all deaths."""
        self._cases.clear()
