"""What the rest of the program calls: a picture's bytes in, its labels out, whatever happens to the worker.

Neither numpy nor Pillow nor a model is ever imported into the process that calls this.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from config.settings import Settings
from inference import cpus
from inference.results import (
    RANKED,
    SCALE_BYTES,
    Classification,
    Coarse,
    Explanation,
    Features,
    HarmfulImage,
    InferenceError,
    Label,
    ModelInfo,
    ModelUnavailable,
    ServingLoad,
    Stats,
    TimedOut,
)
from inference.serving.backend import ClassifierBackend
from inference.serving.batching import MicroBatcher
from inference.serving.budget import QueueBudget
from inference.serving.condemned_pictures import CondemnedPictures
from inference.serving.expected_work import expected_work
from inference.serving.image_hash import ImageHasher
from inference.serving.image_job import OnCost
from inference.serving.image_lanes import ImageLanes
from inference.serving.node_reply import NodeReply
from inference.serving.protocol import MOST_MAPS, AnsweredReply
from inference.serving.supervisor import WorkerSupervisor
from inference.serving.verdict_cache import ImageKey, VerdictCache
from inference.serving.worker_death import WorkerDied

T = TypeVar("T")

SUSPECTS_ROOM = 0.6
"""Of the memory that pictures may take in the worker, what one may take in the worker that tries suspects."""

PATIENCE = 5
"""Added to the niceness of the worker that tries suspects. With more, a busy machine would let it starve, and
it would be taken for hung."""


class QueuePlace(NamedTuple):
    """Whose place in the queue it is, and until when the event loop's clock lets it wait."""

    group: Hashable
    until: float


class Admission:
    """The permission to have one image classified: a place in the queue, and room for its bytes."""

    def __init__(
        self,
        budget: QueueBudget,
        group: Hashable,
        size: int,
        *,
        classify: Callable[[bytes, int, OnCost | None, Features], Awaitable[Classification]],
        explain: Callable[[bytes, Sequence[int | bytes], OnCost | None], Awaitable[Explanation]],
        reply: Callable[[bytes, int, Features, Sequence[int | bytes]], Awaitable[AnsweredReply]],
    ) -> None:
        self._budget = budget
        self._group = group
        self._classify = classify
        self._explain = explain
        self._reply = reply
        self.size = size

    async def classify(
        self, data: bytes, *, top: int = 5, on_cost: OnCost | None = None, features: Features | bool = False
    ) -> Classification:
        """Return the `top` best labels (1 or more) of the image in `data`, which may have another size than
        announced.

        Raises any InferenceError; TimedOut when `queue.timeout` seconds have gone by since the image was
        admitted. Cancelling takes the image out of the queue. `on_cost` is told the core-seconds that the
        image took in the worker, also where it failed, and after a time-out or a cancelling as soon as they
        are known. `features`: whether a fingerprint is wanted too, and what else; True is "query".
        """
        self._resize(data)
        return await self._classify(data, top, on_cost, _features(features))

    async def explain(
        self, data: bytes, classes: Sequence[int | bytes], *, on_cost: OnCost | None = None
    ) -> Explanation:
        """Return where in the image in `data` the model saw each of `classes`: 1 to `MOST_MAPS` of them.

        A class is its index in the model's output, or a direction of features in packed form. Raises
        ValueError for a class that the model has not, and else what `classify` raises.
        """
        self._resize(data)
        return await self._explain(data, classes, on_cost)

    async def reply(
        self, data: bytes, *, ranked: int, features: Features = "", explain: Sequence[int | bytes] = ()
    ) -> AnsweredReply:
        """Return the worker's own answer, for a node of a cluster that passes it on.

        `ranked` is the number of labels; the rest, and what is raised, is as in `classify` and `explain`.
        """
        self._resize(data)
        return await self._reply(data, ranked, features, explain)

    def _resize(self, data: bytes) -> None:
        self._budget.resize(self.size, len(data), self._group)
        self.size = len(data)


