"""The worker process seen from outside: start it, hand it a batch, and end it when it misbehaves.

`start`, `run` and `reap` block, and are called from one thread of their own, never from the event loop.
`end`, `pid`, `resident_bytes` and `starts` may be used from any thread at any time. Time is `perf_counter`,
because a simulated Discord makes `monotonic` stand still.
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
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import partial
from types import MappingProxyType
from typing import TypeVar

import psutil

from config import settings
from inference.frames import LENGTH_BYTES, frame
from inference.results import ModelInfo, ModelUnavailable
from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.batch_watch import BatchWatch
from inference.serving.protocol import (
    EXIT_OUT_OF_MEMORY,
    BatchRequest,
    LoadProgress,
    LookRequest,
    LooksBegun,
    LooksDone,
    WorkerHello,
    WorkerReady,
    WorkerReply,
    WorkerUnavailable,
    parse_greeting,
    parse_news,
)
from inference.serving.reply_check import check_reply
from inference.serving.worker_output import WorkerOutput
from inference.subprocesses import module_command, own_environment

T = TypeVar("T")
Report = Callable[[str, float | None], None]

LOAD_SECONDS = 300.0
"""For building, checking and compiling a model, beside `model.hub_deadline`; its parts have tighter ones."""

TICK_SECONDS = 0.02
"""How often its size is looked at while it works: at 1 GB/s of page faults it overshoots by 20 MB."""

PIPE_BYTES = 1024 * 1024
"""What Linux lets an ordinary user have: 24 MB are sent in 9 ms, and in 14 with its default of 64 KiB."""

REPLY_BYTES = 4 * 1024 * 1024
"""A reply is labels and numbers. One that claims to be longer comes from a worker that was taken over."""

LEAVE_SECONDS = 1.0
"""For a worker that has closed its pipe to be gone, so that its exit status tells what happened."""

SWOLLEN_SHARE = 0.6
"""Of its memory limit, what an idle worker may keep without being replaced."""

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


class DeathCause(Enum):
    """Why a worker died."""

    CRASHED = auto()
    """It ended by a signal of its own making (a segmentation fault, an abort) or by leaving."""
    HUNG = auto()
    """It said nothing within its deadline."""
    OVERRAN = auto()
    """A picture took more processor time than one may, and was in work when it was killed."""
    BLOATED = auto()
    """It outgrew its memory limit."""
    KILLED = auto()
    """SIGKILL, and not by us: a person, or the kernel when the machine ran out of memory."""
    IDLE = auto()
    """It was gone before it had work."""


class WorkerDied(Exception):
    """The worker is gone, and with it what it was doing.

    `in_work` are the images that it may have been at, each with the core-seconds that it is charged.
    """

    def __init__(
        self, cause: DeathCause, detail: str, in_work: Mapping[int, float] = MappingProxyType({})
    ) -> None:
        super().__init__(detail)
        self.cause = cause
        self.in_work = in_work


class WorkerSupervisor:
    """At most one worker process, replaced when it has died.

    `load` names the function ("module:function") by which the worker gets its model. `room` is the part of
    the memory that the model leaves of `worker.memory` which pictures may take, 0 to 1.
    """

    def __init__(self, wanted: settings.Settings, load: str, *, room: float = 1.0) -> None:
        self._model = wanted.model
        self._worker = wanted.worker
        self._limits = wanted.limits
        self._load = load
        self._room = room
        self._memory = wanted.worker.memory
        self._process: subprocess.Popen[bytes] | None = None
        self._output: WorkerOutput | None = None
        self._info: ModelInfo | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._size_at_start = 0
        self._looked = 0.0
        self._known_threads: set[int] = set()
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        process = self._process  # the supervisor's thread may take it away meanwhile
        return process.pid if process else None

    @property
    def resident_bytes(self) -> int:
        """The memory that the worker takes, 0 where there is none."""
        pid = self.pid
        if pid is None:
            return 0
        try:
            return int(psutil.Process(pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def start(self, report: Report) -> ModelInfo:
        """Spawn a worker and wait until its model answers.

        Raises ModelUnavailable if it says that it cannot, WorkerDied if it dies before. No process is left.
        """
        self.reap()
        self._spawn()
        until = time.perf_counter() + self._model.hub_deadline + LOAD_SECONDS
        hello = WorkerHello(load=self._load, model=self._model, worker=self._worker, limits=self._limits)

        def look_after_it() -> None:
            if time.perf_counter() >= until:
                raise self._put_down(DeathCause.HUNG, "the worker did not answer in time")

        self._send([frame(hello)], look_after_it)
        while True:
            match self._receive(parse_greeting, look_after_it):
                case LoadProgress(stage=stage, fraction=fraction):
                    report(stage, fraction)
                case WorkerUnavailable(reason=reason):
                    self._put_down(DeathCause.CRASHED, reason)
                    raise ModelUnavailable(reason)
                case WorkerReady(info=info):
                    break
        if (resident := self._size()) > self._worker.memory:
            self._put_down(DeathCause.BLOATED, "too large")
            raise ModelUnavailable(
                f"The model {info.name} takes {resident >> 20} MiB with the engine {info.engine}, and "
                f"worker.memory allows {self._worker.memory >> 20} MiB: allow more, or take a smaller model."
            )
        self._size_at_start = resident
        with contextlib.suppress(psutil.Error):
            self._known_threads = {thread.id for thread in self._watched.threads()}
        self._memory = resident + int(self._room * (self._worker.memory - resident))
        self.settle_on(info.name)
        self._info = info
        return info

    def run(
        self,
        batch: BatchRequest,
        pictures: Sequence[bytes],
        report: Callable[[Sequence[WorkerReply]], None],
        *,
        image_seconds: float,
        inbox: BatchInbox,
    ) -> None:
        """Hand over a batch, and what comes into `inbox` meanwhile, and report replies as soon as they are
        there; return when all are.

        `pictures` are the bytes of the first looks. An image may take `image_seconds` of processor time.
        Raises WorkerDied if the worker dies first.
        """
        if self._process is None or self._process.poll() is not None:
            raise self._put_down(DeathCause.IDLE, "the worker died while it had nothing to do")
        if (resident := self._size()) > self._memory:
            raise self._put_down(DeathCause.IDLE, f"the worker had grown to {resident >> 20} MiB over time")
        watch = BatchWatch(
            image_seconds=image_seconds,
            silence=self._worker.deadline,
            thread_seconds=self._thread_seconds,
            process_seconds=self._process_seconds,
            elsewhere_seconds=self._elsewhere_seconds,
        )
        looks: dict[int, LookRequest] = {}
        believed = partial(self._believed, watch, looks)
        look_after_it = partial(self._look_after, watch, image_seconds)
        _, from_worker = self._fds()
        todo = [Batch(batch, pictures)]
        try:
            while todo or watch.unanswered or not inbox.close_if_empty():
                for more in todo:
                    looks.update((look.id, look) for look in more.request.looks)
                    watch.add(look.id for look in more.request.looks)
                    self._send([frame(more.request), *more.pictures], look_after_it)
                if self._wait(from_worker, select.POLLIN, look_after_it, or_for=inbox.fileno()):
                    replies = self._receive(believed, look_after_it)
                    if replies:
                        report(replies)
                    for reply in replies:
                        looks.pop(reply.id, None)
                todo = inbox.take()
        except WorkerDied as death:
            death.in_work = death.in_work or watch.in_work()
            raise

    def _believed(
        self, watch: BatchWatch, looks: Mapping[int, LookRequest], said: bytes
    ) -> tuple[WorkerReply, ...]:
        """Return the replies in what the worker said. Raises ValueError for what cannot be true."""
        news = parse_news(said)
        if isinstance(news, LooksBegun):
            self._known_threads.add(news.thread)
        for reply in news.replies if isinstance(news, LooksDone) else ():
            check_reply(looks.get(reply.id), reply, self._info)
        return watch.take(news)  # not before, or who lies would be at no picture any more

    def _look_after(self, watch: BatchWatch, image_seconds: float) -> None:
        """Raise WorkerDied, and end the worker, where it took too much time or memory."""
        if overran := watch.overran():
            detail = f"it took more than {image_seconds:g} seconds of processor time"
            self.reap()
            raise WorkerDied(DeathCause.OVERRAN, detail, dict.fromkeys(overran, image_seconds))
        if stalled := watch.stalled():
            self.reap()
            detail = "an image made no progress while others did"
            raise WorkerDied(DeathCause.HUNG, detail, dict.fromkeys(stalled, image_seconds))
        if watch.is_silent():
            raise self._put_down(DeathCause.HUNG, "the worker did not answer in time")
        if (resident := self._size()) > self._memory:
            raise self._put_down(DeathCause.BLOATED, f"the worker grew to {resident >> 20} MiB")

    def is_swollen(self) -> bool:
        """Return whether the worker keeps so much memory that a new one should take its place when idle.

        A model that is large by itself is no reason, because the new worker would be as large.
        """
        return self._process is not None and self._size() > max(
            SWOLLEN_SHARE * self._worker.memory, 2 * self._size_at_start
        )

    def end(self) -> None:
        """Kill the worker now, with every process it started, and never start another.

        A call of `start` or `run` that waits for it on its own thread then raises.
        """
        with self._lock:
            self._ended = True
            if self._process and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _spawn(self) -> None:
        with self._lock:
            if self._ended:
                raise ModelUnavailable("The classifier has been closed.")
            # A session of its own keeps the terminal's Ctrl-C away from it, and lets `end` kill all of it.
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter, our own module
                module_command("inference.serving.worker"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                env=own_environment(defaults={**QUIET, **ALLOCATOR, **ONE_THREAD}),
            )
            if self._process.stderr is not None:
                self._output = WorkerOutput(self._process.stderr, self._process.pid)
        self.starts += 1
        for fd in self._fds():
            os.set_blocking(fd, False)
            with contextlib.suppress(AttributeError, OSError):  # Linux only, and only so many of them
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._watched = psutil.Process(self._process.pid)

    def settle_on(self, name: str) -> None:
        """Let every later worker take what `auto` chose: none asks the Hub again, none changes the model."""
        if self._model.name == "auto":
            self._model = self._model.model_copy(update={"name": name})

    def _fds(self) -> tuple[int, int]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise RuntimeError("there is no worker")
        return process.stdin.fileno(), process.stdout.fileno()

    def _send(self, parts: Sequence[bytes], look_after_it: Callable[[], None]) -> None:
        to_worker, _ = self._fds()
        for part in parts:
            left = memoryview(part)
            while left:
                self._wait(to_worker, select.POLLOUT, look_after_it)
                try:
                    left = left[os.write(to_worker, left[:PIPE_BYTES]) :]
                except BrokenPipeError:
                    raise self._buried() from None

    def _receive(self, parse: Callable[[bytes], T], look_after_it: Callable[[], None]) -> T:
        size = int.from_bytes(self._read(LENGTH_BYTES, look_after_it), "big")
        if size > REPLY_BYTES:
            raise self._put_down(DeathCause.CRASHED, f"the worker announced a reply of {size} bytes")
        try:
            return parse(self._read(size, look_after_it))
        except ValueError:  # whose text quotes what was said
            raise self._put_down(DeathCause.CRASHED, "the worker broke the protocol") from None

    def _read(self, size: int, look_after_it: Callable[[], None]) -> bytes:
        _, from_worker = self._fds()
        data = bytearray()
        while len(data) < size:
            self._wait(from_worker, select.POLLIN, look_after_it)
            piece = os.read(from_worker, size - len(data))
            if not piece:
                raise self._buried()
            data += piece
        return bytes(data)

    def _wait(
        self, fd: int, event: int, look_after_it: Callable[[], None], *, or_for: int | None = None
    ) -> bool:
        """Wait until `fd` is ready, or there is something to read from `or_for`; return whether `fd` is.

        Looks after the worker at every tick, which may raise WorkerDied.
        """
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

    def _size(self) -> int:
        try:
            return int(self._watched.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0  # just gone: the pipe says so in a moment

    def _thread_seconds(self, thread: int) -> float:
        try:
            threads = self._watched.threads()
        except psutil.NoSuchProcess:
            return 0.0  # just gone: the pipe says so in a moment
        except psutil.AccessDenied:
            return math.inf  # macOS shows no other process's threads: there, the time that goes by counts
        return next((float(t.user_time + t.system_time) for t in threads if t.id == thread), 0.0)

    def _elsewhere_seconds(self) -> float:
        """Return the processor time of all threads that the worker has not spoken of, also of ended ones.

        These are its codecs' own: what it began with, such as its engine's, is known.
        """
        try:
            threads = self._watched.threads()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return 0.0
        known = sum(t.user_time + t.system_time for t in threads if t.id in self._known_threads)
        return self._process_seconds() - float(known)

    def _process_seconds(self) -> float:
        try:
            times = self._watched.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system)

    def _put_down(self, cause: DeathCause, detail: str) -> WorkerDied:
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
        """End the worker, where there is one, close its pipes and return its exit status.

        `patience` is how many seconds it may take to leave by itself.
        """
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what it may have started
        status = process.wait()
        if self._output is not None:
            self._output.wait(LEAVE_SECONDS)
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()
        return status
