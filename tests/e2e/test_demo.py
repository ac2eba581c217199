"""`make demo` as a newcomer meets it: the whole bot and the real model in a simulated Discord."""

from __future__ import annotations

import time

import pytest

from tests.e2e.command import COFFEE, whatsit
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]


def test_once_prints_three_right_answers_and_ends() -> None:
    run = whatsit("demo", variables={"ONCE": "1"})
    said = run.stdout.decode()
    assert run.returncode == 0, run.stderr.decode()
    assert run.stderr == b""
    channel, command, direct = said.split("● ")[1:]
    assert "posts grace_hopper.jpg in #pictures" in channel
    assert "military uniform" in channel
    assert "/classify on chelsea.png" in command
    assert any(label in command for label in ("Egyptian cat", "tabby", "tiger cat"))
    assert "coffee.png to the bot, by direct message" in direct
    assert any(label in direct for label in ("espresso", "cup", "coffee mug"))


def test_without_a_terminal_it_ends_too() -> None:
    assert whatsit("demo").returncode == 0


def test_a_model_that_cannot_be_had_is_a_sentence(tmp_path_factory: pytest.TempPathFactory) -> None:
    nothing = tmp_path_factory.mktemp("empty") / "no_model"
    run = whatsit("demo", "--once", variables={"WHATSIT_MODEL__NAME": str(nothing)})
    assert run.returncode == 1
    assert "no_model" in run.stderr.decode()
    assert "Traceback" not in run.stderr.decode()


def test_a_path_that_is_typed_is_posted_and_answered() -> None:
    with Terminal("demo", WHATSIT_MODEL__NAME="auto") as terminal:
        terminal.wait_for("its model is efficientnet_lite0")
        terminal.wait_for(r"http://127\.0\.0\.1:\d+/#\S+")
        terminal.wait_for("Ctrl-D ends the demo")
        terminal.type("/nowhere/cat.jpg")
        terminal.wait_for("/nowhere/cat.jpg cannot be read: No such file")
        terminal.type(f"'{COFFEE}'")
        terminal.wait_for(r"posts coffee.png in #pictures[^●]*(espresso|cup|coffee mug)")
        time.sleep(6)
        terminal.type(f"'{COFFEE}'")
        terminal.wait_for(r"posts coffee.png in #pictures[^●]*(espresso|cup|coffee mug)", within=10)
        assert terminal.end() == 0
