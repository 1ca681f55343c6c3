"""Points that are answered together, and each by itself."""

from __future__ import annotations

import math

from prism_sim import run
from prism_sim.scenario import ScenarioError
from prism_sim.sweeping import rows
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.work import SweepWork, WorkPiece, perform, source_digest


def by_itself(scenario, overrides):
    try:
        return rows.flat(run(scenario.with_overrides(overrides), numerics=False, advise=False).to_json())
    except ScenarioError as error:
        return {"reason": str(error)}


def answered(scenario):
    grid = Grid.of(scenario)
    work = SweepWork(grid.base, False, source_digest())
    blocks = perform(work, WorkPiece("timing", tuple((task.number, task.overrides) for task in grid.tasks))).blocks
    return grid, work, blocks


def same(one: object, other: object) -> bool:
    return type(one) is type(other) and (one == other or (isinstance(one, float) and math.isnan(one)))
