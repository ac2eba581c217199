"""What tests of the bot stand on: the real bot and discord.py in a simulated Discord, with a scripted model.

Two things are not the real ones: the classifier says what a test wrote for a picture's bytes, and pictures
are fetched from the simulated Discord's own store. A folder's `conftest.py` imports the fixtures it wants.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import discord
import numpy as np
import pytest
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from bot.client import Whatsit
from bot.composition import compose
from bot.connection import intents as gateway_intents
from bot.download.downloader import Gone
from bot.store import Store
from bot.tracing.observer import Observer, Stage, Way
from config.settings import Settings
from inference.knowledge.client import Knowledge
from inference.knowledge.results import TaughtAnswer, TeachingReport
from inference.models.fingerprint import pack
from inference.results import Classification, Coarse, Explanation, Features, Label, ModelInfo, ServingLoad
from inference.serving.client import Classifier
from tests.payloads.schema import Schema, missing
from tests.stores import Stores

MODEL = "mobilenet_v2"


EVERYDAY = {
    "Egyptian cat": "cat",
    "tabby": "cat",
    "tiger cat": "cat",
    "otterhound": "dog",
    "Blenheim spaniel": "dog",
    "corn": "corn",
    "ear of corn": "corn",
}
NAMES: dict[str, int] = {}
"""The classes of the scripted model, by label: each that a test has made up so far."""


def classified(
    *pairs: tuple[str, float],
    model: str = MODEL,
    size: tuple[int, int] = (640, 480),
    coarse: Mapping[str, float | tuple[float, int]] | None = None,
) -> Classification:
    """A classification with these labels and probabilities, best first; with `coarse` also everyday names.

    An everyday name has a probability, or that and the number of its classes.
    """
    labels = tuple(
        Label(name, NAMES.setdefault(name, len(NAMES)), probability, EVERYDAY.get(name) if coarse else None)
        for name, probability in pairs
    )
    return Classification(
        labels=labels,
        model=model,
        engine="openvino",
        size=size,
        views=1,
        decode_ms=1.0,
        predict_ms=2.0,
        coarse=tuple(
            Coarse(name, *(value if isinstance(value, tuple) else (value,)))
            for name, value in (coarse or {}).items()
        ),
    )


CAT = classified(
    ("Egyptian cat", 0.71),
    ("tabby", 0.16),
    ("tiger cat", 0.08),
    ("lynx", 0.02),
    ("mouse", 0.01),
    ("plate", 0.004),
)


@dataclass
class FakeClassifier:
    """Classifies by script: `says[data]` is what it answers for these bytes, a classification or an error.

    `meanwhile` is awaited while an image is in work, for what happens in the middle.
    """

    says: dict[bytes, Classification | Exception] = field(default_factory=dict)
    otherwise: Classification | Exception = CAT
    meanwhile: Callable[[bytes], Awaitable[None]] | None = None
    admitted: list[tuple[int, Hashable]] = field(default_factory=list)
    asked: list[tuple[bytes, int]] = field(default_factory=list)
    explained: list[tuple[bytes, list[int | bytes]]] = field(default_factory=list)
    refuses: Exception | None = None
    another: Callable[[Settings], Classifier] | None = None
    inside: int = 0
    most_inside: int = 0
    features: int = 0
    """How many numbers a fingerprint has. Where `says` gives none, it comes from the picture's bytes."""
    featured: list[bytes] = field(default_factory=list)
    """The pictures whose features were asked for."""
    wanted: list[Features | bool] = field(default_factory=list)
    """Which fingerprint was asked for, of each picture."""
    plain: bool = False
    """The fingerprint of a picture is its bytes."""

    @property
    def info(self) -> ModelInfo:
        everyday = tuple(map(EVERYDAY.get, NAMES))
        return ModelInfo(
            MODEL,
            "openvino",
            224,
            len(NAMES),
            None,
            "0" * 64,
            1,
            tuple(NAMES),
            everyday,
            features=self.features,
        )

    def fingerprint(self, data: bytes) -> bytes:
        """What the worker would make of a picture; of other bytes it looks quite different."""
        if self.plain:
            return data
        return pack(np.random.default_rng(list(data)).standard_normal(self.features, np.float32))

    @property
    def load(self) -> ServingLoad:
        return ServingLoad(images=self.inside, bytes=0, breaker_open=False, worker_bytes=0)

    async def start(self, report: Callable[[str, float | None], None] | None = None) -> ModelInfo:
        if report is not None:
            report("ready", None)
        return self.info

    @asynccontextmanager
    async def admit(self, size: int, *, group: Hashable = None) -> AsyncIterator[FakeAdmission]:
        if self.refuses is not None:
            raise self.refuses
        self.admitted.append((size, group))
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        try:
            yield FakeAdmission(self)
        finally:
            self.inside -= 1

    def make_another(self, settings: Settings) -> Classifier:
        """A classifier for a model that a server chose, as the test has it."""
        assert self.another is not None
        return self.another(settings)

    def forget_group(self, group: Hashable) -> None:
        """Nothing is remembered of anybody."""

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class FakeAdmission:
    classifier: FakeClassifier

    async def classify(
        self,
        data: bytes,
        *,
        top: int = 5,
        on_cost: Callable[[float], None],
        features: Features | bool = False,
    ) -> Classification:
        self.classifier.asked.append((data, top))
        self.classifier.wanted.append(features)
        if self.classifier.meanwhile is not None:
            await self.classifier.meanwhile(data)
        answer = self.classifier.says.get(data, self.classifier.otherwise)
        on_cost(getattr(answer, "core_seconds", 0.0))
        if isinstance(answer, Exception):
            raise answer
        answer = replace(answer, labels=answer.labels[:top])
        if not (features and self.classifier.features):
            return replace(answer, fingerprint=None, perceptual_hash=None)
        self.classifier.featured.append(data)
        return replace(
            answer,
            fingerprint=answer.fingerprint or self.classifier.fingerprint(data),
            fingerprint_kind=self.classifier.info.fingerprints,
            perceptual_hash=answer.perceptual_hash if features == "indexed" else None,
        )

    async def explain(
        self, data: bytes, classes: Sequence[int | bytes], *, on_cost: Callable[[float], None]
    ) -> Explanation:
        """A grey picture of two pixels, whose left half speaks for every class."""
        self.classifier.explained.append((data, list(classes)))
        on_cost(0.0)
        maps = (bytes((255, 0)),) * len(classes)
        return Explanation((2, 1), bytes(6), 2, 1, maps, bytes((1, 1)), "activation")


