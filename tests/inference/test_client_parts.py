"""The smaller parts of the classifier: the byte budget, the breaker, what is known, and what is said."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from config import settings
from inference.results import HarmfulImage, ModelUnavailable
from inference.serving.breaker import CircuitBreaker
from inference.serving.budget import QueueBudget
from inference.serving.image_hash import ImageHasher
from inference.serving.protocol import (
    AnsweredReply,
    BatchRequest,
    LookRequest,
    frame,
    parse_greeting,
    parse_replies,
    read_batch,
)
from inference.serving.verdict_cache import ImageKey, VerdictCache


class BreakerClock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("inference.serving.breaker.time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> BreakerClock:
    return BreakerClock(monkeypatch)


async def test_bytes_are_given_out_in_the_order_they_were_asked_for() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    order: list[str] = []

    async def wait(name: str, size: int) -> None:
        await budget.reserve(size)
        order.append(name)

    tasks = [asyncio.create_task(wait(*one)) for one in (("large", 9), ("small", 1))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == []  # the small one would fit, but must not starve the large one
    budget.free(8)
    await asyncio.gather(*tasks)
    assert order == ["large", "small"]
    assert budget.bytes == 10


async def test_who_gives_up_waiting_for_bytes_lets_the_next_one_in() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    large, small = (asyncio.create_task(budget.reserve(size)) for size in (9, 1))
    await asyncio.sleep(0)
    large.cancel()
    await small
    with pytest.raises(asyncio.CancelledError):
        await large
    assert budget.bytes == 9


async def test_cancelling_in_the_moment_of_getting_bytes_gives_them_back() -> None:
    budget = QueueBudget(settings.Queue(bytes=10))
    await budget.reserve(8)
    waiting = asyncio.create_task(budget.reserve(5))
    await asyncio.sleep(0)
    budget.free(8)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert budget.bytes == 0


def test_the_breaker_opens_at_the_third_unexplained_crash_in_a_minute(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    assert not breaker.crashed()
    clock.now += 61
    assert not breaker.crashed()
    assert not breaker.crashed()
    breaker.check(working=True)
    assert breaker.crashed()


def test_crashes_that_a_picture_explains_do_not_count(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    assert not breaker.crashed()
    assert not breaker.crashed()
    breaker.explained(1)
    assert not breaker.crashed()
    breaker.explained(5)
    assert not breaker.crashed()
    assert not breaker.crashed()


def test_the_pause_doubles_until_a_trial_succeeds(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    for pause in (5, 10, 20):
        breaker.open("Broken.")
        with pytest.raises(ModelUnavailable, match=f"Broken. The next try is in {pause} seconds"):
            breaker.check(working=False)
        clock.now += pause
        breaker.check(working=False)
        with pytest.raises(ModelUnavailable, match="tried again right now"):
            breaker.check(working=True)
    breaker.succeeded()
    breaker.check(working=True)
    breaker.open("Broken.")
    with pytest.raises(ModelUnavailable, match="in 5 seconds"):
        breaker.check(working=False)


def test_the_pause_does_not_grow_for_ever(clock: BreakerClock) -> None:
    breaker = CircuitBreaker()
    for _ in range(20):
        breaker.open("Broken.")
    with pytest.raises(ModelUnavailable, match="in 300 seconds"):
        breaker.check(working=False)


def verdict(number: int = 0) -> AnsweredReply:
    return AnsweredReply(id=number, labels=(), size=(1, 1), views=1, decode_ms=0, predict_ms=0)


def test_a_verdict_belongs_to_bytes_labels_and_model() -> None:
    memory = VerdictCache(10)
    memory.keep("model", ImageKey(b"a", 10), verdict(1))
    assert memory.get("model", ImageKey(b"a", 10)) == verdict(1)
    assert memory.get("model", ImageKey(b"a", 20)) is None
    assert memory.get("model", ImageKey(b"b", 10)) is None
    assert memory.get("another model", ImageKey(b"a", 10)) is None


def test_the_verdict_that_was_not_asked_for_the_longest_time_goes() -> None:
    memory = VerdictCache(2)
    for name in (b"a", b"b"):
        memory.keep("model", ImageKey(name, 10), verdict())
    assert memory.get("model", ImageKey(b"a", 10)) == verdict()
    memory.keep("model", ImageKey(b"c", 10), verdict())
    assert memory.get("model", ImageKey(b"b", 10)) is None
    assert memory.get("model", ImageKey(b"a", 10)) == verdict()


def test_nothing_is_remembered_where_the_owner_wants_no_verdicts() -> None:
    memory = VerdictCache(0)
    memory.keep("model", ImageKey(b"a", 10), verdict())
    assert memory.get("model", ImageKey(b"a", 10)) is None


def test_a_harmful_picture_is_refused_whatever_is_asked_of_it() -> None:
    memory = VerdictCache(10)
    memory.condemn(ImageKey(b"a", 10), HarmfulImage("no"))
    with pytest.raises(HarmfulImage, match="no"):
        memory.get("another model", ImageKey(b"a", 99))


async def test_small_and_large_pictures_and_crowds_have_the_same_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_threads: list[bytes] = []
    sha256 = hashlib.sha256
    small = sha256(b"small").digest()

    def counted(data: bytes) -> object:
        if threading.current_thread() is not threading.main_thread():
            on_threads.append(data)
        return sha256(data)

    monkeypatch.setattr(hashlib, "sha256", counted)
    hasher = ImageHasher()
    assert await hasher.digest(b"small") == small
    assert on_threads == []
    crowd = [bytes([n]) * 100_000 for n in range(50)] + [bytes(3_000_000)]
    assert await asyncio.gather(*(hasher.digest(one) for one in crowd)) == [
        sha256(one).digest() for one in crowd
    ]
    assert len(on_threads) == 49  # two of them fitted into that turn of the loop
    await asyncio.sleep(0)
    assert await hasher.digest(b"small") == small
    assert len(on_threads) == 49


def test_a_batch_arrives_as_it_was_sent() -> None:
    batch = BatchRequest(
        looks=(LookRequest(id=1, ranked=10, size=3), LookRequest(id=2, ranked=5, second=True)), forget=(7,)
    )
    sent, pictures = read_batch(io.BytesIO(frame(batch) + b"abc"))
    assert (sent, pictures) == (batch, [b"abc"])
    with pytest.raises(EOFError):
        read_batch(io.BytesIO(frame(batch) + b"ab"))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense",
        b"[1]",
        b'[{"kind": "answered", "id": 1}]',
        b'[{"kind": "refused", "id": 1, "code": "busy", "message": "not for a decoder to say"}]',
        b'[{"kind": "unsure", "id": 1, "crops": 0}]',
    ],
)
def test_a_worker_that_was_taken_over_can_only_be_misunderstood(said: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_replies(said)
    with pytest.raises(ValidationError):
        parse_greeting(said)
