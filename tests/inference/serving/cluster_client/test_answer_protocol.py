"""What bot and node can say to each other: what was said arrives, and what else comes is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inference.frames import frame
from inference.results import (
    Busy,
    HarmfulImage,
    ImageTooLarge,
    InferenceError,
    ModelUnavailable,
    TimedOut,
)
from inference.serving.cluster_client.answer_protocol import (
    QUESTION_BYTES,
    TYPED_ERRORS,
    NodeAnswer,
    NodeQuestion,
    NodeRefusal,
    NodeState,
    unpack_question,
)
from inference.serving.protocol import MOST_MAPS
from tests.inference.serving.cluster_client.stub_nodes import INFO, StubNode, honest

questions = st.builds(
    NodeQuestion,
    ranked=st.integers(1, 100),
    seconds=st.floats(0.01, 3600),
    features=st.sampled_from(["", "query", "example"]),
    explain=st.lists(st.integers(0, 1000) | st.binary(max_size=1300), max_size=MOST_MAPS).map(tuple),
    group=st.text(st.characters(codec="utf-8"), max_size=64),
    model=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=100),
    known=st.lists(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=8).map(tuple),
)


@given(questions, st.binary())
def test_a_question_and_its_picture_arrive_as_they_were_sent(question: NodeQuestion, picture: bytes) -> None:
    assert unpack_question(frame(question) + picture) == (question, picture)


@given(st.binary())
def test_bytes_that_are_no_question_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_question(body)


@given(questions, st.data())
def test_a_question_that_is_cut_short_or_changed_is_refused_or_another_question(
    question: NodeQuestion, data: st.DataObject
) -> None:
    body = bytearray(frame(question))
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body) - 1)) :]
    else:
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found, _ = unpack_question(bytes(body))
    except ValueError:
        return
    assert NodeQuestion.model_validate(found.model_dump()) == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=8), each, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # which a busy machine is
@given(
    st.dictionaries(st.sampled_from(["kind", "reply", "model", "model_hash", "version", "code"]), json_values)
)
def test_no_object_but_a_whole_answer_is_one(wild: dict[str, Any]) -> None:
    said = json.dumps(wild)
    for message in (NodeAnswer, NodeState):
        with pytest.raises(ValidationError):
            message.model_validate_json(said)


def test_an_announced_question_that_is_too_long_is_refused_before_it_is_read() -> None:
    body = (QUESTION_BYTES + 1).to_bytes(4, "big") + b" " * (QUESTION_BYTES + 1)
    with pytest.raises(ValueError, match="at most"):
        unpack_question(body)


@pytest.mark.parametrize(
    "change",
    [
        {"ranked": 0},
        {"seconds": -1},
        {"seconds": float("nan")},
        {"features": "all"},
        {"explain": list(range(MOST_MAPS + 1))},
        {"explain": [-1]},
        {"known": ["0" * 63]},
        {"known": ["0" * 64] * 9},
        {"model": ""},
        {"group": "x" * 65},
        {"version": 2},
        {"surprise": 1},
    ],
)
def test_a_question_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NodeQuestion.model_validate({"ranked": 10, "seconds": 1.0} | change)


@given(
    st.sampled_from(sorted(TYPED_ERRORS)),
    st.text(st.characters(codec="utf-8"), max_size=3000),
    st.floats(0, 1e6),
)
def test_an_error_arrives_with_its_type_its_words_and_its_cost(
    code: str, words: str, core_seconds: float
) -> None:
    sent = TYPED_ERRORS[code](words, core_seconds=core_seconds)
    came = NodeRefusal.model_validate_json(NodeRefusal.of(sent).model_dump_json()).error()
    assert type(came) is type(sent)
    assert came is not None
    assert str(came) == words[:2000]
    assert came.core_seconds == min(core_seconds, 3600)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("x"), 429),
        (ModelUnavailable("x"), 503),
        (HarmfulImage("x"), 422),
        (TimedOut("x"), 422),
        (ImageTooLarge("x"), 422),
    ],
)
def test_what_may_go_better_elsewhere_has_a_status_of_its_own(error: InferenceError, status: int) -> None:
    assert NodeRefusal.of(error).status == status


def test_a_refusal_that_does_not_exist_is_none() -> None:
    with pytest.raises(ValidationError):
        NodeRefusal(code="inference_error", message="the base of all errors is nothing that a node says")


def test_a_model_without_a_label_for_each_class_is_refused() -> None:
    answer = StubNode(honest).named().model_dump(mode="json")
    assert NodeAnswer.model_validate_json(json.dumps(answer)).model == INFO
    answer["model"]["labels"].pop()
    with pytest.raises(ValidationError, match="for each of its classes"):
        NodeAnswer.model_validate_json(json.dumps(answer))
