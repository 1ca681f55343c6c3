"""Law 1: who may import whom. Read from the source, and seen to hold at run time."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

import prism_sim

ROOT = Path(prism_sim.__file__).parent
SEAM = {"plan", "effects", "driver", "meetings", "partition", "wire", "element_types"}
CORE = SEAM | {"progress", "catalogue", "plugins", "hub"}
SIZES = {"strategies", "compressors", "families", "shapes"}


@dataclass(frozen=True)
class Room:
    """rooms, packages: what its modules may import, beside themselves and the standard library.

    late: what only a function may import, when it is called.
    """

    rooms: Set[str] = frozenset()
    packages: Set[str] = frozenset()
    late: Set[str] = frozenset()


ROOMS = {
    "plan": Room(),
    "effects": Room({"plan"}),
    "partition": Room(),
    "accuracy_columns": Room(),
    "plugins": Room(),
    "catalogue": Room({"plugins"}),
    "units_text": Room(),
    "devices": Room({"plan"}),
    "element_types": Room(),
    "progress": Room(),
    "hub": Room(late={"huggingface_hub"}),
    "wire": Room({"effects"}),
    "meetings": Room({"plan", "effects"}),
    "driver": Room({"plan", "effects", "meetings"}),
    "families": Room({"catalogue", "plugins", "element_types"}),
    "compressors": Room(
        {"plan", "partition", "catalogue", "plugins"},
        # the numbers of a compressor; its size law must do without
        late={"prism_sim.numeric.equations", "torch"},
    ),
    "strategies": Room({"plan", "effects", "partition", "catalogue", "plugins", "compressors"}, {"annotated_types"}),
    "shapes": Room(CORE | SIZES),
    "numeric": Room(CORE | SIZES, {"torch", "transformers", "safetensors", "PIL", "numpy"}),
    "live": Room(
        CORE | SIZES | {"numeric"},
        {"torch", "transformers", "numpy", "psutil"},
        # the command: a process that torchrun starts begins here; robust least squares
        late={"prism_sim.commands.live", "scipy.optimize", "numpy"},
    ),
    "evaluation": Room(CORE | SIZES | {"numeric", "tasks"}, {"torch", "numpy"}),
    "timing": Room({"plan", "catalogue", "devices"}, {"simpy", "numpy", "networkx", "numba", "llvmlite"}),
    "syntax": Room(CORE | SIZES | {"tasks"}, {"pydantic", "pydantic_core", "annotated_types", "yaml"}),
    "scenario": Room(CORE | SIZES | {"tasks", "devices", "syntax"}, {"pydantic"}),
    "tasks": Room(
        {"catalogue", "plugins", "hub"},
        {"numpy", "PIL"},
        # data that ships with them, read when a task is loaded; benchmarks' files, and what prepares their examples
        late={
            "datasets",
            "huggingface_hub",
            "prism_sim.numeric.inputs",
            "prism_sim.numeric.loading",
            "scipy.stats",
            "sklearn.datasets",
            "tokenizers",
            "tokenizers.processors",
        },
    ),
    "figures": Room(
        {"plan", "accuracy_columns", "catalogue", "plugins", "units_text", "timing"}, {"numpy", "matplotlib", "pandas"}
    ),
}
# where plans, timing and numbers meet: a room a question, from the bottom up; each imports what it likes of the rooms
# above in this file and of those before it here, and nothing that comes after
JOINING = (
    "kept",
    "ready",
    "generation",
    "shares",
    "simulation",
    "training",
    "outputs",
    "choice",
    "loss",
    "why",
    "live_runs",
    "sweeping",
    "searching",
    "boards",
    "citing",
    "calibration",
    "validation",
    "reports",
    "pages",
    "commands",
    "cli",
)
# the command that a process of torchrun begins with
UPWARDS = {("live", "commands")}


@dataclass(frozen=True)
class Import:
    module: str
    late: bool


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[Import]:
    """Everything that a file imports; late: inside a function."""

    def visit(node: ast.AST, late: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            assert node.module is not None
            if node.module == "prism_sim":  # each name is a room
                yield from (Import(f"prism_sim.{alias.name}", late) for alias in node.names)
            else:
                yield Import(node.module, late)
        within = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, within)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")), False)


def is_allowed(found: Import, room: str) -> bool:
    rules, parts = ROOMS[room], found.module.split(".")
    if found.late and found.module in rules.late:
        return True
    if parts[0] == "prism_sim":
        return parts[1] == room or parts[1] in rules.rooms
    return parts[0] in sys.stdlib_module_names or parts[0] in rules.packages


FILES = sorted(ROOT.rglob("*.py"))


def below(room: str) -> Set[str]:
    """The rooms that a joining room may import."""
    return {*ROOMS, *JOINING[: JOINING.index(room)], room}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = room_of(path)
    if path.parent == ROOT and room == "__init__":
        return
    if room in ROOMS:
        strange = sorted({found.module for found in imports_of(path) if not is_allowed(found, room)})
    else:
        assert room in JOINING, f"{room} is a new room: say in ROOMS what it may import, or in JOINING where it stands"
        ours = {found.module for found in imports_of(path) if found.module.startswith("prism_sim.")}
        strange = sorted(module for module in ours if module.split(".")[1] not in below(room))
    assert not strange, f"{path.relative_to(ROOT)} may not import {', '.join(strange)}"


def test_rooms_have_no_circles() -> None:
    """Of the lower rooms, whose table allows late imports too; the joining ones stand in an order."""
    leads_to = {
        room: {
            found.module.split(".")[1]
            for path in FILES
            if room_of(path) == room
            for found in imports_of(path)
            if found.module.startswith("prism_sim.") and not found.late
        }
        - {room}
        for room in ROOMS
    }
    done: set[str] = set()
    while ready := {room for room in leads_to if room not in done and leads_to[room] <= done}:
        done |= ready
    assert done == set(ROOMS), f"a circle among {', '.join(sorted(set(ROOMS) - done))}"


def test_the_table_for_readers_names_every_room() -> None:
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for room in {room_of(path) for path in FILES if path.parent != ROOT}:
        assert f"`{room}/`" in text, f"CONTRIBUTING.md does not say what lives in {room}"


@pytest.mark.parametrize(("left", "right"), [("numeric", "timing"), ("live", "timing")])
def test_numbers_and_time_meet_only_where_everything_is_joined(left: str, right: str) -> None:
    for path in FILES:
        rooms = {found.module.split(".")[1] for found in imports_of(path) if found.module.startswith("prism_sim.")}
        if {left, right} <= rooms | {room_of(path)}:
            assert room_of(path) not in ROOMS, f"{path.relative_to(ROOT)} joins {left} and {right}"


# code that runs in a fresh interpreter, and what it must not have loaded by then
FRESH = {
    "predicting every strategy's Plan": (
        """
