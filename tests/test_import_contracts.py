"""A package and a module in it may not need each other."""

from __future__ import annotations

import pytest
from grimp import ImportGraph

from tests.import_contracts import AcyclicPackagesContract


@pytest.mark.parametrize(
    ("imports", "circles"),
    [
        ([("p", "p.a"), ("p.a", "p.b")], []),
        ([("p.a", "p"), ("p.b", "p")], []),
        ([("p", "p.a"), ("p.a", "p")], [("p", "p.a", "p")]),
        (
            [("p", "p.a"), ("p.a", "p.b"), ("p.b", "p")],
            [("p", "p.a", "p.b", "p"), ("p", "p.a", "p.b", "p")],
        ),
    ],
)
def test_a_circle_through_a_package_is_found(
    imports: list[tuple[str, str]], circles: list[tuple[str, ...]]
) -> None:
    graph = ImportGraph()
    for module in ("p", "p.a", "p.b"):
        graph.add_module(module)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    check = AcyclicPackagesContract("", {}, {"name": "", "type": ""}).check(graph, verbose=False)
    assert check.kept is not bool(circles)
    assert check.metadata["circles"] == circles
