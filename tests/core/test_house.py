"""The house as a whole: a name is one thing, imports lead one way, a room can be overlooked. Read from the source."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import prism_sim

ROOT = Path(prism_sim.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MOST_FILES = 20  # of a room: what fits a screen with a name each

SHARED_NAMES = {"Options"}  # a strategy's options, and the contract that they meet: `strategies.base` finds no others
# rooms in which every file is one entry of a list that users know: a command, how its answer reads, a picture
LISTS = {"commands", "figures", "reports"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imported(path: Path) -> Iterator[str]:
    """Modules of the package that are imported while a file is loaded, or by a type checker; not inside functions."""
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "prism_sim":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else str(node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules that import each other in turn, the first again at the end; empty: there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])[::-1]
    return []


def imports() -> dict[str, set[str]]:
    """Of each module but the package itself, which loads what users ask it for when they do: no part of a circle."""
    return {module: set(imported(path)) - {module} for module, path in MODULES.items() if module != "prism_sim"}


def test_no_two_classes_of_the_package_have_one_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for module, path in MODULES.items():
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    twice = {name: found for name, found in homes.items() if len(found) > 1 and name not in SHARED_NAMES}
    assert not twice, f"a name a meaning: rename all but one of {twice}"


def test_no_file_imports_one_that_leads_back_to_it() -> None:
    found = circle(imports())
    assert not found, f"a circle of imports: {' -> '.join(found)}"


def test_a_circle_is_found() -> None:
    assert circle({"a": ["b"], "b": ["c"], "c": []}) == []
    assert set(circle({"a": ["b"], "b": ["c"], "c": ["b"]})) == {"b", "c"}


def test_a_room_has_no_more_files_than_can_be_overlooked() -> None:
    rooms: dict[str, int] = defaultdict(int)
    for path in FILES:
        rooms[str(path.parent.relative_to(ROOT))] += 1
    large = {room for room, n_files in rooms.items() if n_files > MOST_FILES}
    assert large <= LISTS, f"over {MOST_FILES} files: divide it"
