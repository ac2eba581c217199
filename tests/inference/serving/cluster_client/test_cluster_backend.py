"""A bot's classifier that asks nodes, over real connections; the nodes that do well are real processes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bot.answering.models import Models
from config.settings import ConfigError, Settings
from inference.results import (
    Busy,
    Classification,
    CorruptImage,
    HarmfulImage,
    InferenceError,
    ModelUnavailable,
    NotAnImage,
    TimedOut,
)
from inference.serving.client import Classifier
from inference.serving.cluster_client import node_health
from inference.serving.cluster_client.answer_protocol import ANSWER_BYTES, model_hash
from inference.serving.cluster_client.cluster_backend import MOST_ASKED
from tests.inference.cluster.nodes import Node, asked_nodes, asking, bots_classifier, nodes
from tests.inference.fakes import Deed, deed, picture, running, until
from tests.inference.serving.cluster_client.stub_nodes import (
    INFO,
    Answering,
    StubNode,
    cuts_the_connection,
    honest,
    lies,
    never_stops,
    says,
    says_nothing,
    stub,
)


async def outcomes(
    classifier: Classifier, pictures: Sequence[bytes]
) -> list[Classification | InferenceError]:
    """What becomes of pictures that come all at once; anything but an answer or a typed error fails."""

    async def one(number: int, data: bytes) -> Classification | InferenceError:
        try:
            return await classifier.classify(data, group=number % 5)
        except InferenceError as error:
            return error

    return await asyncio.gather(*(one(number, data) for number, data in enumerate(pictures)))


def reds(found: Sequence[Classification | InferenceError]) -> list[int | str]:
    return [one.labels[0].index if isinstance(one, Classification) else one.code for one in found]


def models_and_words(found: Sequence[Classification | InferenceError]) -> set[tuple[str, str]]:
    """By which models they were named, and the first word of the names."""
    return {(one.model, one.labels[0].name.split()[0]) for one in found if isinstance(one, Classification)}


async def test_labels_are_those_of_a_local_worker() -> None:
    crowd = [picture(red) for red in range(64)]
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(nodes(2))
        remote = await stack.enter_async_context(bots_classifier([node.url for node in cluster]))
        local = await stack.enter_async_context(running())
        there = await asyncio.gather(*(remote.classify(each, group=n % 5) for n, each in enumerate(crowd)))
        here = await asyncio.gather(*(local.classify(each, group=n % 5) for n, each in enumerate(crowd)))
        assert [each.labels for each in there] == [each.labels for each in here]
        assert [each.labels[0].index for each in there] == list(range(64))
        assert [each.coarse for each in there] == [each.coarse for each in here]
        assert {(each.model, each.engine, each.views) for each in there} == {("fake", "fake", 1)}
        assert all(each.core_seconds > 0 for each in there)
        assert remote.info == local.info
        assert remote.info.labels == local.info.labels
        assert remote.worker_pid is None, "with a cluster the bot starts no worker"
        again = await remote.classify(crowd[0])
        assert again.labels == there[0].labels
        assert remote.stats.known == 1
        assert remote.stats.batches == 64

        explained = await asyncio.gather(*(each.explain(crowd[7], [7, 200]) for each in (remote, local)))
        assert explained[0] == explained[1]
        with pytest.raises(ValueError, match="no class 256"):
            await remote.explain(crowd[7], [256])


@pytest.mark.real_model
async def test_fingerprints_and_heat_maps_of_a_real_model_come_through_unchanged(
    embedded_model: Path,
) -> None:
    model = {"name": "efficientnet_lite0"}
    async with AsyncExitStack() as stack:
        load = "inference.models.loading:load"
        (node,) = await stack.enter_async_context(nodes(1, load, model=model))
        remote = await stack.enter_async_context(bots_classifier([node.url], model=model))
        local = Classifier(Settings.model_validate({"model": model}))
        stack.push_async_callback(local.close)
        await local.start()
        data = picture(200, 30, 60, size=(300, 200))
        for features in ("query", "example"):
            there, here = await asyncio.gather(
                *(each.classify(data, features=features) for each in (remote, local))
            )
            assert there.fingerprint == here.fingerprint
            assert there.fingerprint is not None
            assert there.fingerprint_kind == here.fingerprint_kind == local.info.fingerprints
            assert there.labels == here.labels
        direction = there.fingerprint or b""
        maps = await asyncio.gather(*(each.explain(data, [1, direction]) for each in (remote, local)))
        assert maps[0] == maps[1]
        assert maps[0].method == "activation"


async def test_errors_arrive_with_their_type_and_what_they_cost() -> None:
    charged: list[float] = []
    async with nodes(1) as (node,), bots_classifier([node.url]) as classifier:
        with pytest.raises(NotAnImage):
            await classifier.classify(b"no picture")
        async with classifier.admit(10) as admission:
            with pytest.raises(CorruptImage) as caught:
                await admission.classify(picture(1, size=(900, 900))[:300], on_cost=charged.append)
        assert charged == [caught.value.core_seconds]
        assert classifier.stats.refused == {"not_an_image": 1, "corrupt_image": 1}


async def test_each_is_answered_once_when_a_connection_is_lost_midway() -> None:
    async with stub(cuts_the_connection) as broken, stub(honest) as sound:
        async with bots_classifier([broken.url, sound.url]) as classifier:
            found = await outcomes(classifier, [picture(red) for red in range(20)])
            assert reds(found) == [1] * 20
            assert classifier.stats.answered == 20
            assert classifier.stats.condemned == 0
        assert broken.asked
        assert len(sound.asked) == 20


@pytest.mark.parametrize(
    "answering",
    [
        says(500),
        says(502),
        says(504, b"<html>upstream</html>"),
        says(200, b"nonsense"),
        says(200, json.dumps({"model_hash": "0" * 64, "reply": {}}).encode()),
        says(200, b" " * (ANSWER_BYTES + 1)),
        says(307, Location="http://127.0.0.1:9/"),
        never_stops,
    ],
    ids=["500", "502", "504", "no JSON", "no answer", "huge", "redirect", "endless"],
)
async def test_what_is_no_answer_is_asked_of_another_node(answering: Answering) -> None:
    async with stub(answering) as broken, stub(honest) as sound:
        async with bots_classifier([broken.url, sound.url]) as classifier:
            found = await outcomes(classifier, [picture(red) for red in range(4)])
            assert reds(found) == [1] * 4
        assert broken.asked


@pytest.mark.parametrize(
    "lie",
    [
        {"labels": (("shade 2", 1, 0.9, None),)},
        {"labels": (("shade 1", 1, 0.9, None),) * 2},
        {"labels": tuple((f"shade {n}", n, 0.01, None) for n in range(11))},
        {"coarse": (("cat", 0.9, 1),)},
        {"fingerprint": "AAAA"},
        {"perceptual_hash": "AAAAAAAAAAA="},
    ],
    ids=["another label", "twice", "more than asked", "strange name", "features", "perceptual hash"],
)
async def test_an_answer_that_cannot_be_true_is_refused(lie: dict[str, object]) -> None:
    async with stub(lies(**lie)) as liar, bots_classifier([liar.url]) as classifier:
        (found,) = await outcomes(classifier, [picture(1)])
        assert isinstance(found, ModelUnavailable)
        assert "cannot be believed" in str(found)
        assert len(liar.asked) == MOST_ASKED


async def test_a_model_that_is_not_what_its_hash_says_is_not_adopted() -> None:
    async def answer(node: StubNode) -> web.StreamResponse:
        forged = node.named().model_copy(update={"model": replace(INFO, name="another")})
        return web.Response(body=forged.model_dump_json())

    async with stub(answer) as liar, bots_classifier([liar.url]) as classifier:
        (found,) = await outcomes(classifier, [picture(1)])
        assert isinstance(found, ModelUnavailable)
        assert classifier.info.name == "stub"


async def test_a_picture_that_fails_at_every_node_is_given_up_and_never_condemned() -> None:
    async with stub(says(500)) as one, stub(cuts_the_connection) as two:
        async with bots_classifier([one.url, two.url]) as classifier:
            (found,) = await outcomes(classifier, [picture(1)])
            assert isinstance(found, ModelUnavailable)
            assert f"{MOST_ASKED} nodes failed" in str(found)
            assert classifier.stats.condemned == 0
        assert len(one.asked) + len(two.asked) == MOST_ASKED


async def test_a_node_killed_under_load_costs_nobody_an_answer() -> None:
    crowd = [deed(Deed.SLOW, red) for red in range(120)]
    async with asked_nodes(3) as (cluster, classifier):
        work = asyncio.create_task(outcomes(classifier, crowd))
        await until(lambda: classifier.stats.answered >= 10)
        await cluster[0].kill()
        await until(lambda: classifier.stats.answered >= 30)
        await cluster[1].kill()
        assert reds(await work) == list(range(120))
        assert classifier.stats.answered == 120
        assert not classifier.load.breaker_open

        await cluster[0].start()
        await cluster[2].kill()
        assert reds(await outcomes(classifier, [picture(200)])) == [200]


async def test_while_the_only_node_is_away_images_wait_for_it_and_then_new_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(node_health, "PATIENCE_SECONDS", 0.3)
    async with asked_nodes(1) as ((node,), classifier):
        await node.kill()
        waiting = asyncio.create_task(classifier.classify(picture(7)))
        await until(lambda: classifier.load.breaker_open)
        with pytest.raises(ModelUnavailable, match=rf"{node.url}: It cannot be reached"):
            await classifier.classify(picture(8))
        assert not waiting.done()
        await node.start()
        assert (await waiting).labels[0].index == 7
        assert not classifier.load.breaker_open


async def test_a_node_that_hangs_is_given_up_and_others_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVERY_SECONDS", "EVERY_SECONDS_WHILE_AWAY", "WITHIN_SECONDS"):
        monkeypatch.setattr(node_health, name, 0.5)
    async with asked_nodes(2) as (cluster, classifier):
        cluster[0].send(signal.SIGSTOP)
        assert reds(await outcomes(classifier, [picture(red) for red in range(10)])) == list(range(10))


@pytest.mark.parametrize(
    ("what", "most"),
    [
        (Deed.CRASH, 2),
        (Deed.HANG, 2),
        (Deed.BLOAT, 2),
        (Deed.NONSENSE, 2),
        (Deed.KILL, 3),  # which more often is a person's, so that the picture has to be alone twice
    ],
)
async def test_a_hostile_picture_costs_the_cluster_two_workers_at_most_and_no_node(
    what: Deed, most: int
) -> None:
    crowd = [picture(red) for red in range(63)]
    crowd.insert(30, deed(what))
    # Short where it is waited for; else a busy machine's worker would be taken for hung.
    worker = {"memory": 400 << 20, "deadline": 2.5 if what is Deed.HANG else 20}
    async with asked_nodes(3, worker=worker, queue={"timeout": 100}) as (cluster, classifier):
        pids = [node.process.pid for node in cluster if node.process]
        found = await outcomes(classifier, crowd)
        assert isinstance(found.pop(30), HarmfulImage)
        assert reds(found) == list(range(63))
        for _ in range(10):
            assert isinstance((await outcomes(classifier, [deed(what)]))[0], HarmfulImage)
        assert classifier.stats.condemned == 1
        states = [await node.state() for node in cluster]
        assert 1 <= sum(state["restarts"] for state in states) <= most
        assert [node.process.pid for node in cluster if node.process] == pids
        assert all(node.process and node.process.returncode is None for node in cluster)


async def test_a_hostile_picture_that_is_asked_about_in_many_ways_at_once_costs_no_more() -> None:
    data = deed(Deed.CRASH)
    async with asked_nodes(3) as (cluster, classifier):
        found = await asyncio.gather(
            *(classifier.classify(data, top=top, group=top) for top in range(9, 15)),
            classifier.classify(data, features="example"),
            classifier.explain(data, [1]),
            return_exceptions=True,
        )
        assert {type(one) for one in found} == {HarmfulImage}
        states = [await node.state() for node in cluster]
        assert sum(state["restarts"] for state in states) <= 2
        assert classifier.stats.condemned == 1
        assert classifier.load.images == 0


async def test_a_picture_that_is_asked_about_in_two_ways_at_once_is_answered_twice() -> None:
    async with asked_nodes(2) as (_, classifier):
        data = deed(Deed.SLOW, 9)
        named, explained, ranked = await asyncio.gather(
            classifier.classify(data), classifier.explain(data, [9]), classifier.classify(data, top=20)
        )
        assert named.labels[0].index == 9
        assert len(explained.maps) == 1
        assert len(ranked.labels) == 20


async def test_after_a_rolling_update_no_verdict_of_the_old_model_is_given() -> None:
    """Two nodes get another model one after the other, while pictures come that the old one has named."""
    crowd = [picture(red) for red in range(12)]
    async with asked_nodes(2) as (cluster, classifier):
        old, before = classifier.info, await outcomes(classifier, crowd)
        assert models_and_words(before) == {("fake", "shade")}
        for node in cluster:
            assert await node.stop() == 0
            node.load = "tests.inference.fakes:load_updated"
            await node.start()
            during = await outcomes(classifier, [deed(Deed.SLOW, red) for red in range(12)])
            assert reds(during) == list(range(12))
            assert models_and_words(during) <= {("fake", "shade"), ("fake, updated", "tint")}
        await until(lambda: classifier.info.name == "fake, updated")
        after = await outcomes(classifier, crowd)
        assert models_and_words(after) == {("fake, updated", "tint")}
        assert classifier.info.content_hash != old.content_hash
        assert classifier.info.labels[3] == "tint 3"


async def test_a_new_model_is_adopted_before_anything_is_asked_of_it() -> None:
    async with stub(honest) as node, bots_classifier([node.url]) as classifier:
        first = await classifier.classify(picture(1))
        node.info = replace(INFO, name="next", content_hash="6" * 64, labels=INFO.labels[::-1])
        await until(lambda: classifier.info.name == "next")
        again = await classifier.classify(picture(1))
        assert (first.labels[0].name, again.labels[0].name) == ("shade 1", "shade 254")


async def test_a_full_node_has_images_wait_and_refuses_none() -> None:
    async with asked_nodes(1, queue={"images": 2}) as (_, classifier):
        found = await outcomes(classifier, [deed(Deed.SLOW, red) for red in range(24)])
        assert reds(found) == list(range(24))


async def test_busy_is_said_by_the_bots_own_queue() -> None:
    queue = {"images": 2, "timeout": 0.5}
    async with stub(says_nothing) as node, bots_classifier([node.url], queue=queue) as classifier:
        found = await outcomes(classifier, [picture(red) for red in range(3)])
    assert sorted(type(one).__name__ for one in found) == ["Busy", "TimedOut", "TimedOut"]
    assert Busy.code in reds(found)


async def test_a_slow_answer_is_too_late_at_the_images_deadline() -> None:
    async with stub(says_nothing) as node, bots_classifier([node.url], queue={"timeout": 0.3}) as classifier:
        with pytest.raises(TimedOut, match=r"0\.3 seconds"):
            await classifier.classify(picture(1))
        (question,) = node.questions
        assert 0 < question.seconds <= 0.3


async def test_a_node_is_told_no_id_and_forgets_a_group_with_the_bot() -> None:
    async with stub(honest) as node, bots_classifier([node.url]) as classifier:
        for number in range(2):
            await classifier.classify(picture(number), group=4711)
        classifier.forget_group(4711)
        await classifier.classify(picture(3), group=4711)
        first, second, third = (question.group for question in node.questions)
        assert first == second != third
        assert "4711" not in first


async def test_the_same_picture_asked_twice_at_a_time_is_sent_once() -> None:
    async with nodes(1) as (node,), bots_classifier([node.url]) as classifier:
        data = deed(Deed.SLOW, 5)
        assert reds(await outcomes(classifier, [data] * 8)) == [5] * 8
        assert classifier.stats.batches == 1


async def test_what_nobody_waits_for_is_not_sent_and_what_was_sent_is_still_charged() -> None:
    charged: list[float] = []
    gate = asyncio.Event()

    async def answer(node: StubNode) -> web.StreamResponse:
        await gate.wait()
        return await honest(node)

    async with stub(answer) as node, bots_classifier([node.url], cluster={"window": 1}) as classifier:

        async def look(red: int) -> None:
            async with classifier.admit(100) as admission:
                await admission.classify(picture(red), on_cost=charged.append)

        sent, waiting = asyncio.create_task(look(1)), asyncio.create_task(look(2))
        await until(lambda: node.asked)
        for task in (sent, waiting):
            task.cancel()
        await asyncio.wait({sent, waiting})
        gate.set()
        await until(lambda: charged)
        assert charged == [0.01]
        assert (await classifier.classify(picture(3))).labels[0].index == 1
        assert node.asked == [picture(1), picture(3)]


async def test_the_secret_must_be_the_same(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("0123456789abcdef-right\n")
    wrong.write_text("0123456789abcdef-wrong\n")
    async with Node(secret=right) as node:
        async with bots_classifier([node.url], cluster={"secret_file": str(right)}) as classifier:
            assert reds(await outcomes(classifier, [picture(4)])) == [4]
        for cluster in ({"secret_file": str(wrong)}, {}):
            refused = Classifier(asking([node.url], cluster=cluster))
            with pytest.raises(ModelUnavailable, match=r"refuses the secret of cluster\.secret_file"):
                await refused.start()
            await refused.close()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "cannot be read: No such file"),
        ("short", "fewer than 16 characters"),
        ("two words of some length", "one word of ASCII"),
        ("", "one word of ASCII"),
        ("geheimnisvoll-äöü-geheim", "one word of ASCII"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_repeated(
    tmp_path: Path, text: str | None, fault: str
) -> None:
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=fault) as caught:
        Classifier(asking(["http://127.0.0.1:1"], cluster={"secret_file": str(file)}))
    assert not text or text not in str(caught.value)


async def test_no_node_at_the_start_is_an_error_that_says_what_each_said() -> None:
    classifier = Classifier(asking(["http://127.0.0.1:9"], cluster={"start_timeout": 0.5}))
    with pytest.raises(ModelUnavailable, match=r"http://127.0.0.1:9: It cannot be reached"):
        await classifier.start()
    await classifier.close()
    async with stub(honest) as node:
        strange = Classifier(asking([node.url + "/elsewhere"], cluster={"start_timeout": 0.5}))
        with pytest.raises(ModelUnavailable, match="no node of Whatsit at this address"):
            await strange.start()
        await strange.close()


async def test_an_ingress_that_has_no_replica_yet_is_waited_for() -> None:
    async with stub(honest) as node:
        node.absent = 2
        classifier = Classifier(asking([node.url]))
        assert await classifier.start() == INFO
        await classifier.close()


async def test_a_model_that_no_node_has_is_an_error_and_one_that_some_have_is_asked_of_them() -> None:
    by_name = "tests.inference.fakes:load_by_name"
    async with AsyncExitStack() as stack:
        usual = await stack.enter_async_context(Node())
        other = await stack.enter_async_context(Node(by_name, model={"name": "other"}))
        urls = [usual.url, other.url]
        async with bots_classifier(urls, model={"name": "other"}) as classifier:
            found = [await classifier.classify(picture(red)) for red in range(4)]
            assert {one.model for one in found} == {"other by its name"}
        none = Classifier(asking(urls, model={"name": "third"}))
        with pytest.raises(ModelUnavailable, match="It has the model fake, and not third"):
            await none.start()
        await none.close()


async def test_servers_can_choose_a_model_that_some_node_has() -> None:
    by_name = "tests.inference.fakes:load_by_name"
    async with AsyncExitStack() as stack:
        usual = await stack.enter_async_context(Node())
        other = await stack.enter_async_context(Node(by_name, model={"name": "other"}))
        wanted = asking([usual.url, other.url], model={"name": "fake", "allowed": ["other", "third"]})
        first = Classifier(wanted)
        stack.push_async_callback(first.close)
        await first.start()
        models = Models(wanted, first, lambda settings: Classifier(settings, sharing=first))
        stack.push_async_callback(models.close)

        async def names() -> str:
            async with models.admit(100, model="other") as admission:
                return (await admission.classify(picture(1))).model

        assert await names() == "fake"  # which answers until the other one is there
        await until(lambda: len(models.running()) == 2)
        assert await names() == "other by its name"
        async with models.admit(100, model="third") as admission:
            assert (await admission.classify(picture(2))).model == "fake"
        await until(lambda: models.unusable)
        assert models.unusable == {"third"}


async def test_a_closed_classifier_refuses_what_is_in_hand_and_what_comes() -> None:
    async with stub(says_nothing) as node, bots_classifier([node.url]) as classifier:
        work = asyncio.create_task(outcomes(classifier, [picture(1), picture(2)]))
        await until(lambda: len(node.asked) == 2)
        await classifier.close()
        assert reds(await work) == ["model_unavailable"] * 2
        with pytest.raises(ModelUnavailable, match="closed"):
            await classifier.classify(picture(3))


def test_all_that_decides_an_answer_is_in_a_models_hash() -> None:
    changes = [
        {"name": "x"},
        {"engine": "x"},
        {"precision": "x"},
        {"content_hash": "x"},
        {"preprocessing": 2},
        {"features": 3},
        {"labels": INFO.labels[::-1]},
        {"coarse": ("x",) * INFO.classes},
    ]
    hashes = {model_hash(replace(INFO, **change)) for change in changes}  # type: ignore[arg-type]
    assert len(hashes | {model_hash(INFO)}) == len(changes) + 1
    assert model_hash(replace(INFO, note="no matter")) == model_hash(INFO)
