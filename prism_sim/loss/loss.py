"""Where a scenario's loss arises: error of the residual stream by block, by rank, and by distance to the border."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim.choice.auto import resolved
from prism_sim.kept.cache import Kept, cache_folder
from prism_sim.numeric.deviation import Cell, Deviation, by, pooled
from prism_sim.outputs.fidelity import question
from prism_sim.outputs.model_inputs import key, reader
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.shapes.job import Job
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, simulate

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA = "prism-sim/loss/1"
KEPT = "prism-sim/residuals/1"
NOTHING = 1e-4  # of the largest error of a rank: rounding

Distance = tuple[int, int]  # nearest and furthest, in tokens


@dataclass(frozen=True, slots=True)
class Output:
    """How far the output is from the undistributed model's; see `numeric.measure`. kl: None without logits."""

    cosine: float
    kl: float | None


@dataclass(frozen=True, slots=True)
class Residuals:
    """What was measured: rows after every block, and the output."""

    cells: tuple[Cell, ...]
    output: Output

    @classmethod
    def of_json(cls, found: dict[str, Any]) -> Residuals:
        return cls(tuple(Cell(**cell) for cell in found["cells"]), Output(**found["output"]))


@dataclass(frozen=True)
class Loss:
    """A scenario's residual stream against the undistributed model's."""

    scenario: Scenario
    simulation: Simulation
    residuals: Residuals

    @cached_property
    def blocks(self) -> list[Deviation]:
        """Of all rows after each block."""
        return [pooled(cells) for _, cells in sorted(by(self.residuals.cells, lambda cell: cell.block).items())]

    @property
    def worst_block(self) -> int:
        """The one that adds most; the first of equals."""
        return max(range(len(self.blocks)), key=lambda block: (self.blocks[block].added, -block))

    @property
    def ranks(self) -> list[int]:
        return sorted({cell.rank for cell in self.residuals.cells})

    def of_rank(self, rank: int) -> dict[int, Deviation]:
        """Of its rows after each block that it runs."""
        own = (cell for cell in self.residuals.cells if cell.rank == rank)
        return {block: pooled(cells) for block, cells in by(own, lambda cell: cell.block).items()}

    @cached_property
    def distances(self) -> dict[Distance, list[Deviation]]:
        """Of the rows that lie so far from their partition's border, after each block; empty where there are none.

        Ranks that lose nothing do not count, if others do: they lie where they lie, and would hide what distance does.
        """
        errors = {rank: max(one.error for one in self.of_rank(rank).values()) for rank in self.ranks}
        largest = max(errors.values())
        counting = (cell for cell in self.residuals.cells if errors[cell.rank] >= NOTHING * largest)
        found = by(counting, lambda cell: cell.distance)
        return {
            distance: [pooled(cells) for _, cells in sorted(by(found[distance], lambda cell: cell.block).items())]
            for distance in sorted(found)
        }

    @property
    def random_weights(self) -> bool:
        return self.scenario.model.weights == "random"

    def device(self, rank: int) -> str:
        return self.scenario.devices[self.simulation.device_of[rank]].name

    def table(self) -> DataFrame:
        """A row a cell, for the figures."""
        import pandas

        return pandas.DataFrame([asdict(cell) for cell in self.residuals.cells])

    def to_json(self) -> dict[str, Any]:
        segments, rate = self.simulation.compression
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "strategy": self.simulation.job.strategy,
            "segments": segments,
            "compression_rate": rate,
            "blocks": [{"block": number, **asdict(found)} for number, found in enumerate(self.blocks)],
            "ranks": [
                {"rank": rank, "device": self.device(rank), "block": block, **asdict(found)}
                for rank in self.ranks
                for block, found in self.of_rank(rank).items()
            ],
            "distances": [
                {"nearest": nearest, "furthest": furthest, "block": block, **asdict(found)}
                for (nearest, furthest), of_blocks in self.distances.items()
                for block, found in enumerate(of_blocks)
            ],
            "cells": [asdict(cell) for cell in self.residuals.cells],
            "output": asdict(self.residuals.output),
            "provenance": provenance(self.scenario),
        }


def loss(scenario: Scenario | str | Path, progress: Progress = SILENT) -> Loss:
    """Really computes a scenario, or the file of one, and says where its outputs' error arises.

    progress: told, in a sentence, before something that may take long. Kept on disk, as `run` keeps its outputs.
    Raises ScenarioError where the scenario is wrong.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    with placed(scenario):
        scenario = resolved(scenario, progress)
        simulation = simulate(scenario, progress=progress)
        return Loss(scenario, simulation, residuals_of(scenario, simulation.job, progress))


def residuals_of(scenario: Scenario, job: Job, progress: Progress = SILENT) -> Residuals:
    """From disk, or really computed. Raises as `numerics.fidelity_of`."""

    def compute() -> Residuals:
        progress.line(
            f"computing {scenario.model.label} block by block, {job.n_ranks} rank(s), once; then kept on disk"
        )
        return _measure(scenario, job)

    kept = Kept("the residual stream's errors", KEPT, asdict, Residuals.of_json)
    asked = question(scenario, job, f"{KEPT} {key(scenario, job)}")
    return kept.at(cache_folder("residuals") / f"{asked}.json", compute, progress)


def _measure(scenario: Scenario, job: Job) -> Residuals:
    from prism_sim.numeric.residuals import deviations
    from prism_sim.numeric.threads import fixed_threads

    case = reader(scenario, job).case(0)
    with fixed_threads():
        cells, found = deviations(case.known, case.job)
    return Residuals(cells, Output(found.cosine, found.kl))
