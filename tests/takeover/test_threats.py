"""`docs/threats.md` promises only what a test shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from inference.subprocesses import ROOT

PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_test_that_the_page_names_exists(file: str, name: str) -> None:
    module = ast.parse(Path(ROOT, file).read_text(encoding="utf-8"))
    functions = {
        node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions


def test_each_line_says_what_stops_it_or_that_nothing_does() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    threats = [
        [cell.strip() for cell in row] for row in rows if row[0].strip() not in ("it wants", "they want")
    ]
    assert len(threats) > 25
    for threat, stopped_by, test, not_stopped in threats:
        assert (stopped_by and test) or not_stopped.startswith("yes: "), threat
