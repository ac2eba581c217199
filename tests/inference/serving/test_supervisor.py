"""The supervisor and its worker, one call at a time."""

from __future__ import annotations

import pytest

from config.settings import Settings
from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.protocol import BatchRequest, LookRequest
from inference.serving.supervisor import WorkerSupervisor
from inference.serving.worker_death import WorkerDied
from tests.inference.fakes import Deed, deed, picture
from tests.inference.serving.test_worker import wait_until_gone


def batch(number: int, data: bytes) -> Batch:
    look = LookRequest(id=number, ranked=1, size=len(data))
    return Batch(BatchRequest(looks=(look,)), [data])


class LateInbox(BatchInbox):
    """Gives out what is in it only when the worker has died."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid

    def take(self) -> list[Batch]:
        wait_until_gone(self._pid)
        return super().take()


def test_what_was_in_work_is_known_also_where_the_death_is_noticed_by_handing_over_more() -> None:
    supervisor = WorkerSupervisor(Settings(), "tests.inference.fakes:load")
    supervisor.start(lambda *_: None)
    assert supervisor.pid
    inbox = LateInbox(supervisor.pid)
    inbox.put(batch(2, picture(1)))
    request, pictures = batch(1, deed(Deed.CRASH))
    try:
        with pytest.raises(WorkerDied) as caught:
            supervisor.run(request, pictures, lambda _: None, image_seconds=4, inbox=inbox)
    finally:
        inbox.close()
        supervisor.reap()
    assert set(caught.value.in_work) == {1}
