"""A replica, asked without any server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from config.settings import Settings
from inference.cluster.replica import NodeResponse, Replica
from inference.frames import frame
from inference.results import ModelUnavailable
from inference.serving.cluster_client.answer_protocol import NodeAnswer, NodeQuestion, NodeState, model_hash
from tests.inference.fakes import Deed, deed, picture, until

SECRET = "a-secret-of-the-tests"  # noqa: S105 - of the tests
RIGHT = f"Bearer {SECRET}"


@asynccontextmanager
async def replica(load: str = "load", *, start: bool = True, **settings: Any) -> AsyncIterator[Replica]:
    one = Replica(Settings.model_validate(settings), secret=SECRET, load=f"tests.inference.fakes:{load}")
    try:
        if start:
            await one.start()
        yield one
    finally:
        await one.close()


def asked(data: bytes, **question: Any) -> bytes:
    return frame(NodeQuestion.model_validate({"ranked": 10, "seconds": 30} | question)) + data


def refusal(response: NodeResponse) -> tuple[int, str]:
    return response.status, json.loads(response.body)["code"]


async def test_it_answers_with_labels_and_its_model_once() -> None:
    async with replica() as one:
        response = await one.answer(asked(picture(7)), RIGHT)
        assert response.status == 200
        answer = NodeAnswer.model_validate_json(response.body)
        assert answer.reply.labels[0][:2] == ("shade 7", 7)
        assert answer.model is not None
        assert answer.model_hash == model_hash(answer.model)
        known = await one.answer(asked(picture(8), known=[answer.model_hash]), RIGHT)
        again = NodeAnswer.model_validate_json(known.body)
        assert again.model is None
        assert again.model_hash == answer.model_hash
        assert len(known.body) < len(response.body) / 4


async def test_a_picture_that_is_refused_is_so_with_its_code_and_a_harmful_one_is_not_tried_again() -> None:
    async with replica() as one:
        assert refusal(await one.answer(asked(b"nothing"), RIGHT)) == (422, "not_an_image")
        for _ in range(3):
            assert refusal(await one.answer(asked(deed(Deed.CRASH)), RIGHT)) == (422, "harmful_image")
        state = NodeState.model_validate_json(one.state(RIGHT).body)
        assert (state.restarts, state.condemned) == (2, 1)
        assert state.fault is None


@pytest.mark.parametrize(
    "given", [None, "", SECRET, "Bearer wrong", RIGHT + "x", "Bearer \udcff", "Bearer ö"]
)
async def test_without_the_secret_nothing_is_answered_and_nothing_told(given: str | None) -> None:
    async with replica(start=False) as one:
        for response in (await one.answer(asked(picture(1)), given), one.state(given)):
            assert refusal(response) == (401, "wrong_secret")
            assert SECRET.encode() not in response.body
        assert one.health().body == b"{}"


async def test_before_its_model_is_loaded_and_after_it_was_stopped_it_says_so() -> None:
    async with replica(start=False) as one:
        assert refusal(await one.answer(asked(picture(1)), RIGHT)) == (503, "model_unavailable")
        assert one.health().status == 503
        assert NodeState.model_validate_json(one.state(RIGHT).body).fault == "The node is loading its model."
        await one.start()
        assert one.health().status == 200
        work = asyncio.create_task(one.answer(asked(deed(Deed.SLOW)), RIGHT))
        await until(lambda: one.images)
        one.stop()
        response = await one.answer(asked(picture(1)), RIGHT)
        assert refusal(response) == (503, "model_unavailable")
        assert response.retry_after
        assert one.health().status == 503
        assert (await work).status == 200, "what was in hand is still answered"


async def test_full_is_429_with_a_time_to_come_back() -> None:
    async with replica(queue={"images": 1}) as one:
        work = asyncio.create_task(one.answer(asked(deed(Deed.SLOW)), RIGHT))
        await until(lambda: one.images)
        response = await one.answer(asked(picture(1)), RIGHT)
        assert refusal(response) == (429, "busy")
        assert response.retry_after
        assert (await work).status == 200


async def test_a_question_has_its_own_deadline() -> None:
    async with replica() as one:
        response = await one.answer(asked(deed(Deed.HANG), seconds=0.2), RIGHT)
        assert refusal(response) == (422, "timed_out")


async def test_cancelling_takes_the_picture_out_of_the_queue() -> None:
    async with replica() as one:
        work = asyncio.create_task(one.answer(asked(deed(Deed.SLOW)), RIGHT))
        await until(lambda: one.images)
        work.cancel()
        await asyncio.wait([work])
        assert not one.images


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "does not begin with a question"),
        (b"\0\0\0\2{}", "ranked, seconds"),
        (b"\xff\xff\xff\xff", "at most"),
        (asked(b"", explain=[256]), "no class 256"),
        (asked(b"", explain=[b"1234"]), "no features of that length"),
    ],
)
async def test_a_bad_question_is_named(body: bytes, says: str) -> None:
    async with replica() as one:
        response = await one.answer(body, RIGHT)
        assert refusal(response) == (400, "bad_question")
        assert says in json.loads(response.body)["message"]


async def test_another_model_is_refused_and_its_own_has_two_names() -> None:
    async with replica("load_by_name", model={"name": "auto"}) as one:
        for name in ("chosen", "auto", None):
            assert (await one.answer(asked(picture(1), model=name), RIGHT)).status == 200
            assert one.state(RIGHT, name).status == 200
        assert refusal(await one.answer(asked(picture(1), model="mobilenet_v2"), RIGHT)) == (
            404,
            "other_model",
        )
        assert refusal(one.state(RIGHT, "mobilenet_v2")) == (404, "other_model")


async def test_more_bytes_than_a_picture_may_have_are_refused() -> None:
    async with replica(limits={"image_bytes": 100}) as one:
        assert refusal(await one.answer(asked(b"x" * 101), RIGHT)) == (422, "image_too_large")


async def test_a_model_that_cannot_be_loaded_is_an_error_that_says_why(tmp_path: Any) -> None:
    told = tmp_path / "told"
    told.write_text("refuse")
    async with replica("load_if_told", start=False, model={"name": str(told)}) as one:
        with pytest.raises(ModelUnavailable, match="put it back"):
            await one.start()
        assert one.worker_pid is None


async def test_it_has_a_worker_of_its_own_though_the_settings_are_those_of_a_bot_with_a_cluster() -> None:
    cluster = {"urls": ["http://127.0.0.1:1"]}
    async with replica(inference={"backend": "cluster"}, cluster=cluster) as one:
        assert (await one.answer(asked(picture(1)), RIGHT)).status == 200
        assert one.worker_pid
