"""`search`: the best points of a scenario's sweep by several objectives, without computing all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError, sweep_axes
from prism_sim.searching.bounds import Bounds
from prism_sim.searching.goals import Front, Goals, PointOutcome
from prism_sim.searching.played import REASON, Evaluate, Row, evaluator
from prism_sim.searching.space import Point, Space
from prism_sim.sweeping.points import Grid

if TYPE_CHECKING:
    from optuna import Study

    from prism_sim.searching.explorer import Kind, Store

SCHEMA = "prism-sim/search/1"
ROW, POINT = "row", "point"  # a trial's own attributes
LEAST = "least_latency_s"  # all that is known of a point that was ruled out
SHARES = "shares"
SHOWN_SHARES = ("shares_kind", *(f"shares_sizes_{name}" for name in ("tokens", "heads", "blocks", "samples")))
DEFAULT_SHARE, DEFAULT_LEAST, DEFAULT_MOST = 5, 50, 2000  # evaluations: a fifth of the grid, within limits

Bound = Callable[[int], float | None]  # by number of a point: the latency that it has at least, if that is known


@dataclass(frozen=True)
class SearchRequest:
    """What is searched. evaluations: distinct ones, those in `storage` included; None: a fifth of the grid."""

    scenario: Scenario
    goals: Goals
    evaluations: int | None = None
    seed: int = 0
    kind: Kind = "nsga2"
    numerics: bool = True
    storage: Path | None = None


@dataclass(frozen=True)
class Evaluated:
    """A point of the sweep. reason: why it is not wanted, or has no figures."""

    number: int
    row: Row
    outcome: PointOutcome
    reason: str | None

    @property
    def is_ruled_out(self) -> bool:
        """Not played, since a bound shows that it is not wanted."""
        return LEAST in self.row


@dataclass(frozen=True)
class SearchResult:
    """evaluated: in their order. front: places in it, by growing first objective. n_known: from the storage."""

    order: SearchRequest
    evaluated: tuple[Evaluated, ...]
    front: tuple[int, ...]
    fields: tuple[str, ...]
    n_points: int
    n_distinct: int
    n_known: int

    @property
    def reasons(self) -> Counter[str]:
        return Counter(one.reason for one in self.evaluated if one.reason is not None)

    @property
    def n_ruled_out(self) -> int:
        return sum(one.is_ruled_out for one in self.evaluated)

    @property
    def n_played(self) -> int:
        return len(self.evaluated) - self.n_ruled_out

    @property
    def front_rows(self) -> list[Row]:
        """The swept fields, the shares where any are uneven, and the objectives."""
        objectives = [one.column for one in self.order.goals.objectives]
        columns = dict.fromkeys((*self.fields, *self._share_columns, *objectives))
        return [{name: self.evaluated[place].row.get(name) for name in columns} for place in self.front]

    @property
    def _share_columns(self) -> list[str]:
        """Whose shares they are, and what they come to, of points on the front with uneven ones."""
        rows = [self.evaluated[place].row for place in self.front]
        uneven = [row for row in rows if row.get("shares_kind") not in (None, "equal")]
        return list(dict.fromkeys(name for row in uneven for name in row if name in SHOWN_SHARES and row[name]))

    def to_json(self) -> dict[str, Any]:
        """`--json`'s content."""
        from prism_sim.simulation.provenance import provenance

        goals = self.order.goals
        return {
            "schema": SCHEMA,
            "name": self.order.scenario.name,
            "objectives": [{"column": one.column, "maximise": one.maximise} for one in goals.objectives],
            "where": [str(one) for one in goals.conditions],
            "sampler": self.order.kind,
            "seed": self.order.seed,
            "evaluated": len(self.evaluated),
            "played": self.n_played,
            "ruled_out": self.n_ruled_out,
            "known_before": self.n_known,
            "grid_points": self.n_points,
            "distinct_grid_points": self.n_distinct,
            "infeasible": sum(self.reasons.values()),
            "reasons": dict(self.reasons),
            "front": self.front_rows,
            "provenance": provenance(self.order.scenario),
        }


def search(order: SearchRequest, progress: Progress = SILENT) -> SearchResult:
    """Raises ScenarioError where the scenario, its sweep, a column or the storage is wrong, or Optuna is missing."""
    require_optuna()
    order = replace(order, scenario=_with_serving_shares(order.scenario))
    grid = Grid.of(order.scenario)
    return Search(grid, order, evaluator(grid, order.numerics), Bounds(grid).least_latency_s).run(progress)


def _with_serving_shares(scenario: Scenario) -> Scenario:
    """Each point gets the shares that serve it, unless the scenario or its sweep states them."""
    swept = {axis.field for axis in sweep_axes(scenario)} & {"strategy", f"strategy.{SHARES}"}
    stated = SHARES in scenario.written.strategy_fields or swept
    return scenario if stated else scenario.with_overrides({f"strategy.{SHARES}": "auto"})