from prism_sim import compressors, families, scenario, strategies
from prism_sim.families import Dimensions
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job

assert compressors.catalogue() and families.catalogue()
sizes = Dimensions("bert", n_blocks=4, width=12, n_heads=4, feed_forward_width=24, max_tokens=16, vocabulary=9)
for name, strategy in strategies.catalogue().items():
    ranks = 1 if strategy.one_rank else 2
    head = families.find("bert").head("none")
    predict(Job(sizes, head, 1, 16, head.tokens(16), ranks, name, strategy.options()))
""",
        ("torch", "transformers", "simpy", "matplotlib", "pandas"),
    ),
    "importing the package": ("import prism_sim", ("torch", "transformers", "simpy", "numpy", "pydantic")),
    "running a scenario": ("import prism_sim.choice.run, prism_sim.reports.run", ("torch", "numpy", "pandas")),
    "importing the timing": ("import prism_sim.timing", ("torch", "transformers")),
    "importing the numerics": ("import prism_sim.numeric.infer", ("simpy",)),
    "importing the seam": (
        "import prism_sim.plan, prism_sim.effects, prism_sim.partition, prism_sim.driver",
        ("torch", "simpy", "numpy"),
    ),
}


@pytest.mark.parametrize("what", FRESH)
def test_does_not_load_what_it_does_not_need(what: str) -> None:
    code, unwanted = FRESH[what]
    check = f"\nimport sys\nprint(*[name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == []
