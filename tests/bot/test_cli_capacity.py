"""`whatsit capacity`, by the real command: what it prints, and what it says of bad input."""

from __future__ import annotations

import json
import sys

import pytest

from tests.e2e.command import whatsit

WIDE = ("capacity", "--servers", "500", "3000", "1,000,000", "--images", "0.05")
SMALL = ("capacity", "--servers", "500", "3000", "--images", "2")


def test_it_prints_the_plan_the_limits_and_the_remedies() -> None:
    run = whatsit(*SMALL)
    said = run.stdout.decode()
    assert run.returncode == 0, run.stderr.decode()
    assert said.splitlines()[2].split() == ["servers", "500", "3,000"]
    assert "Traceback" not in run.stderr.decode()
    for words in (
        "machines in all",
        "a million images cost",
        "posted to answered, p95",
        "of each limit",
        "REST calls a second",
        "IDENTIFYs a day",
        "PostgreSQL writes a second",
        "largest server's core-s a minute",
        "What breaks first, and what to do",
        "Ask Discord's support",
    ):
        assert words in said


@pytest.mark.parametrize("width", [40, 80])
def test_it_can_be_read_at_any_width(width: int) -> None:
    run = whatsit(*WIDE, variables={"COLUMNS": str(width)})
    lines = run.stdout.decode().splitlines()
    assert run.returncode == 0
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
    assert any(line.endswith("1,000,000") for line in lines)


def test_the_same_question_has_the_same_answer_as_json() -> None:
    one, same = (whatsit("capacity", "--servers", "3000", "--images", "2", "--json") for _ in range(2))
    other = whatsit("capacity", "--servers", "3000", "--images", "2", "--json", "--seed", "2")
    found = json.loads(one.stdout)
    assert one.stdout == same.stdout
    assert found["plans"][0]["p95"] != json.loads(other.stdout)["plans"][0]["p95"]
    (plan,) = found["plans"]
    assert plan["processes"] == 3
    assert plan["cost_a_day"] == pytest.approx(24 * 0.1 * plan["machines"])
    assert {"share", "remedy", "breaks_at", "use", "limit"} <= plan["demands"][0].keys()
    assert found["figures"]["rest_calls_a_second"] == {
        "value": 50,
        "kind": "documented",
        "source": "https://docs.discord.com/developers/topics/rate-limits#global-rate-limit",
    }


def test_what_the_owner_asks_for_is_taken() -> None:
    run = whatsit(
        *("capacity", "--servers", "20_000", "--images", "5", "--cores", "8", "--price", "0.5", "--json"),
        *("--replicas", "3", "--set", "rest_calls_a_second=500", "--set", "repost_share=0"),
    )
    found = json.loads(run.stdout)
    (plan,) = found["plans"]
    assert plan["images_a_day"] == 100_000
    assert plan["replicas"] == 3
    assert plan["cost_a_day"] == pytest.approx(24 * 0.5 * plan["machines"])
    assert found["figures"]["repost_share"] == {
        "value": 0,
        "kind": "given",
        "source": "on the command line",
    }
    (calls,) = (each for each in plan["demands"] if each["name"] == "REST calls a second")
    assert calls["limit"] == 500


def test_it_says_where_its_figures_come_from() -> None:
    said = whatsit("capacity", "--sources", variables={"COLUMNS": "40"}).stdout.decode()
    assert "rest_calls_a_second = 50 (documented)" in said
    assert "docs/bench.json" in said
    assert "repost_share = 0.1 (assumed)" in said
    assert max(map(len, said.splitlines())) <= 40


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--servers", "0"), "0 is not a whole number above 0"),
        (("--servers", "many"), "many"),
        (("--servers", "1000000000"), "up to 100 million"),
        (("--images", "-3"), "-3 is no number above 0"),
        (("--replicas", "0"), "0 is not a whole number above 0"),
        (("--set", "repost_share"), "--set repost_share: this is no NAME=NUMBER"),
        (("--set", "reposts=1"), "--set reposts: there is no such figure"),
        (("--set", "repost_share=2"), "repost_share: Input should be less than 1"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], said: str) -> None:
    run = whatsit("capacity", *arguments)
    assert run.returncode == 2
    assert said in run.stderr.decode()
    assert "Traceback" not in run.stderr.decode()


def test_without_simpy_it_says_which_extra_has_it() -> None:
    script = "import sys; sys.modules['simpy'] = None\nfrom bot.cli import main\nsys.exit(main(['capacity']))"
    run = whatsit(command=(sys.executable, "-c", script))
    assert run.returncode == 1
    assert run.stdout == b""
    assert "pip install 'whatsit[capacity]'" in run.stderr.decode()


def test_neither_the_bot_nor_the_help_loads_the_simulation() -> None:
    script = (
        "import sys; import bot.run; from bot.cli import main\n"
        "try: main(['capacity', '--help'])\n"
        "finally: print('loaded:', {m for m in sys.modules if m.startswith(('simpy', 'bot.capacity'))})"
    )
    assert "loaded: set()" in whatsit(command=(sys.executable, "-c", script)).stdout.decode()