class Classifier:
    """Classifies pictures in a worker process, which is replaced when it dies; or has a cluster do it.

    It belongs to one event loop. `load` names the function ("module:function") that gives the worker its
    model. `sharing` is another classifier: the two together hold no more images and bytes than one may,
    and what the one has condemned, the other does not look at.
    Raises `ConfigError` where the settings name a cluster whose secret cannot be read.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: str = "inference.models.loading:load",
        sharing: Classifier | None = None,
    ) -> None:
        self._settings = settings
        self._backend = _backend(settings, load, on_settled=self._remember, on_model=self._adopt)
        self._budget: QueueBudget = sharing._budget if sharing else QueueBudget(settings.queue)  # noqa: SLF001 - one of us
        self._condemned: CondemnedPictures = sharing._condemned if sharing else CondemnedPictures()  # noqa: SLF001 - likewise
        self._known = VerdictCache(settings.queue.verdicts, self._condemned)
        self._hasher: ImageHasher = sharing._hasher if sharing else ImageHasher()  # noqa: SLF001 - likewise
        self._info: ModelInfo | None = None
        self._starting = asyncio.Lock()
        self._accepted = self._answered = self._cancelled = self._recalled = 0
        self._refused: Counter[str] = Counter()
        self._turned_away: Counter[str] = Counter()

    @property
    def info(self) -> ModelInfo:
        """The model that answers. Raises ModelUnavailable before `start`."""
        if self._info is None:
            raise ModelUnavailable("The classifier has not been started.")
        return self._info

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        return self._backend.pid

    @property
    def stats(self) -> Stats:
        """What has been done so far."""
        return Stats(
            accepted=self._accepted,
            answered=self._answered,
            refused=MappingProxyType(dict(self._refused)),
            cancelled=self._cancelled,
            turned_away=MappingProxyType(dict(self._turned_away)),
            known=self._recalled,
            batches=self._backend.batches,
            restarts=self._backend.restarts,
            batch_sizes=MappingProxyType(dict(self._backend.batch_sizes)),
            condemned=self._backend.condemned,
        )

    @property
    def load(self) -> ServingLoad:
        """What is in hand now."""
        return ServingLoad(
            images=self._budget.images,
            bytes=self._budget.bytes,
            breaker_open=self._backend.breaker_open,
            worker_bytes=self._backend.worker_bytes,
        )

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        """Start the worker, wait until its model answers, and return that model. Later calls start nothing.

        `report` is told what is being done, and how much of it is done: 0 to 1, or None where that is not
        known. Raises ModelUnavailable, and then no process is left. A cancelled start closes the classifier.
        """
        loop = asyncio.get_running_loop()

        def tell(stage: str, fraction: float | None) -> None:
            if report:
                loop.call_soon_threadsafe(report, stage, fraction)

        async with self._starting:
            self._backend.check()
            if self._info is None:
                try:
                    await self._backend.start(tell)
                except WorkerDied as death:
                    raise ModelUnavailable(
                        f"The worker process died while it loaded the model: {death}. "
                        "What it had to say stands above, on standard error."
                    ) from death
        return self.info

    @asynccontextmanager
    async def admit(self, size: int, *, group: Hashable = None) -> AsyncIterator[Admission]:
        """Take a place in the queue for an image of `size` bytes, and wait until they fit with the others.

        Download the image inside the block, so that nothing is fetched for which there is no room. Leaving
        the block gives everything back. Raises Busy at once when the queue (or the share of `group`) is full,
        ImageTooLarge for more than the queue ever holds, ModelUnavailable, and TimedOut after `queue.timeout`
        seconds.
        """
        until = asyncio.get_running_loop().time() + self._settings.queue.timeout
        with self._counted(self._turned_away):
            self.check()
            self._budget.enter(size, group)
        try:
            if not self._budget.reserve_now(size, group):
                with self._counted(self._turned_away):
                    await self._in_time(until, self._budget.reserve(size, group))
            place = QueuePlace(group, until)
            admission = Admission(
                self._budget,
                group,
                size,
                classify=partial(self._classify, place),
                explain=partial(self._explain, place),
                reply=partial(self._reply, place),
            )
            try:
                yield admission
            finally:
                self._budget.free(admission.size, group)
        finally:
            self._budget.leave(group)

    async def classify(
        self, data: bytes, *, top: int = 5, group: Hashable = None, features: Features | bool = False
    ) -> Classification:
        """Do `admit` and `Admission.classify` in one, for an image that is here already."""
        async with self.admit(len(data), group=group) as admission:
            return await admission.classify(data, top=top, features=features)

    async def explain(
        self, data: bytes, classes: Sequence[int | bytes], *, group: Hashable = None
    ) -> Explanation:
        """Do `admit` and `Admission.explain` in one, for an image that is here already."""
        async with self.admit(len(data), group=group) as admission:
            return await admission.explain(data, classes)

    def share_condemned(self, key: bytes) -> CondemnedPictures:
        """Know pictures by hashes under `key`, as other processes do that have it; return those condemned.

        To be called before the first picture comes. A classifier that is `sharing` this one shares these too.
        """
        self._hasher.use(key)
        return self._condemned

    def forget_group(self, group: Hashable) -> None:
        """Forget what a group has used, unless it has images in the queue."""
        self._backend.forget_group(group)

    def check(self) -> None:
        """Raise ModelUnavailable where a new image would be refused, whatever it is."""
        self._backend.check()
        _ = self.info

    async def close(self) -> None:
        """Refuse what is in hand and kill the worker. May be called again."""
        await self._backend.close()

    def _check_classes(self, classes: Sequence[int | bytes]) -> None:
        if not 1 <= len(classes) <= MOST_MAPS:
            raise ValueError(f"1 to {MOST_MAPS} classes can be explained, and not {len(classes)}")
        for each in classes:
            if isinstance(each, int):
                if not 0 <= each < self.info.classes:
                    raise ValueError(f"the model {self.info.name} has no class {each}")
            elif not self.info.features or len(each) != SCALE_BYTES + self.info.features:
                raise ValueError(f"the model {self.info.name} has no features of that length")

    async def _classify(
        self, place: QueuePlace, data: bytes, top: int, on_cost: OnCost | None, features: Features
    ) -> Classification:
        if top < 1:
            raise ValueError(f"top is {top}, and must be at least 1")
        wanted = partial(ImageKey, ranked=max(top, RANKED), features=features)
        verdict = await self._answer(place, data, wanted, on_cost)
        model = self._model_of(verdict)
        return Classification(
            labels=tuple(Label(*label) for label in verdict.labels[:top]),
            coarse=tuple(Coarse(*name) for name in verdict.coarse),
            model=model.name,
            engine=model.engine,
            size=verdict.size,
            views=verdict.views,
            decode_ms=verdict.decode_ms,
            predict_ms=verdict.predict_ms,
            core_seconds=verdict.core_seconds,
            picture_kind=verdict.picture_kind,
            fingerprint=verdict.fingerprint,
            fingerprint_kind=None if verdict.fingerprint is None else model.fingerprints,
            perceptual_hash=verdict.perceptual_hash,
        )

    async def _explain(
        self, place: QueuePlace, data: bytes, classes: Sequence[int | bytes], on_cost: OnCost | None
    ) -> Explanation:
        self._check_classes(classes)
        wanted = partial(ImageKey, ranked=RANKED, explain=tuple(classes))
        heat = (await self._answer(place, data, wanted, on_cost)).heat
        if heat is None:
            raise ModelUnavailable("The worker gave no heat maps.")
        return Explanation(
            size=heat.size,
            pixels=heat.pixels,
            columns=heat.columns,
            rows=heat.rows,
            maps=heat.maps,
            seen=heat.seen,
            method=heat.method,
        )

    async def _reply(
        self, place: QueuePlace, data: bytes, ranked: int, features: Features, explain: Sequence[int | bytes]
    ) -> AnsweredReply:
        if explain:
            self._check_classes(explain)
        wanted = partial(ImageKey, ranked=ranked, features=features, explain=tuple(explain))
        return await self._answer(place, data, wanted, None)

    async def _answer(
        self, place: QueuePlace, data: bytes, wanted: Callable[[bytes], ImageKey], on_cost: OnCost | None
    ) -> AnsweredReply:
        """Count an image in and out, and return what the worker says of it."""
        self._accepted += 1
        try:
            with self._counted(self._refused):
                verdict = await self._in_time(place.until, self._look_up(data, wanted, place.group, on_cost))
        except asyncio.CancelledError:
            self._cancelled += 1
            raise
        self._answered += 1
        return verdict

    async def _look_up(
        self, data: bytes, wanted: Callable[[bytes], ImageKey], group: Hashable, on_cost: OnCost | None
    ) -> AnsweredReply:
        key = wanted(await self._hasher.digest(data))
        verdict = self._known.get(self.info, key)
        if verdict is not None:
            self._recalled += 1
            return verdict.model_copy(update={"core_seconds": 0.0})
        if not self._backend.weighs_images:
            return await self._backend.answer(key, data, group, on_cost)
        expected = await expected_work(data, self._settings.limits, self.info.input_size)
        return await self._backend.answer(key, data, group, on_cost, expected)

    async def _in_time(self, until: float, work: Coroutine[None, None, T]) -> T:
        try:
            async with asyncio.timeout_at(until):
                return await work
        except TimeoutError:
            raise TimedOut(
                f"The image was not answered within {self._settings.queue.timeout:g} seconds (queue.timeout)."
            ) from None

    @contextmanager
    def _counted(self, refusals: Counter[str]) -> Iterator[None]:
        try:
            yield
        except InferenceError as error:
            refusals[error.code] += 1
            raise

    def _model_of(self, verdict: AnsweredReply) -> ModelInfo:
        return verdict.model if isinstance(verdict, NodeReply) else self.info

    def _adopt(self, info: ModelInfo) -> None:
        if self._info and info.note is None and info.content_hash == self._info.content_hash:
            # A replacement is not told what happened at the start.
            info = replace(info, note=self._info.note, caveats=self._info.caveats)
        self._info = info

    def _remember(self, key: ImageKey, outcome: AnsweredReply | InferenceError) -> None:
        if isinstance(outcome, AnsweredReply):
            self._known.keep(self._model_of(outcome), key, outcome)
        elif isinstance(outcome, HarmfulImage):
            self._known.condemn(key, outcome)


def _backend(
    settings: Settings,
    load: str,
    *,
    on_settled: Callable[[ImageKey, AnsweredReply | InferenceError], None],
    on_model: Callable[[ModelInfo], None],
) -> ClassifierBackend:
    if settings.inference.backend == "cluster":
        # Whoever has a worker of their own need not load an HTTP client.
        from inference.serving.cluster_client.cluster_backend import ClusterBackend  # noqa: PLC0415

        return ClusterBackend(settings, on_settled=on_settled, on_model=on_model)
    return MicroBatcher(
        WorkerSupervisor(settings, load),
        WorkerSupervisor(settings, load, room=SUSPECTS_ROOM, nice=min(settings.worker.nice + PATIENCE, 19)),
        WorkerSupervisor(settings, load),
        ImageLanes(crops=settings.worker.batch, pixels=settings.limits.image_pixels, cores=cpus.usable()),
        image_seconds=settings.worker.image_seconds,
        on_settled=on_settled,
        on_model=on_model,
    )


def _features(asked: Features | bool) -> Features:
    if isinstance(asked, bool):
        return "query" if asked else ""
    return asked
