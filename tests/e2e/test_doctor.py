"""`whatsit doctor` on this very machine: with the real model, and without Discord."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.e2e.command import whatsit

pytestmark = pytest.mark.real_model

TOKEN = base64.urlsafe_b64encode(b"123456789012345678").decode().rstrip("=") + ".aaaaaa.bbbbbb"
NOWHERE = {
    "DISCORD_TOKEN": TOKEN,
    "WHATSIT_DISCORD__API_URL": "http://127.0.0.1:1/api/v10",
    "WHATSIT_DISCORD__GATEWAY_URL": "ws://127.0.0.1:1",
}


def test_where_all_is_there_but_a_network_it_says_that_whatsit_can_run() -> None:
    run = whatsit("doctor", variables=NOWHERE)
    said = run.stdout.decode()
    assert run.returncode == 0, said
    assert "FAIL" not in said
    assert "ok   The model efficientnet_lite0 runs on " in said
    assert "note 127.0.0.1 did not answer" in said
    assert "Whatsit can run here." in said
    assert TOKEN not in said + run.stderr.decode()


def test_every_failure_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    run = whatsit(
        "doctor", "--model", tmp_path / "nothing", variables={"WHATSIT_MODEL__CACHE_DIR": str(file / "cache")}
    )
    said = run.stdout.decode()
    assert run.returncode == 1
    failures = said.split("FAIL ")[1:]
    assert [failure.split()[:3] for failure in failures] == [
        ["The", "cache", "folder"],
        ["The", "model", str(tmp_path / "nothing")],
        ["The", "bot", "cannot"],
    ]
    assert "WHATSIT_MODEL__CACHE_DIR" in failures[0]
    assert "whatsit models" in failures[1].replace("\n", " ")
    assert "DISCORD_TOKEN" in failures[2]
    assert "Traceback" not in said + run.stderr.decode()


def test_a_bad_setting_is_named_and_nothing_else_is_tried() -> None:
    run = whatsit("doctor", variables={"WHATSIT_QUEUE__IMAGES": "none"})
    assert run.returncode == 1
    assert "WHATSIT_QUEUE__IMAGES" in run.stdout.decode()
    assert "model" not in run.stdout.decode().partition("The configuration")[2].partition("WHATSIT")[0]
