"""Finds the numbers that explain measured rows best, and how well the rows tell them.

Residuals are logarithms of predicted over measured, so every one is relative; parameters are logarithms too. A robust
loss keeps a row that no number explains from bending all of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prism_sim.calibration.cases import MeasuredCase, cases
from prism_sim.calibration.lines import Lines, straight_lines
from prism_sim.calibration.parameters import PARAMETERS, Parameter
from prism_sim.calibration.table import MeasuredRow, MeasuredTable
from prism_sim.catalogue import nearest
from prism_sim.scenario import Scenario
from prism_sim.syntax.errors import Place

SCHEMA = "prism-sim/fit/1"
TOTAL_WEIGHT = 3.0  # a total is known better than its parts: the profiler chooses where one ends and the next begins
TOLERATED = 0.1  # relative residual (times its weight) from which on the loss grows linearly
N_STARTS = 8
SPREAD = 0.4  # of the starts, in natural logarithms
CONFIDENCE = 0.95
TOLD = 1e-4  # least change of any residual, for a fourfold parameter, that counts as the rows saying something of it
FEW = 10  # degrees of freedom below which intervals are rough


@dataclass(frozen=True)
class FittedParameter:
    """A parameter's value, and the interval that holds it with `CONFIDENCE`; None: the rows do not bound it."""

    parameter: Parameter
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Fit:
    """The best parameters for a table's rows.  predicted_s: by row: parts and total."""

    table: MeasuredTable
    scenario: Scenario
    found: tuple[FittedParameter, ...]
    untold: tuple[str, ...]
    predicted_s: tuple[dict[str, float], ...]
    lines: Lines

    @property
    def values(self) -> dict[str, float]:
        return {one.parameter.name: one.value for one in self.found}

    @property
    def degrees_of_freedom(self) -> int:
        return self.table.n_numbers - len(self.found)

    def errors(self, predicted_s: Sequence[dict[str, float]] | None = None) -> list[float]:
        """Of every known total: predicted / measured - 1."""
        pairs = zip(self.table.rows, self.predicted_s if predicted_s is None else predicted_s, strict=True)
        return [one["total"] / row.total_s - 1 for row, one in pairs if row.total_s]

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "table": str(self.table.path),
            "scenario": self.scenario.name,
            "n_numbers": self.table.n_numbers,
            "n_parameters": len(self.found),
            "degrees_of_freedom": self.degrees_of_freedom,
            "confidence": CONFIDENCE,
            "parameters": [
                {
                    "field": one.parameter.name,
                    "value": one.value,
                    "text": one.parameter.text(one.value),
                    "low": one.low,
                    "high": one.high,
                    "reason": one.parameter.reason,
                }
                for one in self.found
            ],
            "untold": list(self.untold),
            "rows": [
                {
                    "line": row.line,
                    "row": row.name,
                    "measured_s": dict(row.times_s),
                    "predicted_s": one,
                    "lines_s": line,
                }
                for row, one, line in zip(self.table.rows, self.predicted_s, self.lines.predicted_s, strict=True)
            ],
            "error": _summary(self.errors()),
            "straight_lines": {
                "n_parameters": self.lines.n_parameters,
                "exact": self.lines.exact,
                "error": _summary(self.errors(self.lines.predicted_s)),
            },
            "scenario_hash": self.scenario.hash,
        }


def _summary(errors: Sequence[float]) -> dict[str, float] | None:
    """None where no total is known."""
    if not errors:
        return None
    sizes = [abs(error) for error in errors]
    return {"mean": sum(sizes) / len(sizes), "worst": max(sizes)}


def fit(
    table: MeasuredTable, scenario: Scenario, free: Sequence[str] | None = None, n_starts: int = N_STARTS, seed: int = 0
) -> Fit:
    """n_starts: of the search, the first from the scenario's numbers, the others from random ones around them.

    free: fields to find; default: the usual ones, as far as the rows say something of them.

    Raises ScenarioError for an unknown field, rows that cannot be simulated, and fewer numbers than parameters.
    """
    problem = _Problem(cases(table, scenario))
    chosen = _chosen(scenario, free)
    start = {parameter.name: parameter.first_guess(scenario) for parameter in chosen}
    told = [parameter for parameter in chosen if problem.tells(parameter, start)]
    untold = tuple(parameter.name for parameter in chosen if parameter not in told)
    if untold and free is not None:
        raise table.error(f"no row says anything of {', '.join(untold)}; leave it out of --free")
    if table.n_numbers < len(told) or not told:
        names = ", ".join(parameter.name for parameter in told)
        rule = f"{table.n_numbers} measured numbers are too few for {len(told)} parameters ({names})"
        raise table.error(f"{rule}; measure more rows, or name fewer with --free")
    best, jacobian, scatter = _best(problem, told, start, np.random.default_rng(seed), n_starts)
    half = _half_widths(jacobian, scatter, table.n_numbers - len(told))
    found = [
        FittedParameter(one, value, *_interval(value, width))
        for one, value, width in zip(told, best.values(), half, strict=True)
    ]
    return Fit(table, scenario, tuple(found), untold, problem.predicted_s(best), straight_lines(table.rows))


