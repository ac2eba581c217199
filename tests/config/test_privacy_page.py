"""`docs/privacy.md` has a row for all that is kept: in the database, in memory, in the log and on disk.

To add a row: write it into the table of its place; the first cell names what it is about as code, several
names with commas.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.settings_ui.privacy_words import KEPT
from bot.store.personal_data import OTHER_CHANNELS, tables_with
from bot.store.tables import Base

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "privacy.md"
DATABASE, MEMORY, LOG, DISK = "In the database", "In memory", "In the log", "On disk"
LIVING = ("bot", "inference/serving", "inference/knowledge")
"""The code of what runs for long; a command of the terminal ends, and demo and simulation have no people."""
NOT_LIVING = ("bot/capacity", "bot/cli", "bot/demo")
CONTAINERS = {
    *("dict", "set", "list", "deque", "Counter", "defaultdict", "OrderedDict", "bytearray"),
    *("LRUCache", "TTLCache", "TLRUCache", "WeakValueDictionary", "WeakKeyDictionary", "WeakSet"),
    *("Queue", "PriorityQueue", "LifoQueue", "SimpleQueue"),
}
"""What grows. A class that derives from one counts too."""


class Row(NamedTuple):
    """One row: the names in its first cell, and all its cells."""

    names: tuple[str, ...]
    cells: tuple[str, ...]


def rows(section: str) -> list[Row]:
    """The rows of the table in one section of the page."""
    text = PAGE.read_text("utf-8")
    _, _, rest = text.partition(f"\n## {section}\n")
    assert rest, f"{PAGE.name} has no section {section}"
    found = []
    for line in rest.partition("\n## ")[0].splitlines():
        cells = tuple(cell.strip() for cell in line.strip("|").split(" | "))
        if line.startswith("| ") and not line.startswith("| name"):
            found.append(Row(tuple(re.findall(r"`([^`]+)`", cells[0])), cells))
    assert found, f"{section} has no rows"
    return found


def named(section: str) -> list[str]:
    return [name for row in rows(section) for name in row.names]


def test_the_rows_are_whole() -> None:
    for section in (DATABASE, MEMORY, LOG, DISK):
        lengths = {len(row.cells) for row in rows(section)}
        assert len(lengths) == 1, f"{section}: rows have different numbers of cells"
        assert all(all(row.cells) and row.names for row in rows(section)), f"{section}: an empty cell"
        twice = [name for name, times in Counter(named(section)).items() if times > 1]
        assert not twice, f"{section}: named twice: {twice}"


# The database.


def columns() -> set[str]:
    return {f"{table.name}.{column.name}" for table in Base.metadata.tables.values() for column in table.c}


def test_every_column_of_the_store_has_a_row_and_no_row_is_of_a_column_that_is_gone() -> None:
    there, written = columns(), set(named(DATABASE))
    assert there - written == set(), f"add these to the table “{DATABASE}” of {PAGE.name}"
    assert written - there == set(), f"these are gone; take them out of {PAGE.name}"


@pytest.mark.parametrize(("column", "way"), [("user_id", "/privacy delete"), ("guild_id", "removal")])
def test_a_row_that_is_somebodys_says_how_it_is_erased(column: str, way: str) -> None:
    theirs = {table.name for table in Base.metadata.tables.values() if column in table.c}
    for row in rows(DATABASE):
        for name in row.names:
            if name.partition(".")[0] in theirs:
                assert way in row.cells[-1], f"{name} goes by {way}: its row does not say so"


def test_an_id_in_a_table_has_a_name_by_which_it_is_found() -> None:
    """A person, server or channel under another name would not be erased: name the column as the others."""
    known = {"user_id", "guild_id", "channel_id", "message_id", "interaction_id", "application_id"}
    known |= {"response_id", "source_id", "answer_id", "before_id", "progress_message_id", *OTHER_CHANNELS}
    ids = {column.name for table in Base.metadata.tables.values() for column in table.c}
    assert {name for name in ids if name.endswith("_id")} <= known


def test_privacy_show_has_words_for_every_table_that_knows_people() -> None:
    theirs = {table.name for table in tables_with("user_id")}
    assert set(KEPT) == theirs, "bot/settings_ui/privacy_words.py has a line for each"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "config" / "policy").glob("privacy.*.md")), ids=lambda file: file.name
)
def test_the_policy_has_a_line_for_every_table_that_knows_people(file: Path) -> None:
    named = set(re.findall(r"<!-- (\w+) -->", file.read_text("utf-8")))
    assert named == {table.name for table in tables_with("user_id")}


# Memory.


def modules() -> Iterator[ast.Module]:
    for folder in LIVING:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if not file.relative_to(ROOT).as_posix().startswith(NOT_LIVING):
                yield ast.parse(file.read_text("utf-8"))


def containers(modules: list[ast.Module]) -> set[str]:
    """Every container that outlives a call, as Class.attribute, or as a name of a module."""
    classes = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    kinds = CONTAINERS | {each.name for each in classes if {_name(base) for base in each.bases} & CONTAINERS}
    found = {
        f"{kind.name}.{name}"
        for kind in classes
        for node in ast.walk(kind)
        for name in _attributes(node, kind, kinds)
    }
    for module in modules:
        for node in module.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and _is_empty(node.value, kinds):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
        found |= {
            node.name
            for node in ast.walk(module)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and {_name(each) for each in node.decorator_list} & {"cache", "lru_cache", "cached"}
        }
    return found


def _attributes(node: ast.AST, kind: ast.ClassDef, kinds: set[str]) -> Iterator[str]:
    """The attributes of a class that a statement fills with a container."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign)):
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Attribute) and _name(target.value) == "self" and _grows(node.value, kinds):
            yield target.attr
        elif isinstance(target, ast.Name) and node in kind.body and not _is_frozen(kind):
            yield from [target.id] * _is_field(node.value, kinds)


