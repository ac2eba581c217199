"""What servers taught is known by a process of its own, whatever becomes of that."""

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

from inference.frames import frame
from inference.knowledge import client, knowledge_process
from inference.knowledge.protocol import KnowledgeHello
from inference.knowledge.results import KnowledgeFailed
from inference.models.fingerprint import unpack
from inference.subprocesses import own_environment
from tests.inference.knowledge.taught import KIND, Shelf, knowing, picture, taught
from tests.inference.teaching.clusters import WIDTH


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    made.servers[1, KIND] = taught(3, 7)
    made.servers[2, KIND] = taught(11, 13)
    return made


async def test_each_server_names_by_what_it_taught_itself(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        first = await knowledge.name(1, KIND, picture(7))
        second = await knowledge.name(2, KIND, picture(11))
        stranger = await knowledge.name(2, KIND, picture(7))
    assert first is not None
    assert second is not None
    assert stranger is not None
    assert (first.label, first.accepted, first.few) == (7, True, False)
    assert (second.label, second.accepted) == (11, True)
    assert not stranger.accepted
    assert first.score >= first.needed


async def test_a_server_that_taught_nothing_starts_no_process_twice_and_reads_the_store_once() -> None:
    shelf = Shelf()
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7)) is None
        assert await knowledge.name(1, KIND, picture(7)) is None
        assert await knowledge.test(5, KIND) is None
        assert await knowledge.direction(1, KIND, 7, picture(7)) is None
    assert shelf.read == [(1, KIND), (5, KIND)]
    assert shelf.backgrounds_read == 0


async def test_only_none_of_these_is_nothing(shelf: Shelf) -> None:
    shelf.servers[1, KIND] = taught(0)
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7)) is None


async def test_pictures_that_come_at_once_wait_for_one_fit(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        named = await asyncio.gather(*(knowledge.name(1, KIND, picture(7, seed=seed)) for seed in range(8)))
    assert [each and each.label for each in named] == [7] * 8
    assert shelf.read == [(1, KIND)]
    assert shelf.backgrounds_read == 1


async def test_a_change_is_known_at_the_next_question(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        before = await knowledge.name(1, KIND, picture(5))
        assert before is not None
        assert not before.accepted
        shelf.servers[1, KIND] = taught(3, 5, 7)
        knowledge.forget(1)
        after = await knowledge.name(1, KIND, picture(5))
        assert after is not None
        assert (after.label, after.accepted) == (5, True)
        shelf.servers[1, KIND] = []
        knowledge.forget(1)
        assert await knowledge.name(1, KIND, picture(5)) is None
        shelf.servers[1, KIND] = taught(5)
        knowledge.forget(1)
        assert await knowledge.name(1, KIND, picture(5)) is not None


async def test_what_changes_while_it_is_read_is_read_again(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        examples, reads = shelf.examples, 0

        async def changing(server: int, kind: str) -> object:
            nonlocal reads
            reads += 1
            found = await examples(server, kind)
            if reads == 1:
                shelf.servers[1, KIND] = taught(3, 5, 7)
                knowledge.forget(1)
            return found

        knowledge._examples = changing  # type: ignore[assignment]
        named = await knowledge.name(1, KIND, picture(5))
    assert named is not None
    assert named.label == 5
    assert reads == 2


async def test_fingerprints_of_two_models_never_meet(shelf: Shelf) -> None:
    shelf.servers[1, "other"] = taught(5)
    async with knowing(shelf) as knowledge:
        named = await knowledge.name(1, KIND, picture(5))
        other = await knowledge.name(1, "other", picture(5))
    assert named is not None
    assert other is not None
    assert named.label != 5
    assert other.label == 5
    assert shelf.backgrounds_read == 2


async def test_a_killed_process_is_replaced_and_told_everything_again(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7))
        for _ in range(2):
            assert knowledge.pid
            os.kill(knowledge.pid, signal.SIGKILL)
            named = await knowledge.name(1, KIND, picture(7))
            assert named is not None
            assert named.label == 7
    assert shelf.read == [(1, KIND)] * 3


async def test_killed_in_the_middle_of_a_fit_it_is_fitted_again(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(2, KIND, picture(11))
        background = shelf.background

        async def killing(kind: str) -> object:
            if shelf.backgrounds_read == 1:
                assert knowledge.pid
                os.kill(knowledge.pid, signal.SIGKILL)
            return await background(kind)

        knowledge._background = killing  # type: ignore[assignment]
        assert knowledge.pid
        os.kill(knowledge.pid, signal.SIGKILL)
        named = await knowledge.name(1, KIND, picture(7))
    assert named is not None
    assert named.label == 7


async def test_one_that_keeps_dying_is_an_error_and_no_endless_loop(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge_process, "module_command", lambda *_: [sys.executable, "-c", "1/0"])
    async with knowing(shelf) as knowledge:
        with pytest.raises(KnowledgeFailed, match="died twice"):
            await knowledge.name(1, KIND, picture(7))
        with pytest.raises(KnowledgeFailed, match="died"):
            await knowledge.test(1, KIND)
        with pytest.raises(KnowledgeFailed, match="died 5 times within 60 s"):
            await knowledge.name(1, KIND, picture(7))


async def test_one_that_hangs_is_given_up_and_replaced(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7))
        assert knowledge.pid
        hung = knowledge.pid
        os.kill(hung, signal.SIGSTOP)
        monkeypatch.setattr(client, "QUERY_SECONDS", 0.3)
        with pytest.raises(KnowledgeFailed, match=r"did not answer within 0\.3 s"):
            await knowledge.name(1, KIND, picture(7))
        monkeypatch.undo()
        assert await knowledge.name(1, KIND, picture(7))
        assert knowledge.pid != hung


async def test_what_was_not_used_for_longest_goes_when_memory_is_short(shelf: Shelf) -> None:
    """One server's two labels take a little over 1 KiB: 3 servers do not fit."""
    shelf.servers[3, KIND] = taught(17, 19)
    async with knowing(shelf, limit_bytes=3000) as knowledge:
        for server, thing in ((1, 3), (2, 11), (1, 3), (3, 17), (1, 3)):
            assert await knowledge.name(server, KIND, picture(thing))
        assert shelf.read == [(1, KIND), (2, KIND), (3, KIND)]
        assert await knowledge.name(2, KIND, picture(11))
        assert shelf.read[3:] == [(2, KIND)]


async def test_what_never_fits_is_an_error_that_names_the_setting(shelf: Shelf) -> None:
    async with knowing(shelf, limit_bytes=100) as knowledge:
        with pytest.raises(KnowledgeFailed, match=r"server 1 take .*knowledge\.memory"):
            await knowledge.name(1, KIND, picture(7))


@pytest.mark.parametrize("bad", [b"", b"abc", b"\0" * 68, picture(7)[:-1], b"x" * 9000])
async def test_what_is_no_fingerprint_of_the_kind_is_an_error_and_the_process_lives(
    shelf: Shelf, bad: bytes
) -> None:
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7))
        pid = knowledge.pid
        with pytest.raises(KnowledgeFailed):
            await knowledge.name(1, KIND, bad)
        assert await knowledge.name(1, KIND, picture(7))
        assert knowledge.pid == pid


async def test_examples_of_two_lengths_are_an_error_that_says_so(shelf: Shelf) -> None:
    shelf.servers[1, KIND] = [*taught(3), taught(3)[0]._replace(fingerprint=b"x" * 70)]
    async with knowing(shelf) as knowledge:
        with pytest.raises(KnowledgeFailed, match="these have 68, 70"):
            await knowledge.name(1, KIND, picture(7))


async def test_a_query_of_another_server_does_not_wait_for_a_fit(shelf: Shelf) -> None:
    """The fit waits for its background, which does not come before the other has been answered."""
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7))
        answered = asyncio.Event()
        background = shelf.background

        async def slow(kind: str) -> object:
            await answered.wait()
            return await background(kind)

        knowledge._background = slow  # type: ignore[assignment]
        shelf.servers[2, "other"] = taught(11, 13)
        fit = asyncio.create_task(knowledge.name(2, "other", picture(11)))
        assert await knowledge.name(1, KIND, picture(7))
        answered.set()
        assert await fit


