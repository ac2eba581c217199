"""What a real bot tells Prometheus, and whoever asks whether it is ready."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
from pathlib import Path

import psutil
import pytest

from tests.inference.fakes import Deed, deed, picture
from tests.wire.bots import process
from tests.wire.forks import forked
from tests.wire.metrics import FAKE_MODEL, Endpoint, free_port
from tests.wire.wire import Wire

LABELLED = "shade"
"""What the fake model's labels begin with."""
MESSAGES = r"/channels/\d+/messages"


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint(free_port())


def shade(number: int) -> tuple[str, bytes]:
    return f"{number}.png", picture(number)


async def test_each_joint_on_the_way_of_an_image_is_seen(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(shade(1), shade(2))
        await wire.post(shade(1))
        await wire.post_dm(("text.png", b"no picture at all"))
        await wire.slash("classify", shade(3))
        await endpoint.until(lambda seen: seen.of("whatsit_answer_seconds_count") == 4)
        samples = await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
    assert samples.of("whatsit_requests_total", way="watched") == 2
    assert samples.of("whatsit_images_total", way="watched", outcome="named") == 3
    assert samples.of("whatsit_images_total", way="direct_message", outcome="not_an_image") == 1
    assert samples.of("whatsit_images_total", way="command", outcome="named") == 1
    assert samples.of("whatsit_events_total") >= 5
    seen = {
        stage: samples.of("whatsit_stage_seconds_count", stage=stage)
        for stage in ("ledger", "queue", "download", "wait", "decode", "predict", "words", "send")
    }
    assert seen["queue"] == seen["download"] == seen["wait"] == 5
    assert seen["words"] == seen["send"] == seen["ledger"] == 4
    assert seen["decode"] == seen["predict"] == 5 - 1 - samples.of("whatsit_remembered_total", model="fake")
    assert samples.of("whatsit_answered_by_model_total", model="fake") == 4
    assert samples.of("whatsit_batch_images_count") >= 2
    assert samples.of("whatsit_model_info", model="fake", engine="fake") == 1
    assert samples.of("whatsit_build_info") == 1
    assert samples.of("whatsit_queue_images") == samples.of("whatsit_queue_bytes") == 0
    assert samples.of("whatsit_queue_images_limit") == 256
    assert samples.of("whatsit_worker_resident_bytes") > 1e6
    assert samples.of("process_resident_memory_bytes") > 1e6
    assert samples.of("whatsit_ready") == 4


async def test_no_label_has_a_value_that_comes_from_outside(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(shade(1), content="look at my Schnurrli")
        await wire.gateway.emit("THREAD_CREATE", {"name": "secret"})
        samples = await endpoint.until(lambda seen: seen.of("whatsit_images_total", outcome="named") == 1)
        _, text = await endpoint.get("/metrics")
    labels = {name for _, has in samples for name, _ in has}
    assert labels <= {
        *("way", "outcome", "stage", "code", "model", "engine", "check", "le"),
        *("version", "python", "discord_py"),
    }
    for known in (
        wire.world.guild_id,
        wire.world.general,
        wire.world.person["id"],
        "Schnurrli",
        "secret",
        "1.png",
    ):
        assert known not in text


async def test_the_dashboard_and_the_alerts_ask_for_nothing_that_is_not_there(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    docs = Path(__file__).parents[2] / "docs"
    asked = {
        name
        for file in (docs / "grafana.json", docs / "alerts.yml")
        for name in re.findall(
            r"\b(?:whatsit|process)_[a-z_]+\b(?=[{\[ )])", file.read_text(encoding="utf-8")
        )
    }
    assert len(asked) > 25
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        samples = await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
    assert asked <= {name for name, _ in samples}


async def test_it_tells_of_the_connection_and_of_what_discord_refuses(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await wire.world.until(lambda: wire.gateway.ready)
        wire.world.limit("POST", MESSAGES, 0.3)
        await wire.post(shade(1))
        await wire.world.until(wire.world.answers)
        wire.world.fail("POST", MESSAGES, 403, body={"code": 50013, "message": "Missing Permissions"})
        await wire.post(shade(2))
        await wire.gateway.emit("MESSAGE_CREATE", {"nothing": "that can be parsed"})
        await wire.gateway.drop()
        await endpoint.until(lambda seen: seen.of("whatsit_gateway_reconnects_total") == 1)
        samples = await endpoint.until(lambda seen: seen.of("whatsit_images_total", outcome="dropped") == 1)
    assert samples.of("whatsit_bad_answers", code="403") == 1
    assert samples.of("whatsit_bad_answers", code="429") == 1
    assert samples.of("whatsit_rate_limit_waits_total") == 1
    assert samples.of("whatsit_rate_limit_wait_seconds_total") == pytest.approx(0.3)
    assert samples.of("whatsit_unreadable_events_total") == 1
    assert samples.of("whatsit_servers") == 1


async def test_it_counts_workers_that_are_replaced_and_pictures_that_are_condemned(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await wire.world.until(lambda: wire.gateway.ready)
        await wire.post(("bad.png", deed(Deed.CRASH)))
        samples = await endpoint.until(
            lambda seen: seen.of("whatsit_images_total", outcome="harmful_image") == 1
        )
    assert samples.of("whatsit_condemned_total") == 1
    assert samples.of("whatsit_worker_restarts_total") == 2


async def test_ready_says_what_is_not(wire: Wire, tmp_path: Path, endpoint: Endpoint) -> None:
    wire.gateway.held = True
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await endpoint.until(lambda seen: seen.of("whatsit_ready", check="model") == 1)
        assert await endpoint.get("/healthz") == (200, '{"alive": true}')
        status, said = await endpoint.ready()
        assert (status, said["ready"], set(said["faults"])) == (503, False, {"connected"})
        assert "gateway" in said["faults"]["connected"]
        wire.gateway.held = False
        await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
        assert await endpoint.ready() == (200, {"ready": True, "faults": {}})
        wire.gateway.held = True
        await wire.gateway.drop()
        await endpoint.until(lambda seen: seen.of("whatsit_ready", check="connected") == 0)
        assert (await endpoint.ready())[0] == 503


async def test_a_model_that_is_still_loading_is_said(wire: Wire, tmp_path: Path, endpoint: Endpoint) -> None:
    told = tmp_path / "told"
    told.write_text("hang")
    env = {**endpoint.env, "WHATSIT_MODEL__NAME": str(told)}
    async with forked(wire, tmp_path, env, load_from="tests.inference.fakes:load_if_told"):
        samples = await endpoint.until(lambda seen: seen.of("whatsit_ready", check="model") == 0)
        _, said = await endpoint.ready()
        assert said["faults"]["model"] == "The model is not loaded yet."
    assert not samples.has("whatsit_model_info")


async def test_a_breaker_that_is_open_is_said_until_a_picture_is_answered(
    wire: Wire, tmp_path: Path, endpoint: Endpoint
) -> None:
    told = tmp_path / "told"
    told.write_text("fine")
    env = {**endpoint.env, "WHATSIT_MODEL__NAME": str(told)}
    async with forked(wire, tmp_path, env, load_from="tests.inference.fakes:load_if_told") as bot:
        await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
        told.write_text("abort")
        worker = psutil.Process(bot.pid).children()[0]
        worker.kill()
        await wire.post(shade(1))
        samples = await endpoint.until(lambda seen: seen.of("whatsit_breaker_open") == 1)
        assert samples.of("whatsit_ready", check="breaker") == 0
        status, said = await endpoint.ready()
        assert (status, set(said["faults"])) == (503, {"breaker"})
        told.write_text("fine")
        number = 2
        while not wire.world.answers() or LABELLED not in str(wire.world.answers()[-1]):
            await wire.post(shade(number))  # refused during the breaker's pause of five seconds
            await asyncio.sleep(0.5)
            number += 1
        samples = await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
    assert samples.of("whatsit_images_total", outcome="model_unavailable") >= 1


async def test_a_store_that_cannot_be_written_is_said(wire: Wire, tmp_path: Path, endpoint: Endpoint) -> None:
    async with forked(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL):
        await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
        with sqlite3.connect(tmp_path / "whatsit.sqlite3", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            await endpoint.until(lambda seen: seen.of("whatsit_ready", check="store") == 0)
            status, said = await endpoint.ready()
            assert (status, said["faults"]) == (503, {"store": "The store did not write within 2 s."})
            other.execute("ROLLBACK")
        await endpoint.until(lambda seen: seen.of("whatsit_ready") == 4)
        other.close()


async def test_a_port_that_is_taken_is_one_sentence(wire: Wire, tmp_path: Path, endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", endpoint.port)):
        async with process(wire, tmp_path, endpoint.env, load_from=FAKE_MODEL) as bot:
            code, _, err = await bot.end()
    assert code == 2
    assert f"metrics.listen is 127.0.0.1:{endpoint.port}" in err
    assert "Choose another port" in err
    assert "Traceback" not in err


async def test_when_it_is_off_nothing_listens(wire: Wire, tmp_path: Path) -> None:
    async with forked(wire, tmp_path, {}, load_from=FAKE_MODEL) as bot:
        await wire.world.until(lambda: wire.gateway.ready)
        own = psutil.Process(bot.pid).net_connections()
        assert [connection for connection in own if connection.status == psutil.CONN_LISTEN] == []
