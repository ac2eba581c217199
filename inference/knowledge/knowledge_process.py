"""The process that knows what servers taught, seen from outside: start it, ask it, replace it.

Everything here blocks, and is called on threads, never from the event loop. Time is `perf_counter`, because a
simulated Discord makes `monotonic` stand still.
"""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import BinaryIO

from inference.frames import frame, write
from inference.knowledge.protocol import KnowledgeHello, KnowledgeReply, KnowledgeRequest, read_reply
from inference.knowledge.results import KnowledgeFailed
from inference.subprocesses import module_command, own_environment

MOST_STARTS = 5
START_SECONDS = 60.0
"""It is started at most `MOST_STARTS` times in so many seconds: what keeps dying would only take time."""

NUMERIC = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": str(16 << 20)}
"""One thread multiplies: a fit leaves the other cores to the pictures. What a fit took is given back."""


class KnowledgeDied(Exception):
    """The process ended before it had answered."""


class KnowledgeProcess:
    """At most one process, started when it is first asked, and again when it has died.

    It may keep `memory` bytes of all servers together, and runs with the niceness `nice`.
    """

    def __init__(self, *, memory: int, nice: int) -> None:
        self._hello = KnowledgeHello(memory=memory, nice=nice)
        self._lock = threading.Lock()
        self._running: _RunningProcess | None = None
        self._started: deque[float] = deque(maxlen=MOST_STARTS)
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id, None where none is running."""
        running = self._running
        return running.pid if running and running.alive else None

    def ask(self, request: KnowledgeRequest, data: Sequence[bytes] = (), *, seconds: float) -> KnowledgeReply:
        """Send a request with what follows it, and return the reply.

        Raises KnowledgeDied if the process ends before, and KnowledgeFailed if it does not answer within
        `seconds`, keeps dying, or cannot be started.
        """
        return self._start().ask(request, data, seconds)

    def tell(self, request: KnowledgeRequest, *, seconds: float) -> None:
        """Send a request to the process if one is running; what it answers is not wanted."""
        running = self._running
        if running and running.alive:
            with contextlib.suppress(KnowledgeDied, KnowledgeFailed):  # it has forgotten everything
                running.ask(request, (), seconds)

    def close(self) -> None:
        """Kill the process, and never start another."""
        with self._lock:
            self._closed = True
            if self._running:
                self._running.kill()

    def _start(self) -> _RunningProcess:
        with self._lock:
            if self._closed:
                raise KnowledgeFailed("It has been closed.")
            if self._running and self._running.alive:
                return self._running
            now = time.perf_counter()
            if len(self._started) == MOST_STARTS and now - self._started[0] < START_SECONDS:
                raise KnowledgeFailed(
                    f"Its process died {MOST_STARTS} times within {START_SECONDS:g} s. What it had to say "
                    "stands above, on standard error."
                )
            self._started.append(now)
            try:
                self._running = _RunningProcess(self._hello)
            except OSError as error:
                raise KnowledgeFailed(f"Its process could not be started: {error}.") from error
            return self._running


class _RunningProcess:
    """One process, until it is gone. Several threads may ask it at once. Raises OSError."""

    def __init__(self, hello: KnowledgeHello) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own module
            module_command("inference.knowledge"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the bot, which finishes what it has in hand
            env=own_environment(forced=NUMERIC),
        )
        self.alive = True
        self._ids = itertools.count(1)
        self._pending: dict[int, Future[KnowledgeReply]] = {}
        self._turn = threading.Lock()
        self._books = threading.Lock()
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a process without pipes")
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment] # typeshed: IO[bytes]
        with contextlib.suppress(BrokenPipeError):  # the reader below finds out
            write(self._requests, hello)
        reader = threading.Thread(target=self._read, args=(self._process.stdout,), name="knowledge-replies")
        reader.daemon = True
        reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: KnowledgeRequest, data: Sequence[bytes], seconds: float) -> KnowledgeReply:
        asked = request.model_copy(update={"id": next(self._ids)})
        reply: Future[KnowledgeReply] = Future()
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self.kill()

        with self._books:
            if not self.alive:
                raise KnowledgeDied
            self._pending[asked.id] = reply
        # A process that hangs may also hang in taking the request, so the timer is for all of it.
        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            with self._turn:
                for part in (frame(asked), *data):
                    self._requests.write(part)
                self._requests.flush()
            return reply.result()
        except (OSError, ValueError, KnowledgeDied):  # ValueError: its pipe has been closed meanwhile
            with self._books:
                self.alive = False  # the reader may not know yet, and whoever asks again needs another one
            if late.is_set():
                raise KnowledgeFailed(f"Its process did not answer within {seconds:g} s.") from None
            raise KnowledgeDied from None
        finally:
            timer.cancel()
            with self._books:
                self._pending.pop(asked.id, None)

    def kill(self) -> None:
        self._process.kill()  # nothing where it has ended: its number may be another process's by now

    def _read(self, replies: BinaryIO) -> None:
        """Hand out replies until the process is gone, or speaks nonsense."""
        with contextlib.suppress(EOFError, ValueError, OSError):
            while True:
                reply = read_reply(replies)
                with self._books:
                    waiting = self._pending.pop(reply.id, None)
                if waiting:
                    waiting.set_result(reply)
        self.kill()
        self._process.wait()
        with self._books:
            self.alive = False
            left, self._pending = self._pending, {}
        for waiting in left.values():
            waiting.set_exception(KnowledgeDied())
        replies.close()
        with contextlib.suppress(OSError):  # what was on its way to a process that is gone
            self._requests.close()
