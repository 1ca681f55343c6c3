"""What a search is for: objectives and conditions, by a sweep row's columns, and what nothing else beats in them.

They are read strictly, never evaluated. Costs are less the better.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prism_sim.catalogue import nearest
from prism_sim.scenario import ScenarioError

LATENCY = "latency_s"  # the column that bounds tell something of
FITS = "fits"  # always holds: a point that does not fit its devices has no figures
WITHOUT_FIGURES = 1e6  # violation: worse than that of any point that has figures
_CONDITION = re.compile(r"\s*(?P<column>[A-Za-z_][\w.\[\]]*)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>\S+)\s*")
_RANK = re.compile(r"rank\d+_")

Costs = tuple[float, ...]


@dataclass(frozen=True)
class PointOutcome:
    """What came of a point. costs: each objective, less is better. violation: of the conditions; 0: all are met."""

    costs: Costs
    violation: float = 0.0


def beats(one: PointOutcome, other: PointOutcome) -> bool:
    """As Deb's constrained domination: who meets the conditions, else who violates them less, else by costs."""
    if one.violation != other.violation:
        return one.violation < other.violation
    if one.violation > 0:
        return False
    return one.costs != other.costs and all(a <= b for a, b in zip(one.costs, other.costs, strict=True))


class Front:
    """Grows by one outcome after the other; of equal ones it keeps the first."""

    def __init__(self) -> None:
        self.members: dict[int, PointOutcome] = {}

    def add(self, key: int, outcome: PointOutcome) -> None:
        if any(beats(known, outcome) or known == outcome for known in self.members.values()):
            return
        self.members = {other: known for other, known in self.members.items() if not beats(outcome, known)}
        self.members[key] = outcome

    @property
    def feasible(self) -> list[int]:
        """Keys by growing costs."""
        found = [key for key, outcome in self.members.items() if outcome.violation == 0]
        return sorted(found, key=lambda key: (self.members[key].costs, key))


@dataclass(frozen=True)
class Objective:
    """A column, and whether more of it is better."""

    column: str
    maximise: bool = False

    def __str__(self) -> str:
        return f"{'maximise' if self.maximise else 'minimise'} {self.column}"


@dataclass(frozen=True)
class Condition:
    """`column sign limit`, in SI units."""

    column: str
    sign: str
    limit: float

    def __str__(self) -> str:
        return f"{self.column} {self.sign} {self.limit:g}"

    def violation(self, amount: float) -> float:
        """0 where it holds, else by how much it is missed, relative to the limit, between 0 and 1 thousandth of what
        a point without figures is given.
        """
        over = amount - self.limit if self.sign in ("<", "<=") else self.limit - amount
        if over < 0 or (over == 0 and "=" in self.sign):
            return 0.0
        # never 0, also where it is missed by nothing
        return min(max(over / (abs(self.limit) or 1.0), 1e-12), WITHOUT_FIGURES / 1e3)


def condition(text: str) -> Condition | None:
    """Of `latency_s < 0.2`; None for `fits`. Raises ScenarioError for anything else."""
    if text.strip() == FITS:
        return None
    found = _CONDITION.fullmatch(text)
    remedy = f"write COLUMN < NUMBER (or <=, >, >=), as in 'latency_s < 0.2', or {FITS}"
    if found is None:
        raise ScenarioError(f"--where {text!r}: is no condition{nearest(text, [FITS])}; {remedy}")
    try:
        limit = float(found["limit"])
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit):
        raise ScenarioError(f"--where {text!r}: {found['limit']!r} is no number, which counts in SI units; {remedy}")
    return Condition(found["column"], found["sign"], limit)


@dataclass(frozen=True)
class Goals:
    """Raises ScenarioError unless there is an objective, and none twice."""

    objectives: tuple[Objective, ...]
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if not self.objectives:
            raise ScenarioError("nothing to search for: give --minimise COLUMN or --maximise COLUMN, as latency_s")
        for number, objective in enumerate(self.objectives):
            if objective.column in [before.column for before in self.objectives[:number]]:
                raise ScenarioError(f"{objective.column} is an objective twice; give it once")

    @staticmethod
    def of(minimise: Iterable[str], maximise: Iterable[str], where: Iterable[str]) -> Goals:
        """Raises ScenarioError for a condition that cannot be read."""
        objectives = [*(Objective(column) for column in minimise), *(Objective(column, True) for column in maximise)]
        conditions = [found for text in where if (found := condition(text)) is not None]
        return Goals(tuple(objectives), tuple(conditions))

    def check(self, row: Mapping[str, Any], numerics: bool) -> None:
        """Raises ScenarioError if a column is not one of numbers in this row, and cannot be in another."""
        named = [(f"--{one!s}", one.column) for one in self.objectives]
        named += [(f"--where '{one}'", one.column) for one in self.conditions]
        for option, column in named:
            if column not in row and not (_RANK.match(column) and _RANK.sub("rank0_", column) in row):
                numbers = [name for name, value in row.items() if value is None or is_number(value)]
                hint = nearest(column, numbers) or "; see the columns of `prism-sim sweep`"
                raise ScenarioError(f"{option}: {column!r} is not a column of a sweep's table{hint}")
            if not numerics and column.startswith(("fidelity_", "accuracy")):
                raise ScenarioError(f"{option}: is computed with numerics only; leave out --no-numerics")
            value = row.get(column)
            if value is not None and not is_number(value):
                raise ScenarioError(f"{option}: {column!r} holds {value!r}, which is no number; name another column")

    def outcome(self, row: Mapping[str, Any]) -> tuple[PointOutcome, str | None]:
        """Costs of a row, and why it is not wanted; a row with a reason has no figures."""
        reason = row.get("reason") or self._missing(row)
        if reason is not None:
            return PointOutcome((math.inf,) * len(self.objectives), WITHOUT_FIGURES), reason
        missed = [(one, one.violation(float(row[one.column]))) for one in self.conditions]
        costs = tuple((-1 if one.maximise else 1) * float(row[one.column]) for one in self.objectives)
        broken = [str(one) for one, violation in missed if violation > 0]
        reason = f"misses {' and '.join(broken)}" if broken else None
        return PointOutcome(costs, sum(violation for _, violation in missed)), reason

    @property
    def bound_by_latency(self) -> bool:
        """Whether a latency alone can show that a point is not wanted."""
        return self._minimises_latency or bool(self._latency_limits)

    def ruled_out(self, least_s: float, best_s: float) -> tuple[PointOutcome, str | None] | None:
        """As `outcome`, of a point that takes so long at least, where it breaks a condition or is slower than the best.

        None where it must be played to know. best_s: latency of the fastest wanted point so far.
        """
        missed = [(one, one.violation(least_s)) for one in self._latency_limits]
        broken = [str(one) for one, violation in missed if violation > 0]
        if broken:
            outcome = PointOutcome((math.inf,) * len(self.objectives), sum(violation for _, violation in missed))
            return outcome, f"misses {' and '.join(broken)}"
        return (PointOutcome((least_s,), 0.0), None) if self._minimises_latency and least_s > best_s else None

    @property
    def _minimises_latency(self) -> bool:
        return self.objectives == (Objective(LATENCY),)

    @property
    def _latency_limits(self) -> list[Condition]:
        return [one for one in self.conditions if one.column == LATENCY and one.sign in ("<", "<=")]

    def _missing(self, row: Mapping[str, Any]) -> str | None:
        for column in [one.column for one in self.objectives] + [one.column for one in self.conditions]:
            value: Any = row.get(column)
            if not is_number(value) or not math.isfinite(value):
                return f"has no {column}"
        return None


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
