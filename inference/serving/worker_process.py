"""One worker process seen from outside: its pipes, what it takes of the machine, and its end.

Its methods block, and belong to one thread; `kill`, `pid`, `size` and `is_gone` may be used from
any. Time is `perf_counter`, because a simulated Discord makes `monotonic` stand still.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psutil

from inference.frames import LENGTH_BYTES
from inference.serving.protocol import EXIT_OUT_OF_MEMORY
from inference.serving.worker_death import DeathCause, WorkerDied
from inference.serving.worker_output import WorkerOutput
from inference.subprocesses import module_command, own_environment

T = TypeVar("T")

TICK_SECONDS = 0.02
"""How often its size is looked at while it works: at 1 GB/s of page faults it overshoots by 20 MB."""

PIPE_BYTES = 1024 * 1024
"""What Linux lets an ordinary user have: 24 MB are sent in 9 ms, and in 14 with its default of 64 KiB."""

REPLY_BYTES = 4 * 1024 * 1024
"""A reply is labels and numbers. One that claims to be longer comes from a worker that was taken over."""


LEAVE_SECONDS = 1.0
"""For a worker that has closed its pipe to be gone, so that its exit status tells what happened."""

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}
"""Has glibc keep the memory of a picture for the next one: one alone is decoded in 2.9 ms and not 3.5.

With an arena a thread, fifteen pictures of 49 MP at once grew the worker over 1,536 MiB until the breaker
opened; with one arena it stayed under 330 MB, and a picture took the same processor time within the noise.
https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html"""

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "1", "GRPC_VERBOSITY": "ERROR"}
"""Turns the chatter of TensorFlow and oneDNN down to errors."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy multiplies no matrices here, and its threads would be older than the sandbox."""