def _is_field(value: ast.expr | None, kinds: set[str]) -> bool:
    if not isinstance(value, ast.Call) or _name(value) != "field":
        return False
    return any(_name(each.value) in kinds for each in value.keywords if each.arg == "default_factory")


def _grows(value: ast.expr | None, kinds: set[str]) -> bool:
    """Whether a value is a container that was filled at a run of the code, or will be."""
    return _is_empty(value, kinds) or isinstance(value, (ast.DictComp, ast.ListComp, ast.SetComp))


def _is_empty(value: ast.expr | None, kinds: set[str]) -> bool:
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Set(elts=[]):
            return True
        case ast.Call():
            return _name(value) in kinds
    return False


def _is_frozen(kind: ast.ClassDef) -> bool:
    """Whether it is a value, which belongs to the call that made it."""
    return any("frozen=True" in ast.unparse(each) for each in kind.decorator_list)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return _name(func)
        case ast.Subscript(value=value):
            return _name(value)
    return ""


def test_everything_that_grows_in_memory_has_a_row_and_no_row_is_of_what_is_gone() -> None:
    there, written = containers(list(modules())), set(named(MEMORY))
    assert there - written == set(), f"add these to the table “{MEMORY}” of {PAGE.name}"
    assert written - there == set(), f"these are gone; take them out of {PAGE.name}"


def test_a_new_container_is_found_however_it_is_written() -> None:
    code = """
SEEN = {}
FIXED = {"a": 1}

@lru_cache
def remembered(): ...

class _Newest(LRUCache): ...

class Service:
    TABLE = {"a": 1}
    def __init__(self):
        self._one: dict[int, int] = {}
        self._two = cachetools.TTLCache(5, ttl=1)
        self._three, self.name = _Newest(), "x"
        self._four = _Newest()
        self._five = asyncio.Queue[int]()
        self._six = {each: 0 for each in ()}
        self._settings = {"a": 1}
    def later(self):
        self._seven = set()

@dataclass
class State:
    eight: list[int] = field(default_factory=list)

@dataclass(frozen=True)
class Value:
    parts: list[int] = field(default_factory=list)
"""
    numbers = ("_one", "_two", "_four", "_five", "_six", "_seven")
    assert containers([ast.parse(code)]) == {
        *(f"Service.{number}" for number in numbers),
        *("SEEN", "remembered", "State.eight"),
    }


# The log.


def logged() -> set[str]:
    """The expressions whose values stand in our lines, as written."""
    found: set[str] = set()
    for folder in ("bot", "inference", "config"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_log(node.func):
                    found |= {ast.unparse(each) for each in node.args[1 + (node.func.attr == "log") :]}
                    for extra in (each.value for each in node.keywords if each.arg == "extra"):
                        keys = extra.keys if isinstance(extra, ast.Dict) else []
                        found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return found


def _is_log(function: ast.Attribute) -> bool:
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    return _name(function.value) in ("log", "logger", "_log") and function.attr in levels


def is_known(field: str) -> bool:
    """Whether a row of the log's table is about a field, by its name or a pattern with an asterisk."""
    return any(fnmatchcase(field, pattern) for pattern in named(LOG))


def test_everything_that_is_logged_has_a_row() -> None:
    found = logged()
    assert len(found) > 30
    assert [field for field in sorted(found) if not is_known(field)] == [], (
        f"add these to the table “{LOG}” of {PAGE.name}, or log an id"
    )


def test_the_fields_of_an_image_s_line_have_rows() -> None:
    module = ast.parse((ROOT / "bot/tracing/request_tracing.py").read_text("utf-8"))
    classifying = ast.parse((ROOT / "bot/answering/classifying.py").read_text("utf-8"))
    keys = {key for node in (*ast.walk(module), *ast.walk(classifying)) for key in _facts(node)}
    assert {"id", "way", "bytes", "model"} <= keys
    assert [key for key in sorted(keys) if not is_known(key)] == []


def _facts(node: ast.AST) -> Iterator[str]:
    """The keys that a statement gives to `facts`."""
    keys: list[ast.expr | None] = []
    if isinstance(node, ast.Subscript) and _name(node.value) == "facts":
        keys = [node.slice]
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and _name(node.target) == "facts":
        keys = node.value.keys if isinstance(node.value, ast.Dict) else []
    yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))