async def test_the_report_says_what_is_mixed_up_and_what_looks_wrong(shelf: Shelf) -> None:
    wrong = taught(7)[0]._replace(example=42, label=3)
    shelf.servers[1, KIND] = [*taught(0, 3, 7), *taught(5, count=2), wrong]
    async with knowing(shelf) as knowledge:
        report = await knowledge.test(1, KIND)
    assert report is not None
    assert report.labels == (3, 5, 7)
    assert report.counts == (9, 2, 8)
    assert report.nones == 8
    assert report.tested == 19
    assert report.accuracy is not None
    assert report.accuracy > 0.7
    assert report.suspects[0] == (42, 3, 7)
    assert report.thin == (5,)


async def test_the_direction_of_a_label_points_from_strangers_to_it(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        direction = await knowledge.direction(1, KIND, 7, picture(7))
        assert direction is not None
        assert unpack(direction).shape == (WIDTH,)
        with pytest.raises(KnowledgeFailed, match="label 8 has not been taught"):
            await knowledge.direction(1, KIND, 8, picture(7))


async def test_closing_ends_the_process_and_starts_no_other(shelf: Shelf) -> None:
    async with knowing(shelf) as knowledge:
        await knowledge.prepare(1, KIND)
        pid = knowledge.pid
        assert pid
    await knowledge.close()
    with pytest.raises((KnowledgeFailed, RuntimeError)):
        await knowledge.name(1, KIND, picture(7))
    await _gone(pid)


async def test_closing_kills_nobody_who_has_the_number_of_one_that_has_ended(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled: list[int] = []
    async with knowing(shelf) as knowledge:
        assert await knowledge.name(1, KIND, picture(7))
        assert knowledge.pid
        os.kill(knowledge.pid, signal.SIGKILL)
        while knowledge.pid is not None:  # noqa: ASYNC110 - until a thread has noticed
            await asyncio.sleep(0.01)
        monkeypatch.setattr(os, "kill", lambda pid, _: signalled.append(pid))
    assert signalled == []


async def test_it_ends_with_the_process_that_started_it() -> None:
    code = """
import asyncio, os
from tests.inference.knowledge.taught import KIND, Shelf, knowing, picture, taught
async def main():
    shelf = Shelf()
    shelf.servers[1, KIND] = taught(3, 7)
    async with knowing(shelf) as knowledge:
        await knowledge.name(1, KIND, picture(7))
        print(knowledge.pid, flush=True)
        os._exit(0)
asyncio.run(main())
"""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env=own_environment(),
        cwd=Path(__file__).parents[3],
    )
    await _gone(int(done.stdout))


async def _gone(pid: int) -> None:
    until = time.perf_counter() + 30
    while psutil.pid_exists(pid) and time.perf_counter() < until:  # noqa: ASYNC110 - of a stranger's process
        await asyncio.sleep(0.01)
    assert not psutil.pid_exists(pid)


def test_the_process_has_no_file_no_network_and_no_other_program() -> None:
    code = """
import os, socket, sys
from inference.knowledge import __main__
def deeds(stream):
    for deed in (lambda: open("/etc/passwd"), lambda: os.stat("/etc/passwd")):
        try:
            deed()
        except OSError as error:
            print(type(error).__name__, file=sys.stderr)
    socket.socket()
__main__.read_request = deeds
__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=frame(KnowledgeHello(memory=1000, nice=0)),
        capture_output=True,
        check=False,
        env=own_environment(),
    )
    assert done.stderr.decode().split()[:1] == ["PermissionError"]
    assert done.returncode == -signal.SIGSYS


def test_the_client_loads_neither_numbers_nor_pictures() -> None:
    code = "import sys, inference.knowledge.client, inference.knowledge.background_bank\n"
    code += "print([name for name in ('numpy', 'PIL', 'tensorflow', 'openvino') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=own_environment()
    )
    assert done.stdout.decode().strip() == "[]"