class WorkerProcess:
    """Runs `inference.serving.worker` from its making until `reap`.

    `send` and `receive` call `look_after_it` at every tick, which may raise WorkerDied; they raise it
    themselves when the process has ended or breaks the protocol, and then it is reaped.
    """

    def __init__(self) -> None:
        # A session of its own keeps the terminal's Ctrl-C away from it, and lets `kill` end all of it.
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own module
            module_command("inference.serving.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            env=own_environment(defaults={**QUIET, **ALLOCATOR, **ONE_THREAD}),
        )
        to_worker, from_worker, output = self._process.stdin, self._process.stdout, self._process.stderr
        if to_worker is None or from_worker is None or output is None:
            raise RuntimeError("the worker was started without pipes")
        self._streams = (to_worker, from_worker)
        self._to_worker, self._from_worker = to_worker.fileno(), from_worker.fileno()
        for fd in (self._to_worker, self._from_worker):
            os.set_blocking(fd, False)
            with contextlib.suppress(AttributeError, OSError):  # Linux only, and only so many of them
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.pid = self._process.pid
        self._output = WorkerOutput(output, self.pid)
        self._watched = psutil.Process(self.pid)
        self._known_threads: set[int] = set()
        self._looked = 0.0
        self._lock = threading.Lock()
        self._is_gone = False

    @property
    def is_gone(self) -> bool:
        """Whether it was reaped."""
        return self._is_gone

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended, reaped or not."""
        return self._is_gone or self._process.poll() is not None

    @property
    def size(self) -> int:
        """The memory that it takes in bytes, 0 where it has just ended."""
        try:
            return int(self._watched.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def send(self, parts: Sequence[bytes], look_after_it: Callable[[], None]) -> None:
        """Write all parts to the worker, as far as it reads them.

        One that reads no more has mostly ended: what it said before is still to be received, then its end.
        """
        for part in parts:
            left = memoryview(part)
            while left:
                self._wait(self._to_worker, select.POLLOUT, look_after_it)
                try:
                    left = left[os.write(self._to_worker, left[:PIPE_BYTES]) :]
                except BrokenPipeError:
                    return

    def speaks(self, look_after_it: Callable[[], None], *, or_for: int) -> bool:
        """Wait until the worker has something to say, or there is something to read from `or_for`; return
        whether it has."""
        return self._wait(self._from_worker, select.POLLIN, look_after_it, or_for=or_for)

    def receive(self, parse: Callable[[bytes], T], look_after_it: Callable[[], None]) -> T:
        """Return what the worker says next. `parse` raises ValueError where that cannot be."""
        size = int.from_bytes(self._read(LENGTH_BYTES, look_after_it), "big")
        if size > REPLY_BYTES:
            raise self.put_down(DeathCause.CRASHED, f"the worker announced a reply of {size} bytes")
        try:
            return parse(self._read(size, look_after_it))
        except ValueError:  # whose text quotes what was said
            raise self.put_down(DeathCause.CRASHED, "the worker broke the protocol") from None

    def _read(self, size: int, look_after_it: Callable[[], None]) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait(self._from_worker, select.POLLIN, look_after_it)
            piece = os.read(self._from_worker, size - len(data))
            if not piece:
                raise self._buried()
            data += piece
        return bytes(data)

    def _wait(
        self, fd: int, event: int, look_after_it: Callable[[], None], *, or_for: int | None = None
    ) -> bool:
        poll = select.poll()
        poll.register(fd, event)
        if or_for is not None:
            poll.register(or_for, select.POLLIN)
        ready: list[tuple[int, int]] = []
        while not ready:
            ready = poll.poll(1000 * TICK_SECONDS)
            # Also where it is always ready: a worker that was taken over may talk without end.
            if time.perf_counter() - self._looked >= TICK_SECONDS:
                look_after_it()
                self._looked = time.perf_counter()
        return any(found == fd for found, _ in ready)

    def know_threads(self) -> None:
        """Take the threads that it has now for its engine's and its own."""
        with contextlib.suppress(psutil.Error):
            self._known_threads = {thread.id for thread in self._watched.threads()}

    def know_thread(self, thread: int) -> None:
        """Take a thread for the worker's own."""
        self._known_threads.add(thread)

    def thread_seconds(self, thread: int) -> float:
        """Return the processor time that a thread of it has used."""
        try:
            threads = self._watched.threads()
        except psutil.NoSuchProcess:
            return 0.0  # just gone: the pipe says so in a moment
        except psutil.AccessDenied:
            return math.inf  # macOS shows no other process's threads: there, the time that goes by counts
        return next((float(t.user_time + t.system_time) for t in threads if t.id == thread), 0.0)

    def elsewhere_seconds(self) -> float:
        """Return the processor time of all threads that are not known, of ended ones too: its codecs' own."""
        try:
            threads = self._watched.threads()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return 0.0
        known = sum(t.user_time + t.system_time for t in threads if t.id in self._known_threads)
        return self.core_seconds() - float(known)

    def core_seconds(self) -> float:
        """Return the processor time that all of it has used."""
        try:
            times = self._watched.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def kill(self) -> None:
        """Kill it now, with every process that it started. Who waits for it on its own thread hears of it."""
        with self._lock:
            if not self.has_ended:
                self._kill_group()

    def put_down(self, cause: DeathCause, detail: str) -> WorkerDied:
        """End it, and return the error that says why."""
        self.reap()
        return WorkerDied(cause, detail)

    def _buried(self) -> WorkerDied:
        """Return the error for a worker whose pipe has closed by itself."""
        status = self.reap(patience=LEAVE_SECONDS)
        if status == EXIT_OUT_OF_MEMORY:
            return WorkerDied(DeathCause.BLOATED, "the worker could get no more memory")
        if status == -signal.SIGKILL:
            return WorkerDied(DeathCause.KILLED, "the worker was killed from outside")
        if status == -signal.SIGSYS:
            return WorkerDied(
                DeathCause.CRASHED, "the worker tried what its sandbox forbids, and the kernel ended it"
            )
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return WorkerDied(DeathCause.CRASHED, f"the worker ended {how}")

    def reap(self, patience: float = 0.0) -> int:
        """End it, unless that was done, close its pipes and return its exit status.

        `patience` is how many seconds it may take to leave by itself.
        """
        with self._lock:
            if self._is_gone:
                return 0
            self._is_gone = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self._kill_group()
        status = self._process.wait()
        self._output.wait(LEAVE_SECONDS)
        for stream in self._streams:
            stream.close()
        return status

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
