"""A replica: one whole classifier, with its sandboxed worker, behind an object that any server can call.

It knows no server. The plain one (`inference.cluster.plain_server`) gives it bytes and sends what it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pydantic import ValidationError

from config.settings import InferenceSettings, Model, Settings
from inference.frames import LENGTH_BYTES
from inference.results import Busy, InferenceError, ModelInfo, ModelUnavailable, TimedOut
from inference.serving.client import Classifier
from inference.serving.cluster_client.answer_protocol import (
    BAD_QUESTION,
    OTHER_MODEL,
    QUESTION_BYTES,
    WRONG_SECRET,
    NodeAnswer,
    NodeQuestion,
    NodeRefusal,
    NodeState,
    model_hash,
    too_large,
    unpack_question,
)
from inference.serving.cluster_client.cluster_secret import WRONG, SecretCheck

FULL_SECONDS = 1
"""What a full or a stopping replica answers as `Retry-After`."""


class NodeResponse(NamedTuple):
    """An HTTP response: its status, its JSON, and after how many seconds to come back, where that is said."""

    status: int
    body: bytes
    retry_after: int | None = None


class Replica:
    """Answers questions of `inference.serving.cluster_client.answer_protocol` by a classifier of its own.

    It belongs to one event loop. `secret` is what each question has to bring; None lets everybody ask.
    `model` is loaded where it is not `wanted.model`, which the bot asks for all the same.
    `load` is what `Classifier` takes. Whatever `inference.backend` says, the worker is on this machine.
    """

    def __init__(
        self,
        wanted: Settings,
        *,
        secret: str | None,
        model: Model | None = None,
        load: str = "inference.models.loading:load",
    ) -> None:
        local = wanted.model_copy(
            update={"inference": InferenceSettings(backend="local"), "model": model or wanted.model}
        )
        self._classifier = Classifier(local, load=load)
        self._settings = wanted
        self._secret = SecretCheck(secret)
        self._info: ModelInfo | None = None
        self._hash = ""
        self._stopping = False

    @property
    def images(self) -> int:
        """How many images wait or are in work."""
        return self._classifier.load.images

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, None where there is none now."""
        return self._classifier.worker_pid

    @property
    def most_bytes(self) -> int:
        """How many bytes a picture may have."""
        return self._settings.limits.image_bytes

    @property
    def most_body_bytes(self) -> int:
        """How many bytes a whole question may have."""
        return self.most_bytes + QUESTION_BYTES + LENGTH_BYTES

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        """Load the model and return it; until then every question is refused with 503.

        Raises ModelUnavailable, and then no process is left. `report` is told what `Classifier.start` tells.
        """
        info = await self._classifier.start(report)
        self._hash, self._info = model_hash(info), info
        return info

    def stop(self) -> None:
        """Refuse new questions from now on; what is in hand is still answered."""
        self._stopping = True

    async def close(self) -> None:
        """Refuse what is in hand and kill the worker."""
        self._stopping = True
        await self._classifier.close()

    def turns_away(self, authorization: str | None) -> NodeResponse | None:
        """Return the refusal of whoever brings this header `Authorization`, None where there is none.

        A server asks this before it reads a picture.
        """
        if not self._secret.trusts(authorization):
            return _wrong_secret()
        fault = self._fault()
        if fault is not None:
            return _refused(NodeRefusal(code=ModelUnavailable.code, message=fault))
        return None

    async def answer(self, body: bytes, authorization: str | None) -> NodeResponse:
        """Answer a question with a picture. Cancelling it takes the picture out of the queue."""
        if (turned_away := self.turns_away(authorization)) is not None:
            return turned_away
        try:
            question, picture = _unpacked(body)
            if (other := self._other_model(question.model)) is not None:
                return other
            return await self._look(question, picture)
        except InferenceError as error:
            return refused(error)
        except ValueError as error:
            return _refused(NodeRefusal(code=BAD_QUESTION, message=str(error)[:2000]))

    def state(self, authorization: str | None, model: str | None = None) -> NodeResponse:
        """Say to whoever brings the secret how this replica is. Where another `model` is asked for than it
        has, it refuses as it does a question."""
        if not self._secret.trusts(authorization):
            return _wrong_secret()
        if (other := self._other_model(model)) is not None:
            return other
        load, stats = self._classifier.load, self._classifier.stats
        state = NodeState(
            model=self._info,
            fault=self._fault(),
            images=load.images,
            places=self._settings.queue.images,
            image_bytes=self.most_bytes,
            breaker_open=load.breaker_open,
            restarts=stats.restarts,
            condemned=stats.condemned,
        )
        return NodeResponse(200, state.model_dump_json().encode())

    def health(self) -> NodeResponse:
        """Say to anybody whether this replica can answer now: 200 or 503."""
        return NodeResponse(503 if self._fault() else 200, b"{}")

    @property
    def _name(self) -> str:
        return self._info.name if self._info else self._settings.model.name

    def _other_model(self, asked: str | None) -> NodeResponse | None:
        """Return the refusal where another model is asked for than there is, by its own or its set name."""
        if asked is None or asked in (self._name, self._settings.model.name):
            return None
        message = f"It has the model {self._name}, and not {asked[:500]}."
        return _refused(NodeRefusal(code=OTHER_MODEL, message=message))

    def _fault(self) -> str | None:
        """Return why nothing can be answered now."""
        if self._stopping:
            return "The node is stopping."
        if self._info is None:
            return "The node is loading its model."
        try:
            self._classifier.check()
        except ModelUnavailable as error:
            return str(error)
        return None

    async def _look(self, question: NodeQuestion, picture: bytes) -> NodeResponse:
        if len(picture) > self.most_bytes:
            raise too_large(len(picture), self.most_bytes)
        try:
            async with (
                asyncio.timeout(question.seconds),
                self._classifier.admit(len(picture), group=question.group) as admission,
            ):
                reply = await admission.reply(
                    picture, ranked=question.ranked, features=question.features, explain=question.explain
                )
        except TimeoutError:
            raise TimedOut(f"The image was not answered within {question.seconds:.3g} seconds.") from None
        answer = NodeAnswer(
            model_hash=self._hash,
            model=None if self._hash in question.known else self._info,
            reply=reply.model_copy(update={"id": 0}),
        )
        return NodeResponse(200, answer.model_dump_json().encode())


def _wrong_secret() -> NodeResponse:
    return _refused(NodeRefusal(code=WRONG_SECRET, message=WRONG))


def _unpacked(body: bytes) -> tuple[NodeQuestion, bytes]:
    """Do `unpack_question`, but name only the fields that are wrong: what stands in them is a stranger's."""
    try:
        return unpack_question(body)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) or each["type"] for each in error.errors())
        raise ValueError(
            f"The question cannot be understood: {wrong[:500]}. Is the bot of another version?"
        ) from None


def refused(error: InferenceError) -> NodeResponse:
    """Return the response to a picture that is not answered."""
    return _refused(NodeRefusal.of(error))


def _refused(refusal: NodeRefusal) -> NodeResponse:
    later = refusal.code in (Busy.code, ModelUnavailable.code)
    return NodeResponse(refusal.status, refusal.model_dump_json().encode(), FULL_SECONDS if later else None)
