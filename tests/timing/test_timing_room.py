"""What the room of timing promises the others: light imports, and speed."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import prism_sim.timing
from prism_sim.timing import Device, Switch, play_once

ROOM = Path(prism_sim.timing.__file__).parent
ALLOWED = {"simpy", "numpy", "networkx", "numba", "llvmlite", *sys.stdlib_module_names}


def benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "engine.py"
    spec = importlib.util.spec_from_file_location("engine_benchmark", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_timing_imports_the_plan_and_devices_and_no_other_room(path: Path):
    tree = ast.parse(path.read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    for name in names:
        own = name in ("prism_sim.plan", "prism_sim.devices") or name.startswith("prism_sim.timing")
        assert own or name.split(".")[0] in ALLOWED
    if path.parent.name != "compiled":
        assert "numba" not in names
    for node in tree.body:  # networkx only where a network of links is built
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert "networkx" not in ast.unparse(node)


@pytest.mark.slow
def test_the_engine_is_no_slower_than_simpy_written_for_one_case():
    assert benchmark().ratio(repeats=30)[2] <= 1.0


@pytest.mark.parametrize("n_ranks", [4, 16])
def test_an_all_gather_is_a_message_for_each_pair_and_block(n_ranks: int):
    plan = benchmark().all_gather_plan(n_ranks)
    boards = [Device(f"board {number}", 1e9, 1e9) for number in range(n_ranks)]
    timeline = play_once(plan, boards, (*range(n_ranks), 0), Switch(100e6, 100e6, 0.12e-3))
    assert len(timeline.messages) == 12 * n_ranks * (n_ranks - 1)