@dataclass
class FakeKnowledge:
    """Knows a picture again that it was taught, byte by byte; `says` comes before that, `fails` before all.

    The fingerprint of a picture is its bytes, to the scripted classifier.
    """

    store: Store | None = None
    says: dict[bytes, TaughtAnswer | None] = field(default_factory=dict)
    fails: Exception | None = None
    few: bool = False
    forgotten: list[int] = field(default_factory=list)
    reports: dict[int, TeachingReport] = field(default_factory=dict)

    async def name(self, server: int, kind: str, fingerprint: bytes) -> TaughtAnswer | None:
        if self.fails is not None:
            raise self.fails
        if fingerprint in self.says:
            return self.says[fingerprint]
        assert self.store is not None
        rows = [row for row in await self.store.teaching.examples(server, kind) if row.label is not None]
        labels = {row.fingerprint: row.label for row in rows}
        if not rows or (label := labels.get(fingerprint, rows[0].label)) is None:
            return None
        return TaughtAnswer(label, 0.9, 0.3, fingerprint in labels, self.few)

    async def direction(self, server: int, kind: str, label: int, fingerprint: bytes) -> bytes | None:
        if self.fails is not None:
            raise self.fails
        return b"what speaks for " + str(label).encode()

    async def test(self, server: int, kind: str) -> TeachingReport | None:
        if self.fails is not None:
            raise self.fails
        return self.reports.get(server)

    async def prepare(self, server: int, kind: str) -> None:
        if self.fails is not None:
            raise self.fails

    def forget(self, server: int) -> None:
        self.forgotten.append(server)

    def forget_all(self) -> None:
        """What it knows it reads anew for each picture."""

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class StoreFetcher:
    """Reads pictures from the simulated Discord. `fails[filename]` is raised instead of an answer."""

    env: Env | None = None
    fails: dict[str, Exception] = field(default_factory=dict)
    fetched: list[tuple[str, int | None, tuple[int, int] | None]] = field(default_factory=list)

    async def fetch(
        self,
        url: str,
        *,
        size: int | None = None,
        dimensions: tuple[int, int] | None = None,
        document: bool = False,
    ) -> bytes:
        filename = url.rpartition("/")[2]
        if filename in self.fails:
            raise self.fails[filename]
        self.fetched.append((filename, size, dimensions))
        data = self.env.backend.cdn.get(url) if self.env else None
        if data is None:
            raise Gone(url)
        return data

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class RecordingObserver(Observer):
    """Remembers what it is told."""

    requests: list[Way] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    images: list[tuple[Way, str]] = field(default_factory=list)
    """The way in and the outcome of each image."""
    answers: list[tuple[Way, float]] = field(default_factory=list)

    def requested(self, way: Way) -> None:
        self.requests.append(way)

    def took(self, stage: Stage, seconds: float) -> None:
        self.stages.append(stage)

    def ended(self, way: Way, outcome: str, images: int) -> None:
        self.images += [(way, outcome)] * images

    def answered(self, way: Way, seconds: float) -> None:
        self.answers.append((way, seconds))


