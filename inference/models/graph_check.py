"""A SavedModel is a program: what it may not do is looked for before any of it runs.

Imports TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tensorflow.python.saved_model.loader_impl import parse_saved_model

FORBIDDEN = re.compile(
    "(Experimental)?("
    # files
    r"ReadFile|WriteFile|MatchingFiles|ImmutableConst|RecordInput|Reader\w*|\w*Reader(V2)?|Save|SaveSlices"
    r"|Restore|RestoreSlice|InitializeTableFromTextFile(V2)?|DecodeProto\w*|EncodeProto|\w*Summary\w*"
    r"|(TextLine|TFRecord|FixedLengthRecord|Sql|Cache|Snapshot|Load|Save|LMDB|Csv|CSV)Dataset\w*"
    r"|SnapshotNestedDatasetReader|DistributedSave|\w*FileSystem\w*|Debug\w+"
    # the network and other devices
    r"|\w*Rpc\w*|_?(Host)?(Send|Recv)|Remote\w+|DataService\w+|RegisterDataset\w*|Collective\w+|Nccl\w+"
    r"|Big[Qq]uery\w*|Bigtable\w*|\w*TPU\w*"
    # Python
    r"|\w*PyFunc\w*|GeneratorDataset"
    ")"
)
SAVING = frozenset({"SaveV2", "MergeV2Checkpoints"})
RESTORING = frozenset({"RestoreV2"})
"""Operations on files that TensorFlow itself puts into a SavedModel, for its saver."""
TO_STREAMS = (b"", b"stdout", b"stderr", b"log(info)", b"log(warning)", b"log(error)")
"""Where `PrintV2` may print; its default is left out of the file."""


def forbidden_operations(folder: Path) -> list[str]:
    """Return the names of the operations in the SavedModel `folder` that touch files, the network or Python.

    What TensorFlow's own saver needs is not among them, as long as nothing else uses it. Raises OSError for
    what is no SavedModel.
    """
    found: set[str] = set()
    for graph in parse_saved_model(str(folder)).meta_graphs:
        functions = {function.signature.name: function for function in graph.graph_def.library.function}
        nodes = {node.name: node for node in graph.graph_def.node}
        saver = graph.saver_def
        savers = _Saver(nodes, functions, saver.save_tensor_name, SAVING | RESTORING)
        restorers = _Saver(nodes, functions, saver.restore_op_name, RESTORING)
        for owner, node in _all_nodes(nodes, functions):
            # Loading may run what restores, but never what saves.
            allowed: frozenset[str] = frozenset()
            if restorers.has(owner, node):
                allowed = RESTORING
            elif savers.has(owner, node):
                allowed = SAVING | RESTORING
            elif savers.is_used_by(node, functions) or restorers.is_used_by(node, functions):
                found.add(node.op)
            if _is_forbidden(node) or node.op in (SAVING | RESTORING) - allowed:
                found.add(node.op)
    return sorted(found)


class _Saver:
    """The part of a graph that the fetch `start` computes, with the functions that it calls.

    `operations` are those for which it is kept apart from the rest.
    """

    def __init__(
        self, nodes: dict[str, Any], functions: dict[str, Any], start: str, operations: frozenset[str]
    ) -> None:
        self._nodes: set[str] = set()
        self._functions: set[str] = set()
        self._critical: set[str] = set()
        left = [_node_name(start)] if start else []
        while left:
            name = left.pop()
            if name in self._nodes or name not in nodes:
                continue
            self._nodes.add(name)
            left += map(_node_name, nodes[name].input)
            self._call(nodes[name], functions)
            if nodes[name].op in operations or _calls(nodes[name], functions):
                self._critical.add(name)

    def _call(self, node: Any, functions: dict[str, Any]) -> None:
        for name in _calls(node, functions):
            if name not in self._functions:
                self._functions.add(name)
                for inner in functions[name].node_def:
                    self._call(inner, functions)

    def has(self, owner: str, node: Any) -> bool:
        """Tell whether a node is in this part; `owner` is the function that it is in, or ""."""
        return owner in self._functions if owner else node.name in self._nodes

    def is_used_by(self, node: Any, functions: dict[str, Any]) -> bool:
        """Tell whether a node that is not in this part makes it run."""
        return not (
            self._functions.isdisjoint(_calls(node, functions))
            and self._critical.isdisjoint(map(_node_name, node.input))
        )


def _all_nodes(nodes: dict[str, Any], functions: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("", node) for node in nodes.values())
    for name, function in functions.items():
        yield from ((name, node) for node in function.node_def)


def _calls(node: Any, functions: dict[str, Any]) -> list[str]:
    """Return the functions of the library that a node may call."""
    named: Iterable[str] = [
        each.name for value in node.attr.values() for each in (value.func, *value.list.func) if each.name
    ]
    return [name for name in (node.op, *named) if name in functions]


def _node_name(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]


def _is_forbidden(node: Any) -> bool:
    if node.op == "PrintV2":
        return node.attr["output_stream"].s not in TO_STREAMS
    return FORBIDDEN.fullmatch(node.op) is not None