def require_optuna() -> None:
    try:
        import optuna
    except ImportError:
        raise ScenarioError("search needs Optuna, which is not installed: pip install 'prism-sim[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class Search:
    """A search under way. evaluate: gives a point's row, once. bound: tells which points need no such row."""

    def __init__(
        self, grid: Grid, order: SearchRequest, evaluate: Evaluate, bound: Bound = lambda number: None
    ) -> None:
        from prism_sim.searching.explorer import Explorer

        self.grid, self.order, self.evaluate, self.bound = grid, order, evaluate, bound
        self.space, self.fields = Space.of(grid), list(grid.columns())
        self.budget = _budget(order.evaluations, len(grid.tasks))
        self.explorer = Explorer(self.space, order.kind, self.budget, order.seed)
        self.evaluated: list[Evaluated] = []
        self.front = Front()
        self.is_checked = False

    def _tell(self, progress: Progress) -> None:
        progress.watch("searching", len(self.evaluated), self.budget, f"{len(self.front.feasible)} on the front")

    def run(self, progress: Progress) -> SearchResult:
        store = self._store()
        study = self._study(store)
        n_known = len(self.evaluated)
        self._tell(progress)
        while len(self.evaluated) < self.budget:
            self._step(study, store)
            self._tell(progress)
        return SearchResult(
            self.order,
            tuple(self.evaluated),
            tuple(self.front.feasible),
            tuple(axis.field for group in self.grid.groups for axis in group),
            len(self.grid.task_of),
            len(self.grid.tasks),
            n_known,
        )

    def _step(self, study: Study, store: Store | None) -> None:
        from prism_sim.searching.explorer import VIOLATION

        trial = study.ask(self.explorer.distributions)
        point = tuple(int(trial.params[name]) for name in self.explorer.distributions)
        number = self.space.task(point)
        row = self._ruled_out(number) or self.evaluate(number)
        outcome = self._take(point, row)
        trial.set_user_attr(VIOLATION, outcome.violation)
        trial.set_user_attr(ROW, row)
        trial.set_user_attr(POINT, point)
        study.tell(trial, list(outcome.costs))
        if store is not None:
            store.add(study.get_trials(deepcopy=False)[-1])

    def _ruled_out(self, number: int) -> Row | None:
        """What is known of a point that need not be played; not before a row has shown that its columns are there."""
        if not (self.is_checked and self.order.goals.bound_by_latency):
            return None
        least_s = self.bound(number)
        if least_s is None or self.order.goals.ruled_out(least_s, self._best_s) is None:
            return None
        fields = {name: values[number] for name, values in self.fields}
        return fields | {LEAST: least_s}

    @property
    def _best_s(self) -> float:
        """Of what is wanted and minimises latency alone; until there is such a point, any time is as good."""
        return min((self.evaluated[place].outcome.costs[0] for place in self.front.feasible), default=math.inf)

    def _outcome(self, row: Row) -> tuple[PointOutcome, str | None]:
        if LEAST not in row:
            return self.order.goals.outcome(row)
        found = self.order.goals.ruled_out(row[LEAST], self._best_s)
        assert found is not None  # it is for what it was when the row was made
        return found

    def _take(self, point: Point, row: Row) -> PointOutcome:
        if not self.is_checked and REASON not in row and LEAST not in row:
            self.order.goals.check(row, self.order.numerics)
            self.is_checked = True
        outcome, reason = self._outcome(row)
        self.front.add(len(self.evaluated), outcome)
        self.evaluated.append(Evaluated(self.space.task(point), row, outcome, reason))
        self.explorer.learn(point, outcome)
        return outcome

    def _study(self, store: Store | None) -> Study:
        """In memory, with what the store knows."""
        import optuna

        study = optuna.create_study(sampler=self.explorer, directions=["minimize"] * len(self.order.goals.objectives))
        for trial in [] if store is None else store.known:
            self._take(tuple(trial.user_attrs[POINT]), trial.user_attrs[ROW])
            study.add_trial(trial)
        return study

    def _store(self) -> Store | None:
        if self.order.storage is None:
            return None
        from prism_sim.searching.explorer import Store
        from prism_sim.sweeping.files import identity_of

        goals = self.order.goals
        identity = identity_of(self.order.scenario, self.order.numerics) | {
            "objective": ", ".join(map(str, goals.objectives)),
            "condition": ", ".join(map(str, goals.conditions)),
        }
        return Store(self.order.storage, identity, len(goals.objectives))


def _budget(evaluations: int | None, n_tasks: int) -> int:
    if evaluations is None:
        evaluations = min(max(-(-n_tasks // DEFAULT_SHARE), DEFAULT_LEAST), DEFAULT_MOST)
    if evaluations < 1:
        raise ScenarioError(f"--evaluations {evaluations}: must be 1 or more")
    return min(evaluations, n_tasks)