@dataclass
class World:
    """One server with a channel and a member in it, the bot among them, and a picture store."""

    env: Env
    classifier: FakeClassifier
    fetcher: StoreFetcher
    stores: Stores
    observer: RecordingObserver
    scripted: FakeKnowledge | None
    guild: GuildHandle
    channel: ChannelHandle
    alice: MemberActor

    @property
    def knowledge(self) -> FakeKnowledge:
        assert self.scripted is not None, "override the fixture `knowledge`"
        return self.scripted

    @property
    def bot(self) -> Whatsit:
        return cast("Whatsit", self.env.bot)

    @property
    def me(self) -> discord.ClientUser:
        assert self.bot.user is not None
        return self.bot.user

    def answers(self, channel: ChannelHandle | None = None) -> list[discord.Message]:
        """What the bot has posted in a channel, oldest first."""
        return [m for m in (channel or self.channel).history() if m.author.id == self.me.id]

    def only_answer(self, channel: ChannelHandle | None = None) -> discord.Message:
        (answer,) = self.answers(channel)
        return answer

    def requests(self, method: str, path: str) -> list[Any]:
        """The bodies of the bot's requests to paths that end in `path`."""
        return [r.json for r in self.env.http_requests if r.method == method and r.path.endswith(path)]

    def closed_to(self, **denied: bool | None) -> ChannelHandle:
        """A channel in which the bot may not do what is denied here."""
        overwrites = {self.me: discord.PermissionOverwrite(**denied)}
        return self.guild.create_text_channel("closed", overwrites=cast("Any", overwrites))

    async def post(
        self,
        channel: ChannelHandle | None = None,
        *,
        content: str = "",
        author: int | None = None,
        application_id: int | None = None,
        **fields: Any,
    ) -> discord.Message:
        """Post a message of any shape, also one that simcord's members cannot."""
        place, backend = channel or self.channel, self.env.backend
        stored = backend.create_message(
            place.id, author or self.alice.id, content, broadcast=application_id is None, **fields
        )
        if application_id is not None:  # which simcord's messages do not carry
            payload = {**serializers.message_payload(backend, stored), "application_id": str(application_id)}
            backend.emit("MESSAGE_CREATE", payload)
        await self.env.settle()
        return next(message for message in place.history() if message.id == stored.id)

    def stored(self, *files: tuple[str, bytes], channel: ChannelHandle | None = None) -> list[dict[str, Any]]:
        """Upload files; what comes back can be changed and posted with `post(attachments=...)`."""
        return self.env.backend.store_attachments((channel or self.channel).id, files)

    def thread(self, channel: ChannelHandle, name: str = "aside") -> ChannelHandle:
        """A thread in a channel, or a post in a forum, that Alice opens."""
        made = self.env.backend.create_thread(channel.id, name, self.alice.id)
        return ChannelHandle(self.env, self.guild, made)

    def payload(self, message: discord.Message) -> dict[str, Any]:
        """The message as the gateway sends it."""
        stored = self.env.backend.get_message(message.channel.id, message.id)
        return dict(serializers.message_payload(self.env.backend, stored))

    async def restart(self, *, message_content: bool = True, **sections: Any) -> None:
        """The owner changes the settings and starts the bot anew."""
        settings = Settings.model_validate(sections)
        before = self.bot.store
        store = await self.stores.open(settings)
        bot = _bot(
            settings,
            self.classifier,
            self.fetcher,
            store,
            observer=self.observer,
            knowledge=self.scripted,
            message_content=message_content,
        )
        await self.env.restart_bot(bot)
        await self.stores.close(before)


