"""A picture that has taken the worker over finds nothing, reaches nobody and cannot lie.

The worker is the real one, started by the real supervisor; only its model is of these tests.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from config import settings
from inference.results import Classification, HarmfulImage, InferenceError
from inference.serving.client import Classifier
from tests.inference.fakes import picture
from tests.takeover.deeds import DEEDS, KILLED, LABELS, NONSENSE, REFUSED, TRUTH, Targets

pytestmark = pytest.mark.timeout(300)

FORBIDDEN = "the worker tried what its sandbox forbids, and the kernel ended it"
BROKEN = "the worker broke the protocol"
TOLD = "the worker announced a reply of"


@dataclass
class Loot:
    """What the worker is after, and whether any of it was touched."""

    targets: Targets
    listeners: list[socket.socket] = field(default_factory=list)

    def is_untouched(self) -> bool:
        for listener in self.listeners:
            listener.settimeout(0)
            try:
                listener.recv(1) if listener.type == socket.SOCK_DGRAM else listener.accept()
            except BlockingIOError:
                continue
            return False
        store, token = Path(self.targets["store"]), Path(self.targets["token_file"])
        return (
            store.read_bytes() == b"the store"
            and token.read_bytes() == b"the token"
            and not Path(f"{token}.new").exists()
        )


@pytest.fixture
def loot(tmp_path: Path) -> Iterator[Loot]:
    """A token's file, a store, a home folder and four sockets that listen; this process is the bot."""
    for name in ("token", "store"):
        (tmp_path / name).write_text(f"the {name}")
    with ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.socket(family, kind))
            for family, kind in (
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET, socket.SOCK_DGRAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
                (socket.AF_UNIX, socket.SOCK_STREAM),
            )
        ]
        tcp, udp, unix, abstract = listeners
        name = f"whatsit-takeover-{os.getpid()}"
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        abstract.bind(f"\0{name}")
        for listener in (tcp, unix, abstract):
            listener.listen()
        yield Loot(
            Targets(
                bot=os.getpid(),
                token_file=str(tmp_path / "token"),
                store=str(tmp_path / "store"),
                home=str(tmp_path),
                tcp=tcp.getsockname()[1],
                udp=udp.getsockname()[1],
                unix=str(tmp_path / "s"),
                abstract=name,
            ),
            listeners,
        )


class TakenOver:
    """A classifier whose worker does what it is shown. Pictures are numbered as the worker sees them."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._next = 0

    async def does(self, deed: str) -> Classification | InferenceError:
        number, self._next = self._next, self._next + 1
        try:
            return await self.classifier.classify(picture(number, DEEDS.index(deed), 255))
        except InferenceError as error:
            return error

    async def still_answers(self) -> bool:
        number, self._next = self._next, self._next + 1
        answer = await self.classifier.classify(picture(number, 0, 0))
        return answer.labels[0].name == LABELS[number]


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISCORD_TOKEN", "WHATSIT_STORE__URL", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "the-token")


@pytest.fixture
async def taken_over(loot: Loot) -> AsyncIterator[TakenOver]:
    wanted = settings.Settings(
        model=settings.Model(name=json.dumps(loot.targets)), queue=settings.Queue(timeout=100)
    )
    classifier = Classifier(wanted, load="tests.takeover.deeds:load")
    try:
        info = await classifier.start()
        assert info.sandbox.is_whole, "these tests need a kernel with Landlock and seccomp"
        yield TakenOver(classifier)
    finally:
        await classifier.close()


def deaths(caplog: pytest.LogCaptureFixture, why: str) -> int:
    return sum(why in record.getMessage() for record in caplog.records)


async def test_what_a_library_might_try_is_refused(taken_over: TakenOver, loot: Loot) -> None:
    for deed in REFUSED:
        answer = await taken_over.does(deed)
        assert isinstance(answer, Classification), deed
        assert answer.labels[0].name.startswith("refused: "), deed
    assert loot.is_untouched()
    assert taken_over.classifier.stats.restarts == 0


@pytest.mark.parametrize("deed", KILLED)
async def test_what_no_library_tries_ends_the_worker_and_each_time_it_is_logged(
    taken_over: TakenOver, loot: Loot, caplog: pytest.LogCaptureFixture, deed: str
) -> None:
    assert isinstance(await taken_over.does(deed), HarmfulImage)
    assert deaths(caplog, FORBIDDEN) == 2  # it is condemned at the second
    assert loot.is_untouched()
    assert await taken_over.still_answers()


async def test_a_worker_that_lies_over_the_pipe_is_not_believed_but_replaced(
    taken_over: TakenOver, caplog: pytest.LogCaptureFixture
) -> None:
    for number, deed in enumerate(NONSENSE, 1):
        assert isinstance(await taken_over.does(deed), HarmfulImage), deed
        assert deaths(caplog, BROKEN) + deaths(caplog, TOLD) == 2 * number, deed
    assert "everyone" not in caplog.text
    assert await taken_over.still_answers()


async def test_a_lie_has_to_be_a_true_answer(taken_over: TakenOver) -> None:
    answer = await taken_over.does(TRUTH)
    assert isinstance(answer, Classification)
    assert answer.labels[0].name == LABELS[7]


async def test_no_worker_outlives_the_classifier(taken_over: TakenOver) -> None:
    pid = taken_over.classifier.worker_pid
    assert pid is not None
    await taken_over.classifier.close()
    assert not psutil.pid_exists(pid)


def of_process(pid: int | None, file: str) -> str:
    return Path(f"/proc/{pid}/{file}").read_text()


async def test_the_worker_was_told_no_secret_and_writes_no_core(secret: None, taken_over: TakenOver) -> None:
    pid = taken_over.classifier.worker_pid
    assert "the-token" not in of_process(pid, "environ")
    limits = of_process(pid, "limits").splitlines()
    assert [line.split()[4:6] for line in limits if line.startswith("Max core file size")] == [["0", "0"]]
    assert "NoNewPrivs:\t1" in of_process(pid, "status")
    threads = [of_process(pid, f"task/{thread.id}/status") for thread in psutil.Process(pid).threads()]
    assert all("Seccomp:\t2" in thread for thread in threads)
