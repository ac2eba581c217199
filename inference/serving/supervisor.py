"""A worker seen from outside: start it, hand it batches, and end it when it misbehaves.

`start`, `run` and `reap` block, and are called from one thread of their own, never from the event loop.
`end`, `pid`, `resident_bytes` and `starts` may be used from any thread at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from config import settings
from inference.frames import frame
from inference.results import ModelInfo, ModelUnavailable
from inference.serving.batch_inbox import Batch, BatchInbox
from inference.serving.batch_watch import BatchWatch
from inference.serving.protocol import (
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
from inference.serving.worker_death import DeathCause, WorkerDied
from inference.serving.worker_process import WorkerProcess

Report = Callable[[str, float | None], None]

LOAD_SECONDS = 300.0
"""For building, checking and compiling a model, beside `model.hub_deadline`; its parts have tighter ones."""

SLOW_SHARE = 0.375
"""Of the processor time that an image may take, the part from which on it is slow: of 4 seconds, 1.5."""

SLOW_SECONDS = 1.5
"""Core-seconds from which on an image is slow where it may take less than 4. The most expensive honest
pictures of 50 million pixels took 1.2 to 1.4 s, and those that are not costly by their headers 0.3."""

SWOLLEN_SHARE = 0.6
"""Of its memory limit, what an idle worker may keep without being replaced."""


class WorkerSupervisor:
    """At most one worker process, replaced when it has died.

    `load` names the function ("module:function") by which the worker gets its model. `room` is the part of
    the memory that the model leaves of `worker.memory` which pictures may take, 0 to 1. `nice` is the
    worker's niceness where it is not to be `worker.nice`.
    """

    def __init__(
        self, wanted: settings.Settings, load: str, *, room: float = 1.0, nice: int | None = None
    ) -> None:
        self._model = wanted.model
        self._worker = wanted.worker if nice is None else wanted.worker.model_copy(update={"nice": nice})
        self._limits = wanted.limits
        self._load = load
        self._room = room
        self._memory = wanted.worker.memory
        self._process: WorkerProcess | None = None
        self._info: ModelInfo | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._size_at_start = 0
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        process = self._process  # the supervisor's thread may take it away meanwhile
        return None if process is None or process.is_gone else process.pid

    @property
    def resident_bytes(self) -> int:
        """The memory that the worker takes, 0 where there is none."""
        process = self._process
        return 0 if process is None or process.is_gone else process.size

    def start(self, report: Report) -> ModelInfo:
        """Spawn a worker and wait until its model answers.

        Raises ModelUnavailable if it says that it cannot, WorkerDied if it dies before. No process is left.
        """
        self.reap()
        process = self._spawn()
        until = time.perf_counter() + self._model.hub_deadline + LOAD_SECONDS
        hello = WorkerHello(load=self._load, model=self._model, worker=self._worker, limits=self._limits)

        def look_after_it() -> None:
            if time.perf_counter() >= until:
                raise process.put_down(DeathCause.HUNG, "the worker did not answer in time")

        process.send([frame(hello)], look_after_it)
        while True:
            match process.receive(parse_greeting, look_after_it):
                case LoadProgress(stage=stage, fraction=fraction):
                    report(stage, fraction)
                case WorkerUnavailable(reason=reason):
                    process.reap()
                    raise ModelUnavailable(reason)
                case WorkerReady(info=info):
                    break
        if (resident := process.size) > self._worker.memory:
            process.reap()
            raise ModelUnavailable(
                f"The model {info.name} takes {resident >> 20} MiB with the engine {info.engine}, and "
                f"worker.memory allows {self._worker.memory >> 20} MiB: allow more, or take a smaller model."
            )
        self._size_at_start = resident
        process.know_threads()
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

        `pictures` are the bytes of the first looks. An image may take `image_seconds` of processor time; one
        whose look is not `patient` may not be slow, because others would wait for it. Raises WorkerDied if
        the worker dies first.
        """
        process = self._process
        if process is None or process.has_ended:
            self.reap()
            raise WorkerDied(DeathCause.IDLE, "the worker died while it had nothing to do")
        if (resident := process.size) > self._memory:
            raise process.put_down(DeathCause.IDLE, f"the worker had grown to {resident >> 20} MiB over time")
        watch = BatchWatch(
            image_seconds=image_seconds,
            silence=self._worker.deadline,
            thread_seconds=process.thread_seconds,
            process_seconds=process.core_seconds,
            elsewhere_seconds=process.elsewhere_seconds,
        )
        looks: dict[int, LookRequest] = {}
        believed = partial(self._believed, process, watch, looks)
        look_after_it = partial(self._look_after, process, watch, looks, image_seconds)
        todo = [Batch(batch, pictures)]
        try:
            while todo or watch.unanswered or not inbox.close_if_empty():
                for more in todo:
                    looks.update((look.id, look) for look in more.request.looks)
                    watch.add(look.id for look in more.request.looks)
                    process.send([frame(more.request), *more.pictures], look_after_it)
                if process.speaks(look_after_it, or_for=inbox.fileno()):
                    replies = process.receive(believed, look_after_it)
                    if replies:
                        report(replies)
                    for reply in replies:
                        looks.pop(reply.id, None)
                todo = inbox.take()
        except WorkerDied as death:
            death.in_work = death.in_work or watch.in_work()
            if death.cause is DeathCause.KILLED and not death.in_work:
                death.cause = DeathCause.IDLE  # a busy machine takes a moment to end what was killed
            raise

    def _believed(
        self, process: WorkerProcess, watch: BatchWatch, looks: Mapping[int, LookRequest], said: bytes
    ) -> tuple[WorkerReply, ...]:
        """Return the replies in what the worker said. Raises ValueError for what cannot be true."""
        news = parse_news(said)
        if isinstance(news, LooksBegun):
            process.know_thread(news.thread)
        for reply in news.replies if isinstance(news, LooksDone) else ():
            check_reply(looks.get(reply.id), reply, self._info)
        return watch.take(news)  # not before, or who lies would be at no picture any more

    def _look_after(
        self,
        process: WorkerProcess,
        watch: BatchWatch,
        looks: Mapping[int, LookRequest],
        image_seconds: float,
    ) -> None:
        """Raise WorkerDied, and end the worker, where it took too much time or memory."""
        if overran := watch.overran():
            slow = watch.slow(SLOW_SHARE * image_seconds) - overran
            process.reap()
            detail = f"it took more than {image_seconds:g} seconds of processor time"
            spent = dict.fromkeys(overran, image_seconds)
            raise WorkerDied(DeathCause.OVERRAN, detail, spent, slow=slow)
        if stalled := watch.stalled():
            process.reap()
            detail = "an image made no progress while others did"
            raise WorkerDied(DeathCause.HUNG, detail, dict.fromkeys(stalled, image_seconds))
        if watch.is_silent():
            raise process.put_down(DeathCause.HUNG, "the worker did not answer in time")
        if (resident := process.size) > self._memory:
            raise process.put_down(DeathCause.BLOATED, f"the worker grew to {resident >> 20} MiB")
        long = max(SLOW_SHARE * image_seconds, SLOW_SECONDS)
        if any(not looks[id_].patient for id_ in watch.slow(long)):
            # What has taken half as long would be the next.
            suspects = [id_ for id_ in watch.slow(long / 2) if not looks[id_].patient]
            process.reap()
            detail = "an image took much longer than its header promised"
            raise WorkerDied(DeathCause.SLOW, detail, dict.fromkeys(suspects, long / 2))

    def is_swollen(self) -> bool:
        """Return whether the worker keeps so much memory that a new one should take its place when idle.

        A model that is large by itself is no reason, because the new worker would be as large.
        """
        return self.resident_bytes > max(SWOLLEN_SHARE * self._worker.memory, 2 * self._size_at_start)

    def end(self) -> None:
        """Kill the worker now, with every process it started, and never start another.

        A call of `start` or `run` that waits for it on its own thread then raises.
        """
        with self._lock:
            self._ended = True
            if self._process:
                self._process.kill()

    def _spawn(self) -> WorkerProcess:
        with self._lock:
            if self._ended:
                raise ModelUnavailable("The classifier has been closed.")
            self._process = WorkerProcess()
        self.starts += 1
        return self._process

    def settle_on(self, name: str) -> None:
        """Let every later worker take what `auto` chose: none asks the Hub again, none changes the model."""
        if self._model.name == "auto":
            self._model = self._model.model_copy(update={"name": name})

    def reap(self) -> None:
        """End the worker, where there is one."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.reap()
