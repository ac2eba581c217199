"""`python -m inference.knowledge`: knows what servers taught, as long as the other end of its pipes is there.

It reads requests from standard input and answers on standard output (`inference.knowledge.protocol`). Before
the first request it has given up all files, the network and other programs.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import signal
from functools import partial

import numpy as np
import psutil

from inference.frames import take_over_pipes, write
from inference.knowledge.image_index import ImageIndex, IndexRows, cosines
from inference.knowledge.protocol import read_hello, read_request
from inference.knowledge.service import KnowledgeService
from inference.models.fingerprint import pack, unit_roots
from inference.sandbox import give_up_everything
from inference.sandbox.kernel import forbid_dumps
from inference.teaching.background import Background
from inference.teaching.head import TaughtHead

WORK_BYTES = 1024 * 1024 * 1024
"""What it may map beyond what it keeps, for fits: one of 20,000 examples takes a quarter of it."""


def main() -> None:
    """Answer requests until the other end goes away."""
    faulthandler.enable(all_threads=False)
    forbid_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    requests, replies = take_over_pipes()
    hello = read_hello(requests)
    os.nice(hello.nice)
    service = KnowledgeService(hello.memory, partial(write, replies))
    _import_what_is_late()
    with contextlib.suppress(AttributeError, ValueError):  # macOS has no such limit to set
        most = psutil.Process().memory_info().vms + hello.memory + WORK_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    give_up_everything()
    while True:
        try:
            request, data = read_request(requests)
        except EOFError:
            os._exit(0)  # with a fit that nobody waits for any more
        service.take(request, data)


def _import_what_is_late() -> None:
    """Fit once, because NumPy imports some parts when they are first used, and later there are no files."""
    made = unit_roots(np.random.default_rng(0).random((8, 4), np.float32))
    head = TaughtHead(made, [1, 1, 1, 2, 2, 2, -1, -1], Background(made))
    pack(head.direction(head.name(made[0]).label, made[0]))
    index = ImageIndex(made.shape[1])
    numbers = np.arange(len(made))
    index.add(
        IndexRows(
            numbers, numbers.astype(np.uint8), numbers, made, numbers.astype(np.uint64), numbers.astype(bool)
        )
    )
    index.copies(1, 1, [1])
    cosines(made[0], made[[place.message for place in index.nearest(made[0], [1, 2])]])
    index.remove_messages([1, 2])


if __name__ == "__main__":
    main()
