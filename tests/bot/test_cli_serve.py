"""`whatsit serve`, and what other commands say of nodes, on the real command line."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.check_results import CheckResult, Level
from bot.cli.doctor_cluster import check_cluster
from config.settings import Settings
from inference.cluster import plain_server
from tests.e2e.command import whatsit
from tests.inference.cluster.nodes import Node, asking, nodes
from tests.inference.fakes import picture


@pytest.fixture(autouse=True)
def it_gives_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` runs in the tests' own process, which could not take it back."""
    monkeypatch.setattr(plain_server, "forbid_dumps", lambda: None)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor a token come from whoever runs these tests."""
    for name in [name for name in os.environ if name.startswith(("WHATSIT_", "DISCORD_"))]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["--listen", "0.0.0.0:8720"], "other machines reach, so bot and nodes need a secret"),
        (["--listen", "example.org:8720"], "--listen cannot be example.org:8720: it must be a port"),
        (["--listen", ":8720"], "IP address of one interface"),
        (["--listen", "8720000"], "it must be a port of this machine"),
    ],
)
def test_an_address_that_cannot_be_is_named(
    typed: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--plain", *typed]) == 2
    assert says in capsys.readouterr().err


def test_an_address_in_the_settings_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHATSIT_CLUSTER__LISTEN", "example.org:1")
    assert main(["serve", "--plain"]) == 2
    assert "WHATSIT_CLUSTER__LISTEN: cluster.listen cannot be" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["10.0.0.2:8720", "http://", "http://user:word@host:1", "http://host/?key=1", "ftp://host"]
)
def test_the_address_of_a_node_that_cannot_be_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHATSIT_CLUSTER__URLS", url)
    assert main(["classify", "a.jpg"]) == 2
    assert "WHATSIT_CLUSTER__URLS: cluster.urls cannot be" in capsys.readouterr().err


def test_a_cluster_without_nodes_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WHATSIT_INFERENCE__BACKEND", "cluster")
    assert main(["classify", "a.jpg"]) == 2
    assert "cluster.urls must name at least one node" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--plain", "--listen", str(port)]) == 2
    assert f"cluster.listen is 127.0.0.1:{port}, where nothing can be served" in capsys.readouterr().err


def test_a_model_that_does_not_exist_ends_it_with_a_sentence() -> None:
    run = whatsit("serve", "--plain", "--listen", "0", "--model", "no/such/model")
    assert run.returncode == 2
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    run = whatsit("serve", "--plain", "--listen", str(port), "--model", "no/such/model")
    assert run.returncode == 1
    said = run.stderr.decode()
    assert "The node has no model." in said
    assert "no/such/model" in said
    assert "Traceback" not in said


async def test_pictures_are_classified_by_nodes_as_by_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "red.png"
    file.write_bytes(picture(7))
    async with nodes(2) as cluster:
        config = tmp_path / "whatsit.toml"
        config.write_text(
            '[inference]\nbackend = "cluster"\n[cluster]\nurls = '
            + json.dumps([node.url for node in cluster])
        )
        unset = {"WHATSIT_MODEL__NAME": ""}
        run = await asyncio.to_thread(
            whatsit, "classify", "--json", "--config", config, file, file, variables=unset
        )
        assert run.returncode == 0, run.stderr
        found = [json.loads(line) for line in run.stdout.splitlines()]
        assert [one["labels"][0]["label"] for one in found] == ["shade 7"] * 2
        assert found[0]["model"] == "fake"

        run = await asyncio.to_thread(whatsit, "classify", "--config", config, "--model", "another", file)
        assert run.returncode == 1
        assert "It has the model fake, and not another." in run.stderr.decode()


async def findings(settings: Settings) -> list[CheckResult]:
    return [finding async for finding in check_cluster(settings)]


async def test_doctor_says_how_each_node_is(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("0123456789abcdef-right\n")
    wrong.write_text("0123456789abcdef-wrong\n")
    assert await findings(Settings()) == []
    async with Node(secret=right) as node, Node("tests.inference.fakes:load_updated", secret=wrong) as other:
        away = "http://127.0.0.1:9"
        secret = {"secret_file": str(right)}
        sound, strange, gone = await findings(asking([node.url, other.url, away], cluster=secret))
        assert sound.level is Level.OK
        assert sound.what == f"The node {node.url} answers with fake on fake; 0 of 256 places are taken."
        assert strange.level is gone.level is Level.NOTE
        assert "refuses the secret of cluster.secret_file" in strange.what
        assert f"The node {away} cannot be asked. It cannot be reached" in gone.what

        (none,) = await findings(asking([away], cluster=secret))
        assert none.level is Level.FAIL
        (unreadable,) = await findings(asking([away], cluster={"secret_file": str(tmp_path / "no")}))
        assert unreadable.level is Level.FAIL
        assert "cluster.secret_file names" in unreadable.remedy
        (other_model,) = await findings(asking([node.url], cluster=secret, model={"name": "third"}))
        assert other_model.level is Level.FAIL
        assert "It has the model fake, and not third." in other_model.what


async def test_doctor_says_that_nodes_differ() -> None:
    async with Node() as one, Node("tests.inference.fakes:load_updated") as two:
        *_, differ = await findings(asking([one.url, two.url]))
        assert differ.level is Level.NOTE
        assert "fake on fake, fake, updated on fake" in differ.what


def test_what_a_bot_with_nodes_imports_is_as_light_as_without() -> None:
    script = (
        "import sys, bot.run, inference.serving.cluster_client.cluster_backend\n"
        "heavy = {'numpy', 'PIL', 'ray', 'grpc', 'openvino', 'tensorflow'} & set(sys.modules)\n"
        "print('heavy:', heavy)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert run.stdout == b"heavy: set()\n"