def picture(name: str = "cat.png", data: bytes = b"cat") -> tuple[str, bytes]:
    """An upload for `alice.send(attachments=[...])`."""
    return name, data


def _bot(
    settings: Settings,
    classifier: FakeClassifier,
    fetcher: StoreFetcher,
    store: Store,
    *,
    observer: Observer,
    knowledge: FakeKnowledge | None,
    message_content: bool,
) -> Whatsit:
    if knowledge is not None:
        knowledge.store = store
    intents = gateway_intents.wanted(message_content=message_content)
    return compose(
        settings,
        cast("Classifier", classifier),
        fetcher,
        store,
        intents=intents,
        another_model=partial(_another, classifier),
        observer=observer,
        knowledge=cast("Knowledge | None", knowledge),
    )


def _another(classifier: FakeClassifier, settings: Settings) -> Classifier:
    return classifier.make_another(settings)


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier()


@pytest.fixture
def fetcher() -> StoreFetcher:
    return StoreFetcher()


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest.fixture
def knowledge() -> FakeKnowledge | None:
    """The real one; a module of tests that scripts it has a fixture of its own."""
    return None


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    """The test's own store, which is there again after a restart."""
    stores = Stores(tmp_path / "data")
    yield stores
    await stores.close(*stores.opened)


@pytest.fixture
async def simcord_bot(  # noqa: PLR0917 - pytest passes fixtures by name
    request: pytest.FixtureRequest,
    classifier: FakeClassifier,
    fetcher: StoreFetcher,
    stores: Stores,
    observer: RecordingObserver,
    knowledge: FakeKnowledge | None,
) -> Whatsit:
    """What simcord's own fixture, `simcord_env`, runs."""
    marker = request.node.get_closest_marker("whatsit")
    sections = dict(marker.kwargs) if marker else {}
    message_content = sections.pop("message_content", True)
    settings = Settings.model_validate(sections)
    store = await stores.open(settings)
    return _bot(
        settings,
        classifier,
        fetcher,
        store,
        observer=observer,
        knowledge=knowledge,
        message_content=message_content,
    )


@pytest.fixture(scope="session")
def discord_schema() -> Iterator[Schema | None]:
    """What knows which bodies Discord takes; None where that is not installed: see `tests/payloads`."""
    if missing() is not None:
        yield None
        return
    schema = Schema()
    yield schema
    schema.close()


@pytest.fixture
async def world(  # noqa: PLR0917 - pytest passes fixtures by name
    request: pytest.FixtureRequest,
    simcord_env: Env,
    discord_schema: Schema | None,
    classifier: FakeClassifier,
    fetcher: StoreFetcher,
    stores: Stores,
    observer: RecordingObserver,
    knowledge: FakeKnowledge | None,
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[World]:
    """A running bot in a server.

    The test fails if the bot logged an error nobody asked for, or sent what Discord would refuse.
    """
    caplog.set_level(logging.INFO, logger="bot")
    fetcher.env = simcord_env
    guild = simcord_env.create_guild("Cat lovers")
    channel = guild.create_text_channel("pictures")
    alice = guild.add_member(simcord_env.create_user("alice"))
    await simcord_env.settle()
    await cast("Whatsit", simcord_env.bot).store.notes.take_greeting(guild.id)  # it has been here for long
    yield World(simcord_env, classifier, fetcher, stores, observer, knowledge, guild, channel, alice)
    for close in cast("Whatsit", simcord_env.bot).close_too:  # what simcord ends without
        await close()
    if request.node.get_closest_marker("logs_errors") is None:
        errors = [r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.ERROR]
        assert errors == []
    if discord_schema is not None:
        assert discord_schema.problems(simcord_env.http_requests) == []
