"""`sweep`: one scenario with many answers, as a table with a row a point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim.kept.cache import cache_folder
from prism_sim.outputs.checkpoints import weights_of
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError, load_scenario
from prism_sim.sweeping.journal import Journal, Known
from prism_sim.sweeping.local import InProcess, Processes, Workers
from prism_sim.sweeping.pieces import Pieces
from prism_sim.sweeping.points import Grid, GridQuestion, Overrides
from prism_sim.sweeping.table import SweepTable, table_of
from prism_sim.sweeping.work import Kind, PieceAnswer, SweepWork, source_digest

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS: dict[Kind, str] = {"numerics": "question", "accuracy": "accuracy"}  # under what a point's timing has them


def sweep(
    scenario: Scenario | str | Path, jobs: int = 2, numerics: bool = True, dask: str | None = None
) -> pd.DataFrame:
    """Runs every point of a scenario's `sweep` section; one row a point, in the order of the section.

    Columns: the swept fields as written and, of quantities, in SI with the unit in the name; then all that `run` gives,
    flat; `reason`: why a point has no figures, else empty. jobs: processes; the table does not depend on them.
    numerics: compute the real outputs too, once for all points that share them; without, torch is never imported.
    dask: address of a Dask scheduler, whose workers compute instead.
    Raises ScenarioError where the scenario or its sweep is wrong.
    """
    from prism_sim.sweeping.frames import frame_of

    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    return frame_of(Sweep(Grid.of(scenario), numerics).table(jobs, dask))


class Sweep:
    """A sweep under way: its points, what is known of them, where that is kept, and who watches."""

    def __init__(
        self,
        grid: Grid,
        numerics: bool,
        journal: Journal | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self.grid, self.numerics, self.journal, self.progress = grid, numerics, journal, progress
        self.known = Known() if journal is None else journal.known
        self.shared_by = Counter(grid.task_of)

    def table(self, jobs: int, dask: str | None = None) -> SweepTable:
        """Computes what is not known yet: first all times, then each output and each accuracy once."""
        if jobs < 1:
            raise ValueError(f"jobs(={jobs}) must be >= 1")
        with closing(self._workers(jobs, dask)) as workers:
            self._compute(workers, Pieces("timing", self._open_points(), workers.n_workers))
            if dask is None:
                self._train()
            self._compute(workers, Pieces("numerics", self._open("numerics"), workers.n_workers))
            for questions in self._open_accuracies():
                self._compute(workers, Pieces("accuracy", questions, workers.n_workers))
        return table_of(self.grid, self.known)

    def _workers(self, jobs: int, dask: str | None) -> Workers:
        work = SweepWork(self.grid.base, self.numerics, source_digest())
        if dask is not None:
            from prism_sim.sweeping.dask_backend import DaskWorkers

            return DaskWorkers(work, dask)
        n_workers = min(jobs, len(self._open_points()) or len(self._open("numerics")) or len(self._open("accuracy")))
        return Processes(work, n_workers) if n_workers > 1 else InProcess(work)

    def _compute(self, workers: Workers, pieces: Pieces) -> None:
        n_known, n_all = self._progress(pieces)
        if not pieces.points:
            return
        self.progress.watch(pieces.what, n_known, n_all)
        for answer in workers.answers(pieces):
            if self.journal is not None:
                self.journal.write(answer)
            self.known.add(answer.kind, answer.found, answer.blocks)
            n_known += self._worth(answer)
            self.progress.watch(pieces.what, n_known, n_all)

    def _progress(self, pieces: Pieces) -> tuple[int, int]:
        if pieces.kind != "timing":
            n_known = len(self.known[pieces.kind])
            return n_known, n_known + len(self._open(pieces.kind))
        return sum(self.shared_by[number] for number in self.known["timing"]), len(self.grid.task_of)

    def _worth(self, answer: PieceAnswer) -> int:
        """Points that it settles, or questions."""
        if answer.kind != "timing":
            return len(answer.found)
        return sum(self.shared_by[number] for block in answer.blocks for number in block.numbers)

    def _open_points(self) -> list[tuple[Any, Overrides]]:
        known = self.known["timing"]
        return [(task.number, task.overrides) for task in self.grid.tasks if task.number not in known]

    def _open(self, kind: Kind) -> list[tuple[Any, Overrides]]:
        """Questions of outputs or accuracy, each with the first point that asks it."""
        return [(question, task.overrides) for question, task in self._first(kind).items()]

    def _first(self, kind: Kind) -> dict[str, GridQuestion]:
        """In the order of points."""
        first: dict[str, int] = {}
        for block in self.known.timings.blocks:
            question = block.questions.get(QUESTIONS[kind])
            if question is not None and question not in self.known[kind]:
                first[question] = min(*block.numbers, first.get(question, block.numbers[0]))
        tasks = {task.number: task for task in self.grid.tasks} if first else {}
        return {question: tasks[number] for question, number in sorted(first.items(), key=lambda one: one[1])}

    def _open_accuracies(self) -> Iterator[list[tuple[Any, Overrides]]]:
        """First one for each undistributed model, whose answers the others then find on disk; then the others."""
        first = self._first("accuracy")
        alone: dict[str, str] = {}
        for question, task in first.items():
            alone.setdefault(self.known["timing"][task.number]["undistributed"], question)
        for part in (set(alone.values()), first.keys() - set(alone.values())):
            yield [(question, task.overrides) for question, task in first.items() if question in part]

    def _train(self) -> None:
        """The references that open questions need: once, before workers ask for them at the same time."""
        folders: dict[Kind, str] = {"numerics": "numerics", "accuracy": "evaluations"}
        for kind, folder in folders.items():
            done = set[Any]()
            for question, task in self._first(kind).items():
                alone = self.known["timing"][task.number].get("undistributed")
                if alone is None or alone in done or (cache_folder(folder) / f"{question}.json").exists():
                    continue
                done.add(alone)
                with suppress(ScenarioError):  # which the worker who asks then says of each point
                    weights_of(self.grid.base.with_overrides(task.overrides), self.progress)
