"""docs/grafana.json is a dashboard that Grafana takes, and every query in it is one that Prometheus takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.alerts import prometheus
from tests.missing_tools import skip_without

FOLDER = Path(__file__).parent
FILE = FOLDER.parents[1] / "docs" / "grafana.json"
TEXT = FILE.read_text(encoding="utf-8")
PANELS = [panel for panel in json.loads(TEXT)["panels"] if panel["type"] != "row"]


@pytest.fixture
def grafana_schema() -> None:
    """Node, and Grafana's types: npm ci --prefix tests/dashboard."""
    if shutil.which("node") is None:
        skip_without("node is not installed")
    if not (FOLDER / "node_modules" / "@grafana" / "schema").is_dir():
        skip_without("@grafana/schema is not installed: npm ci --prefix tests/dashboard")


def problems(file: Path) -> list[str]:
    """What is wrong with a dashboard, by Grafana's own types."""
    done = subprocess.run(
        ["node", "check.mjs", str(file)], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == bool(done.stdout), done.stderr
    return done.stdout.splitlines()


@pytest.mark.usefixtures("grafana_schema")
def test_grafana_takes_it() -> None:
    assert problems(FILE) == []


@pytest.mark.usefixtures("grafana_schema")
@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ('"drawStyle": "line"', '"drawStyle": "lime"', "lime"),
        ('"colorMode": "value"', '"colourMode": "value"', "colourMode"),
        ('"schemaVersion": 41', '"schemaVersion": "41"', "schemaVersion"),
        ('"gridPos": {', '"gridPosition": {', "gridPosition"),
    ],
)
def test_what_grafana_would_not_take_is_found_with_its_line(
    tmp_path: Path, right: str, wrong: str, named: str
) -> None:
    broken = TEXT.replace(right, wrong, 1)
    assert broken != TEXT
    file = tmp_path / "broken.json"
    file.write_text(broken, encoding="utf-8")
    line = TEXT[: TEXT.index(right)].count("\n") + 1
    found = problems(file)
    assert any(problem.startswith(f"line {line}: ") for problem in found) or named in found[0]


def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    skip_without(prometheus.missing())
    rules = [
        {"record": f"panel_{panel['id']}", "expr": plain(target["expr"])}
        for panel in PANELS
        for target in panel["targets"]
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=none", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_panel_says_what_it_shows_and_has_a_place_of_its_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert all(panel["description"].endswith(".") for panel in PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        cells = set(_cells(panel["gridPos"]))
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def plain(expression: str) -> str:
    """An expression with values in the place of Grafana's variables."""
    filled = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
    assert not re.search(r"\$\w", filled), filled
    return filled


def _cells(place: dict[str, Any]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
