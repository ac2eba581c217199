"""What the worker does with the pictures of a batch: on threads, a pair of pictures at a time.

Their work is done outside the GIL: while one decodes, another predicts. Each thread says which image it is at
before it begins, so that the supervisor knows whose time runs and who was there when it ended.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from config import settings
from inference import cpus
from inference.images.decode import decode
from inference.images.headers import header
from inference.images.perceptual_hash import perceptual_hash
from inference.images.second_look import needs_second_look
from inference.images.views import DecodedFrame
from inference.models.coarse_names import CoarseNames, coarse_names
from inference.models.engines import PAIR
from inference.models.fingerprint import pack, unit_roots
from inference.results import InferenceError
from inference.sandbox import give_up_files
from inference.serving.explaining import heat_of
from inference.serving.protocol import (
    EXIT_OUT_OF_MEMORY,
    AnsweredReply,
    BatchRequest,
    LookRequest,
    LooksBegun,
    LooksDone,
    RefusedReply,
    UnsureReply,
    WorkerNews,
    WorkerReply,
)
from inference.serving.seen_image import CoreTime, SeenImage

if TYPE_CHECKING:
    from inference.models.loading import LoadedModel

THREADED = frozenset({"HEIF"})
"""Formats whose codec decodes on one thread of its own (libde265), whose time does not show on ours."""

PATIENCE = 5
"""Added to the niceness of threads with patient images: where all cores are busy, they get a third of what
others get."""


@dataclass
class BatchProcessor:
    """Decodes and predicts batches of pictures with one model."""

    model: LoadedModel
    views: Literal["auto", "1", "tutorial"]
    limits: settings.Limits
    tell: Callable[[WorkerNews], None]
    """Tells the supervisor; called on every thread."""
    deadline: float
    """Seconds after which the supervisor takes this process for hung."""
    unsure: dict[int, SeenImage] = field(default_factory=dict)
    """Images by id whose second look has not been asked for yet."""
    crop_core_seconds: float = 0.0
    """Processor time that one crop takes to predict, on however many threads."""

    def __post_init__(self) -> None:
        self.everyday = CoarseNames(coarse_names(self.model.labels))
        # More threads than cores, because some wait for a stream: with two more it was 5 to 8 % faster.
        count = cpus.usable() + 2
        started = threading.Barrier(count + 1, timeout=30)
        self._threads = ThreadPoolExecutor(count, "look")
        self._patient_threads = ThreadPoolExecutor(count, "patient", _be_patient)
        # All of them start now: in the sandbox no thread may change its priority.
        for _ in range(count):
            self._patient_threads.submit(started.wait)
        started.wait()
        self._turn, self._left = threading.Lock(), 0

    def look(self, batch: BatchRequest, pictures: list[bytes]) -> None:
        """Have threads answer every look of the batch, and do not wait for them."""
        for forgotten in batch.forget:
            self.unsure.pop(forgotten, None)
        left = iter(pictures)
        seen = [(look, self.unsure.pop(look.id) if look.second else next(left)) for look in batch.looks]
        shares = [[each] for each in seen if each[0].alone]
        for patient in (False, True):
            together = [each for each in seen if not each[0].alone and each[0].patient == patient]
            shares += [together[first : first + PAIR] for first in range(0, len(together), PAIR)]
        for share in shares:
            self._count(len(share))
            threads = self._patient_threads if share[0][0].patient else self._threads
            threads.submit(self._look_or_end, share)

    def _look_or_end(self, share: list[tuple[LookRequest, bytes | SeenImage]]) -> None:
        """Do one thread's share; where that fails, end this process, and the supervisor deals with it."""
        try:
            self._look(share)
        except Exception as error:  # noqa: BLE001 - see above
            traceback.print_exc()
            os._exit(EXIT_OUT_OF_MEMORY if _is_lack_of_memory(error) else 1)
        self._count(-len(share))

    def _count(self, images: int) -> None:
        """Count images in and out. If the supervisor is gone and one hangs, also where it holds the GIL, the
        kernel ends this process."""
        with self._turn:
            self._left += images
            if images > 0:
                signal.setitimer(signal.ITIMER_REAL, 2 * self.deadline * (self._left + 1))
            elif not self._left:
                signal.setitimer(signal.ITIMER_REAL, 0)

    def _look(self, seen: list[tuple[LookRequest, bytes | SeenImage]]) -> None:
        """Do one thread's share of a batch, from bytes to answers."""
        images = [each if isinstance(each, SeenImage) else self._decode(look, each) for look, each in seen]
        self._begin(*(look for look, _ in seen))
        decoded = [
            (look, image)
            for (look, _), image in zip(seen, images, strict=True)
            if isinstance(image, SeenImage)
        ]
        self._predict(decoded)
        for look, image in decoded:
            if image.whole is not None:
                self._explain(look, image, image.whole)
        replies = [self._reply(look, image) for (look, _), image in zip(seen, images, strict=True)]
        self.tell(LooksDone(replies=tuple(replies)))

    def _begin(self, *looks: LookRequest, elsewhere: bool = False) -> None:
        ids, thread = tuple(look.id for look in looks), threading.get_native_id()
        self.tell(LooksBegun(ids=ids, thread=thread, core_seconds=time.thread_time(), elsewhere=elsewhere))

    def _decode(self, look: LookRequest, seen: bytes) -> SeenImage | InferenceError:
        self._begin(look)
        started, watch = time.perf_counter(), CoreTime()
        size, limits = self.model.input_size, self.limits
        try:
            found = header(seen, limits=limits, input_size=size)
            if found.format in THREADED:
                self._begin(look, elsewhere=True)
                watch = CoreTime(elsewhere=True)
            views = "auto" if look.features == "example" else self.views
            decoded = decode(seen, input_size=size, views=views, limits=limits, found=found)
            hashed = perceptual_hash(decoded.whole) if look.features == "indexed" else None
            crops, second = decoded.first, None if look.explain else decoded.second
            if look.features == "example":
                crops, second = np.concatenate([crops, crops[:, :, ::-1], decoded.second()]), None
        except InferenceError as error:
            error.core_seconds = watch.seconds()
            return error
        return SeenImage(
            decoded.size,
            crops,
            second,
            decoded.whole if look.explain else None,
            perceptual_hash=hashed,
            decode_ms=_ms(started),
            core_seconds=watch.seconds(),
            kind=decoded.kind,
        )

    def _predict(self, seen: list[tuple[LookRequest, SeenImage]]) -> None:
        if not seen:
            return
        crops = np.concatenate([image.crops for _, image in seen])
        started = time.perf_counter()
        predicted = self.model.engine.predict(crops)
        probabilities = self._probabilities(predicted.logits)
        per_crop = _ms(started) / len(crops)
        ends = np.cumsum([len(image.crops) for _, image in seen])
        for (look, image), own in zip(seen, np.split(np.arange(len(crops)), ends[:-1]), strict=True):
            image.total = image.total + probabilities[own].sum(axis=0)
            if look.features and image.fingerprint is None and predicted.features is not None:
                image.fingerprint = pack(unit_roots(predicted.features[own]).mean(axis=0))
            image.views += len(own)
            image.predict_ms += per_crop * len(own)
            image.core_seconds += self.crop_core_seconds * len(own)

    def _explain(self, look: LookRequest, image: SeenImage, picture: DecodedFrame) -> None:
        """Draw the heat maps of the classes that `look` asks for."""
        started, watch = time.perf_counter(), CoreTime()
        image.heat, crops = heat_of(picture, look.explain, self.model)
        image.predict_ms += _ms(started)
        image.core_seconds += watch.seconds() + self.crop_core_seconds * crops
        image.whole = None

    def _probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return softmax(logits / temperature), float64 [n, classes].

        See Guo et al. 2017, "On Calibration of Modern Neural Networks".
        """
        scaled = logits.astype(np.float64) / self.model.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def _reply(self, look: LookRequest, image: SeenImage | InferenceError) -> WorkerReply:
        if isinstance(image, InferenceError):
            return RefusedReply(
                id=look.id, code=image.code, message=str(image), core_seconds=image.core_seconds
            )
        mean = np.asarray(image.total / image.views)
        if image.second and needs_second_look(mean):
            started, watch = time.perf_counter(), CoreTime()
            image.crops, image.second = image.second(), None
            image.decode_ms += _ms(started)
            image.core_seconds += watch.seconds()
            if len(image.crops):
                self.unsure[look.id] = image
                return UnsureReply(id=look.id, crops=len(image.crops), core_seconds=image.core_seconds)
        best = np.argsort(-mean, kind="stable")[: look.ranked]
        return AnsweredReply(
            id=look.id,
            labels=tuple(
                (self.model.labels[i], int(i), min(float(mean[i]), 1.0), self.everyday.names[i]) for i in best
            ),
            coarse=self.everyday.best(mean),
            size=image.size,
            views=image.views,
            decode_ms=image.decode_ms,
            predict_ms=image.predict_ms,
            core_seconds=image.core_seconds,
            picture_kind=image.kind,
            fingerprint=image.fingerprint,
            perceptual_hash=image.perceptual_hash,
            heat=image.heat,
        )


def _be_patient() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.nice(PATIENCE)
    give_up_files()  # the sandbox closes behind threads that are there already


def _is_lack_of_memory(error: Exception) -> bool:
    """Return whether an engine failed for lack of memory; OpenVINO says so only in words."""
    return isinstance(error, MemoryError) or re.search("bad_alloc|memory|allocat", str(error)) is not None


def _ms(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
