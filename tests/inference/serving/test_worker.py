"""The worker process as a process: its beginning, its manners, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from config import settings
from inference.results import ModelUnavailable
from inference.serving.client import Classifier
from tests.inference.fakes import Deed, deed, picture, running, until

ROOT = Path(__file__).parents[3]


def workers() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.is_running()
        and child.status() != psutil.STATUS_ZOMBIE
        and "inference.serving.worker" in child.cmdline()
    }


def wait_until_gone(pid: int, seconds: float = 20) -> None:
    """A process of nobody's any more may stay as a zombie until some init reaps it; that is gone enough."""
    until = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the worker is still there"
        time.sleep(0.02)


async def test_it_is_nice_and_a_child_of_ours_in_a_session_of_its_own() -> None:
    async with running(settings.Settings(worker=settings.Worker(nice=7))) as classifier:
        pid = classifier.worker_pid
        assert pid in workers()
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 7, 19)
        assert os.getsid(pid) == pid
    assert pid not in workers()
    assert classifier.worker_pid is None


async def test_ctrl_c_and_a_service_managers_sigterm_do_not_end_it() -> None:
    async with running() as classifier:
        pid = classifier.worker_pid
        assert pid
        work = asyncio.create_task(classifier.classify(deed(Deed.SLOW, 3)))
        await asyncio.sleep(0.02)
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
        assert (await work).labels[0].index == 3
        assert classifier.stats.restarts == 0


async def test_what_a_library_prints_is_no_answer() -> None:
    async with running() as classifier:
        assert (await classifier.classify(deed(Deed.PRINT, 3))).labels[0].index == 3
        assert classifier.stats.restarts == 0


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("refuse", "The fake model is gone: put it back."),
        ("fail", "could not be loaded: RuntimeError: out of luck"),
        ("abort", "died while it loaded the model: the worker ended by SIGABRT"),
    ],
)
async def test_a_start_that_fails_says_why_and_leaves_no_process(
    told: str, says: str, tmp_path: Path
) -> None:
    before = workers()
    (tmp_path / "told").write_text(told)
    wanted = settings.Settings(model=settings.Model(name=str(tmp_path / "told")))
    classifier = Classifier(wanted, load="tests.inference.fakes:load_if_told")
    with pytest.raises(ModelUnavailable, match=says):
        await classifier.start()
    assert workers() == before
    with pytest.raises(ModelUnavailable):
        await classifier.classify(picture(1))
    (tmp_path / "told").write_text("load")
    await classifier.start()  # a second try is welcome
    await classifier.close()
    assert workers() == before


async def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    before = workers()
    (tmp_path / "told").write_text("hang")
    wanted = settings.Settings(model=settings.Model(name=str(tmp_path / "told")))
    classifier = Classifier(wanted, load="tests.inference.fakes:load_if_told")
    start = asyncio.create_task(classifier.start())
    await until(lambda: workers() != before)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await classifier.close()
    assert workers() == before


async def test_a_model_that_leaves_no_room_for_pictures_is_refused_with_the_way_out() -> None:
    classifier = Classifier(
        settings.Settings(worker=settings.Worker(memory=16 << 20)), load="tests.inference.fakes:load"
    )
    with pytest.raises(ModelUnavailable, match=r"worker\.memory allows 16 MiB"):
        await classifier.start()
    assert classifier.worker_pid is None
    await classifier.close()


PARENT = """
import asyncio
from config import settings
from tests.inference.fakes import Deed, deed, running
async def main():
    async with running(settings.Settings(worker=settings.Worker(deadline=1))) as classifier:
        print(classifier.worker_pid, flush=True)
        {then}
asyncio.run(main())
"""


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("await asyncio.sleep(1000)", id="idle"),
        pytest.param("await classifier.classify(deed(Deed.HANG))", id="hung"),
        pytest.param("await classifier.classify(deed(Deed.HANG_WITH_GIL))", id="hung in C"),
    ],
)
def test_it_does_not_outlive_a_bot_that_was_killed(then: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    wait_until_gone(worker)


def test_a_program_that_forgets_to_close_still_ends() -> None:
    code = PARENT.format(then="raise SystemExit(3)").replace("async with running", "async with opened")
    code = code.replace("async def main", OPENED + "async def main")
    run = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert run.returncode == 3
    wait_until_gone(int(run.stdout))


OPENED = """
from contextlib import asynccontextmanager
from inference.serving.client import Classifier
@asynccontextmanager
async def opened(wanted):
    classifier = Classifier(wanted, load="tests.inference.fakes:load")
    await classifier.start()
    asyncio.create_task(classifier.classify(deed(Deed.HANG)))
    await asyncio.sleep(0.2)
    yield classifier
"""
