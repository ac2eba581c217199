"""The process that holds the model: `python -m inference.serving.worker`, started by the supervisor.

It reads batches from standard input and answers on standard output (`inference.serving.protocol`); what
libraries print goes to standard error. What is done with a batch is in `inference.serving.batch_processor`.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import queue
import resource
import signal
import threading
import time
import traceback
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import psutil

from inference.frames import take_over_pipes, write
from inference.images.decode import PREPROCESSING_VERSION
from inference.models.engines import PAIR, Prediction
from inference.results import ModelInfo, ModelUnavailable, SandboxState
from inference.sandbox import give_up_everything, give_up_files
from inference.sandbox.kernel import forbid_dumps
from inference.serving.batch_processor import BatchProcessor
from inference.serving.protocol import (
    BatchRequest,
    LoadProgress,
    WorkerHello,
    WorkerNews,
    WorkerReady,
    WorkerUnavailable,
    read_batch,
    read_hello,
)

if TYPE_CHECKING:
    from inference.models.loading import LoadedModel


def main() -> None:
    """Load the model, say so, and answer batches until the other end goes away."""
    faulthandler.enable(all_threads=False)
    forbid_dumps()
    requests, replies = take_over_pipes()
    # The supervisor ends this process. A Ctrl-C at the terminal, or a service manager that signals everybody,
    # is for the bot, which first finishes the images in hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hello = read_hello(requests)
    os.nice(hello.worker.nice)
    batches: queue.SimpleQueue[tuple[BatchRequest, list[bytes]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, batches), daemon=True).start()
    processor = _load_model(hello, replies)
    if processor is None:
        return
    while True:
        batch, pictures = batches.get()
        processor.look(batch, pictures)


def _listen(requests: BinaryIO, batches: queue.SimpleQueue[tuple[BatchRequest, list[bytes]]]) -> None:
    """Take batches in. When the other end closes, also by dying, end this process and all it started."""
    give_up_files()
    try:
        while True:
            batches.put(read_batch(requests))
    except EOFError:
        try:
            os.killpg(0, signal.SIGKILL)
        finally:  # early versions of Landlock's ABI 6 take this process's other threads for strangers
            os._exit(1)


def _load_model(hello: WorkerHello, replies: BinaryIO) -> BatchProcessor | None:
    def report(stage: str, fraction: float | None) -> None:
        write(replies, LoadProgress(stage=stage, fraction=fraction))

    turn = threading.Lock()

    def tell(news: WorkerNews) -> None:
        with turn:
            write(replies, news)

    greeting: WorkerReady | WorkerUnavailable
    module, _, function = hello.load.partition(":")
    try:
        model: LoadedModel = getattr(importlib.import_module(module), function)(hello.model, report=report)
        # An engine that cannot predict at all shows it now, before somebody's picture is blamed for it.
        nothing = np.zeros((PAIR, model.input_size, model.input_size, 3), np.uint8)
        width = _features(model.engine.predict(nothing))
        # An engine predicts on threads of its own, and every crop costs the same: while nothing else is done,
        # the whole process's time tells how much.
        on_cores = time.process_time()
        model.engine.predict(nothing)
        crop_core_seconds = (time.process_time() - on_cores) / PAIR
    except ModelUnavailable as error:
        greeting = WorkerUnavailable(reason=str(error))
    except Exception as error:  # noqa: BLE001 - the owner reads of any error, and in full on standard error
        traceback.print_exc()
        greeting = WorkerUnavailable(reason=f"The model could not be loaded: {type(error).__name__}: {error}")
    else:
        processor = BatchProcessor(
            model,
            hello.model.views,
            hello.limits,
            tell,
            hello.worker.deadline,
            crop_core_seconds=crop_core_seconds,
        )
        _limit_address_space(hello.worker.memory)
        greeting = WorkerReady(
            info=ModelInfo(
                name=model.name,
                engine=model.engine.name,
                input_size=model.input_size,
                classes=len(model.labels),
                note=model.note,
                caveats=model.caveats,
                content_hash=model.content_hash,
                preprocessing=PREPROCESSING_VERSION,
                labels=model.labels,
                coarse=processor.everyday.names,
                features=width,
                precision=model.engine.precision,
                sandbox=SandboxState(*give_up_everything()),
            )
        )
    write(replies, greeting)
    return None if isinstance(greeting, WorkerUnavailable) else processor


def _features(predicted: Prediction) -> int:
    return 0 if predicted.features is None else predicted.features.shape[1]


def _limit_address_space(memory: int) -> None:
    """Let this process map `memory` bytes more than it has mapped for the loaded model."""
    with contextlib.suppress(AttributeError, ValueError):  # macOS has no such limit to set
        resource.setrlimit(
            resource.RLIMIT_AS, (psutil.Process().memory_info().vms + memory, resource.RLIM_INFINITY)
        )


if __name__ == "__main__":
    main()
