"""The rules of docs/alerts.yml, as Prometheus' own tool reads them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.alerts.prometheus import ALERTS, in_quick_motion, missing
from tests.missing_tools import skip_without

CASES = Path(__file__).with_name("rules.test.yml")
NAMES = re.findall(r"alert: (\w+)", ALERTS.read_text(encoding="utf-8"))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    skip_without(missing())
    assert f"{len(NAMES)} rules found" in promtool("check", "rules", str(ALERTS))


def test_each_fires_when_it_should_and_stays_quiet_when_it_should() -> None:
    skip_without(missing())
    promtool("test", "rules", str(CASES))


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_case_a_severity_and_says_what_to_do(name: str) -> None:
    assert f'alertname="{name}"' in CASES.read_text(encoding="utf-8")
    rule = ALERTS.read_text(encoding="utf-8").partition(f"alert: {name}\n")[2].partition("- alert:")[0]
    assert re.search(r"severity: (critical|warning|info)\}", rule)
    assert re.search(r"^ +summary: \S.*\.'?$", rule, re.MULTILINE)
    assert re.search(r"^ +runbook: \S.*\.$", rule, re.MULTILINE)


def test_each_is_tried_with_its_fault() -> None:
    tries = Path(__file__).with_name("test_firing.py").read_text(encoding="utf-8")
    assert set(re.findall(r'until_resolved\("(\w+)"\)', tries)) == set(NAMES)


def test_in_quick_motion_minutes_are_seconds_and_nothing_else_is_changed() -> None:
    rules = "increase(a_total[15m]) > 3\nfor: 5m\n# in 15 minutes: 5m and [x]\n"
    assert in_quick_motion(rules) == "increase(a_total[15s]) > 3\nfor: 5s\n# in 15 minutes: 5m and [x]\n"