def _chosen(scenario: Scenario, free: Sequence[str] | None) -> list[Parameter]:
    if free is None:
        return [parameter for parameter in PARAMETERS.values() if parameter.usual]
    for name in free:
        if name not in PARAMETERS:
            hint = nearest(name, PARAMETERS) or f"; known: {', '.join(PARAMETERS)}"
            raise Place(f"--free {name}").error(str(scenario.path), (), f"is not a number that can be fitted{hint}")
    return [PARAMETERS[name] for name in dict.fromkeys(free)]


class _Problem:
    """Residuals of all rows for given parameters."""

    def __init__(self, rows: Sequence[MeasuredCase]) -> None:
        self.cases = rows

    def predicted_s(self, values: dict[str, float]) -> tuple[dict[str, float], ...]:
        return tuple(case.predicted_s(values) for case in self.cases)

    def residuals(self, values: dict[str, float]) -> np.ndarray[Any, Any]:
        found = []
        for case, predicted_s in zip(self.cases, self.predicted_s(values), strict=True):
            for time, measured_s, weight in _compared(case.row):
                found.append(weight * math.log(max(predicted_s[time], 1e-12) / measured_s))
        return np.array(found)

    def tells(self, parameter: Parameter, values: dict[str, float]) -> bool:
        """Whether a quarter or four times of it changes anything."""
        own = self.residuals(values)
        moved = [self.residuals({**values, parameter.name: values[parameter.name] * f}) for f in (0.25, 4.0)]
        return max(float(np.max(np.abs(one - own))) for one in moved) > TOLD


def _compared(row: MeasuredRow) -> list[tuple[str, float, float]]:
    """Which times of a row are compared, with what was measured and their weights; a lone part is the total."""
    parts = [name for name in row.numbers if name != "total"]
    found = [(name, row.times_s[name], 1.0) for name in parts if row.times_s[name] != row.total_s]
    return [*found, ("total", row.total_s, TOTAL_WEIGHT)] if row.total_s else found


def _best(
    problem: _Problem, told: Sequence[Parameter], start: dict[str, float], random: np.random.Generator, n_starts: int
) -> tuple[dict[str, float], np.ndarray[Any, Any], float]:
    """The best of several starts: values, the Jacobian there, and the sum of (robust) squares."""
    from scipy.optimize import least_squares

    names = [parameter.name for parameter in told]
    low = np.log([parameter.low for parameter in told])
    high = np.log([parameter.high for parameter in told])
    first = np.log([start[name] for name in names])
    best = None
    for number in range(n_starts):
        guess = first + (random.normal(0, SPREAD, len(names)) if number else 0)
        solution = least_squares(
            lambda logs: problem.residuals(dict(zip(names, map(float, np.exp(logs)), strict=True))),
            np.clip(guess, low + 1e-6, high - 1e-6),
            bounds=(low, high),
            loss="soft_l1",
            f_scale=TOLERATED,
            diff_step=1e-4,  # the model has kinks, and an event's time its rounding
        )
        if best is None or solution.cost < best.cost * (1 - 1e-9):
            best = solution
    assert best is not None
    return dict(zip(names, map(float, np.exp(best.x)), strict=True)), best.jac, 2 * float(best.cost)


def _half_widths(jacobian: np.ndarray[Any, Any], squares: float, degrees: int) -> list[float | None]:
    """Of the intervals, in natural logarithms, from the linearised model; None where the rows bound nothing."""
    if degrees < 1:
        return [None] * jacobian.shape[1]
    from scipy.stats import t

    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    if values[0] <= 1e-10 * values[-1]:
        return [None] * jacobian.shape[1]
    covariance = (vectors / values) @ vectors.T * squares / degrees
    factor = float(t.ppf((1 + CONFIDENCE) / 2, degrees))
    return [factor * math.sqrt(variance) for variance in np.diag(covariance)]


def _interval(value: float, half_width: float | None) -> tuple[float | None, float | None]:
    if half_width is None or half_width > math.log(1e6):
        return None, None
    return value * math.exp(-half_width), value * math.exp(half_width)
