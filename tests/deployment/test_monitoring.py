"""Prometheus and Grafana beside the bot: what compose.yaml mounts, and what is said of the alerts."""

from __future__ import annotations

import re
from pathlib import Path

from tests.deployment.guide import PAGE

REPOSITORY = Path(__file__).parents[2]
COMPOSE = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
ALERTS = REPOSITORY / "docs" / "alerts.yml"
RULES = ALERTS.read_text(encoding="utf-8") if ALERTS.exists() else ""


def test_the_files_that_are_mounted_are_there() -> None:
    mounted = re.findall(r"^ +- (\./\S+?):", COMPOSE, re.MULTILINE)
    assert len(mounted) == 4
    assert [path for path in mounted if not (REPOSITORY / path).exists()] == []


def test_the_job_is_named_as_the_rules_name_it() -> None:
    scraped = (REPOSITORY / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    jobs = set(re.findall(r'job="(\w+)"', RULES))
    assert jobs == set(re.findall(r"job_name: (\w+)", scraped)) != set()


def test_each_alert_is_explained_and_no_other() -> None:
    alerts = re.findall(r"^ *-? *alert: *(\w+) *$", RULES, re.MULTILINE)
    explained = PAGE.read_text(encoding="utf-8").partition("## What each alert means")[2]
    assert re.findall(r"^### (\w+)$", explained, re.MULTILINE) == alerts != []


def test_each_alert_is_as_severe_as_it_is_said_to_be() -> None:
    severities = dict(re.findall(r"alert: (\w+)\n.*?severity: (\w+)", RULES, re.DOTALL))
    page = PAGE.read_text(encoding="utf-8")
    assert dict(re.findall(r"^### (\w+)\n\n`(\w+)`\.", page, re.MULTILINE)) == severities != {}
