"""A contract of our own for import-linter, which `make lint` runs."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output


class AcyclicPackagesContract(Contract):
    """No module needs the package that it is in, if what that package's own file imports needs the module.

    `acyclic_siblings` compares neighbours, so it does not see a circle of a package and what is in it.
    """

    type_name = "acyclic_packages"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find each way from a package's own file to a module in it and back."""
        circles = [
            (*there, *back[1:])
            for package in graph.modules
            if not graph.is_module_squashed(package)  # as packages that are not ours are
            for module in graph.find_descendants(package)
            if (there := graph.find_shortest_chain(package, module))
            and (back := graph.find_shortest_chain(module, package))
        ]
        return ContractCheck(kept=not circles, metadata={"circles": sorted(circles)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the circles."""
        for circle in check.metadata["circles"]:
            output.print_error(f"- {' -> '.join(circle)}", bold=False)
