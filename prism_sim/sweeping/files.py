"""A sweep's files: the table, its provenance beside it and, until both are there, the journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prism_sim.kept.files import write_whole
from prism_sim.outputs.checkpoints import files_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.simulation.provenance import provenance
from prism_sim.sweeping.journal import Journal, journal_of, now, provenance_of
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.sweep import Sweep
from prism_sim.sweeping.table import SweepTable
from prism_sim.sweeping.work import source_digest

SCHEMA = "prism-sim/sweep/1"
DEFAULT_NAME = "sweep.csv"
ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True)
class SweepRequest:
    """What is to be computed, where it goes, and by whom. resume: go on where an earlier sweep to that place ended."""

    scenario: Scenario
    table: Path
    numerics: bool = True
    jobs: int = 2
    dask: str | None = None
    resume: bool = False


@dataclass(frozen=True)
class Done:
    """table: None where a finished table was found and left as it was. n_known: tasks that were known at the begin."""

    table: SweepTable | None
    grid: Grid
    n_known: int


def table_path(out: Path) -> Path:
    """A file of its own, by the ending, or `sweep.csv` in a folder."""
    return out if out.suffix in ENDINGS and not out.is_dir() else out / DEFAULT_NAME


def sweep_to_file(order: SweepRequest, progress: Progress = SILENT) -> Done:
    """Computes a sweep and writes its table, whole or not at all; what is known at any earlier end is kept.

    Raises ScenarioError where the scenario is wrong or what is there belongs to another sweep, OSError where files
    cannot be written or workers are lost.
    """
    grid = Grid.of(order.scenario)
    identity = identity_of(order.scenario, order.numerics)
    path = journal_of(order.table)
    if order.resume and not path.exists() and _is_finished(order.table, identity):
        return Done(None, grid, len(grid.tasks))
    journal = Journal(path, identity, order.resume)
    try:
        n_known = len(journal.known["timing"])
        table = Sweep(grid, order.numerics, journal, progress).table(order.jobs, order.dask)
        from prism_sim.sweeping.frames import frame_of, write_table  # pandas takes a while to import

        described = _described(order, table, identity, journal.started, len(grid.tasks))
        write_whole(provenance_of(order.table), json.dumps(described, indent=2) + "\n")
        write_table(order.table, frame_of(table))
        journal.remove()
    finally:
        journal.close()
    return Done(table, grid, n_known)


def identity_of(scenario: Scenario, numerics: bool) -> dict[str, str]:
    """What two sweeps must have in common for one to go on with the other's figures."""
    source = scenario.written.source
    tree = dict(source.tree)
    sweep = tree.pop("sweep", {})
    folder = scenario.model.folder
    files = [] if folder is None else [(path.name, path.stat().st_size) for path in files_of(folder)]
    return {
        "scenario": _digest([tree, scenario.hash, files, source.presets.texts]),
        "sweep": _digest(sweep),
        "choice of numerics": str(numerics),
        "version of prism_sim": _digest([source_digest(), provenance(scenario)["versions"]]),
    }


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()


def _is_finished(table: Path, identity: Mapping[str, str]) -> bool:
    try:
        found = json.loads(provenance_of(table).read_text(encoding="utf-8"))
        return table.exists() and bool(found["identity"] == identity)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _described(
    order: SweepRequest, table: SweepTable, identity: Mapping[str, str], started: str, n_tasks: int
) -> dict[str, Any]:
    scenario = order.scenario
    return {
        "schema": SCHEMA,
        "name": scenario.name,
        "table": order.table.name,
        "points": table.n_points,
        "computed": n_tasks,
        "without_figures": table.n_failed,
        "numerics": order.numerics,
        "columns": table.kinds,
        "sweep": dict(scenario.written.sweep),
        "overrides": [str(override.place) for override in scenario.written.overrides],
        "scenario_file": scenario.path.read_text(encoding="utf-8"),
        **({"preset_files": dict(texts)} if (texts := scenario.written.source.presets.texts) else {}),
        **provenance(scenario),
        "identity": dict(identity),
        "started": started,
        "ended": now(),
    }
