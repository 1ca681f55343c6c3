"""A board's numbers from what was measured on it: all of its runtimes and types of weights together.

Each number is the exponential of a normal one. What is expected before any row is looked at (`data/facts.yaml`), and
how far numbers of one board may lie apart, is a covariance between them: memory has one bandwidth, which runtimes use
more or less well; a rate of one runtime says something of the same type's in another, and of 8 and 4 bits in the same.
Rows then move them (maximum a posteriori, robust least squares of logarithms), as far as they say something, and the
curvature at the end gives intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, log
from typing import TYPE_CHECKING, Any

from prism_sim.boards.cases import work
from prism_sim.boards.facts import COMMON, FED_OP_OVERHEAD_S, Board, rate_class
from prism_sim.boards.rows import BoardRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Standard deviations, as factors: a number's own, and what it shares with its kin
ROW = 1.10  # a row, given the right numbers: other versions, clocks, contexts
SPREADS = {"memory_bandwidth": (1.5, 1.25), "attention": (1.5, 1.3), "launch": (1.0, 4.0)}  # of the board, of a runtime
RATE, RATE_OF_RUNTIME, RATE_OF_TYPE = 1.8, 1.6, 1.2
TELLING = 0.2
Q95 = 1.645  # standard deviations to the 95th percentile

PUBLISHED_IN = 2026  # the fits of the ready boards
Key = tuple[str, str]  # runtime, and the number's name


@dataclass(frozen=True)
class BoardFit:
    """Numbers of a board's runtimes, in SI units: by (runtime, name), what they are, and their logarithms' deviations.

    names: those of `facts.COMMON`, and a rate by its type (float32, q4_0, ...). expected: before the rows were seen.
    year: of the fit.
    """

    board: Board
    rows: tuple[BoardRow, ...]
    expected: Mapping[Key, float]
    found: Mapping[Key, float]
    deviation: Mapping[Key, float]
    expected_deviation: Mapping[Key, float]
    rows_file: str = "boards.csv"
    year: int = PUBLISHED_IN

    def predicted_s(self, row: BoardRow) -> float:
        return work(row).seconds(_numbers(self.board, row, self.found))

    def interval(self, key: Key) -> tuple[float, float]:
        """From the 5th to the 95th percentile."""
        spread = exp(Q95 * self.deviation[key])
        most = 1.0 if key[1] == "attention" else inf
        return self.found[key] / spread, min(most, self.found[key] * spread)

    def telling(self, key: Key) -> tuple[BoardRow, ...]:
        """The rows of whose time at least a fifth depends on it."""
        return tuple(row for row in self.rows if abs(_turns(self.board, row, self.found).get(key, 0.0)) > TELLING)

    def is_informed(self, key: Key) -> bool:
        """Whether rows say of it at least half of what is known."""
        return self.deviation[key] < 0.7 * self.expected_deviation[key]


def fit_board(
    board: Board, rows: Sequence[BoardRow], rows_file: str = "boards.csv", year: int = PUBLISHED_IN
) -> BoardFit:
    """rows: of the board, from a file of this name; those of runtimes with numbers that stand are not looked at."""
    import numpy as np
    from scipy.optimize import least_squares

    used = tuple(row for row in rows if row.left_out is None and row.runtime in board.fitted_runtimes)
    keys = _keys(board)
    mean = np.array([log(board.expected_of(*key)) for key in keys])
    covariance = np.array([[_shared(one, other) for other in keys] for one in keys])
    root = np.linalg.cholesky(covariance)

    def off(z: NDArray[Any]) -> tuple[dict[Key, float], NDArray[Any]]:
        numbers = dict(zip(keys, map(float, np.exp(mean + root @ z)), strict=True))
        return numbers, np.array([log(work(row).seconds(_numbers(board, row, numbers)) / row.seconds) for row in used])

    def residuals(z: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([_robust(off(z)[1] / log(ROW)), z])

    def turns(z: NDArray[Any]) -> NDArray[Any]:
        numbers, logarithms = off(z)
        by_key = [_turns(board, row, numbers) for row in used]
        each = np.array([[turned.get(key, 0.0) for key in keys] for turned in by_key]).reshape(len(used), len(keys))
        slope = _robust_slope(logarithms / log(ROW)) / log(ROW)
        return np.concatenate([slope[:, None] * (each @ root), np.eye(len(keys))])

    found = least_squares(residuals, np.zeros(len(keys)), turns, x_scale="jac")
    left = np.linalg.inv(found.jac.T @ found.jac)
    values = np.exp(mean + root @ found.x)
    deviations = np.sqrt(np.diag(root @ left @ root.T))
    return BoardFit(
        board,
        used,
        dict(zip(keys, np.exp(mean), strict=True)),
        dict(zip(keys, map(float, values), strict=True)),
        dict(zip(keys, map(float, deviations), strict=True)),
        dict(zip(keys, map(float, np.sqrt(np.diag(covariance))), strict=True)),
        rows_file,
        year,
    )


def _robust(off: NDArray[Any]) -> NDArray[Any]:
    """Residuals whose squares grow as the soft L1 loss: twice as far off counts twice, not four times."""
    import numpy as np

    return np.asarray(np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1)))


def _robust_slope(off: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    near = np.abs(off) < 1e-6
    safe = np.where(near, 1.0, off)
    return np.asarray(np.where(near, 1.0, safe / (_robust(safe) * np.sqrt(1 + safe**2))))


def _keys(board: Board) -> list[Key]:
    """Of each runtime that is fitted: bandwidth, launch, and rates by the types that are expected of the board."""
    return [(runtime, name) for runtime in board.fitted_runtimes for name in (*COMMON, *board.rate_types)]


def _shared(one: Key, other: Key) -> float:
    """Covariance of two numbers' logarithms."""
    (runtime, name), (other_runtime, other_name) = one, other
    alike, same = runtime == other_runtime, one == other
    if name in COMMON or other_name in COMMON:
        if name != other_name:
            return 0.0
        of_all, of_runtime = SPREADS[name]
        return log(of_all) ** 2 + (log(of_runtime) ** 2 if alike else 0.0)
    if rate_class(name) != rate_class(other_name):
        return 0.0
    return log(RATE) ** 2 + (log(RATE_OF_RUNTIME) ** 2 if alike else 0.0) + (log(RATE_OF_TYPE) ** 2 if same else 0.0)


def _numbers(board: Board, row: BoardRow, values: Mapping[Key, float]) -> dict[str, float]:
    launch_s = values[row.runtime, "launch"]
    fed = board.is_fed(row.runtime)
    return {
        "flops_per_s": values[row.runtime, row.rate_type],
        "attention_efficiency": min(1.0, values[row.runtime, "attention"]),
        "memory_bytes_per_s": values[row.runtime, "memory_bandwidth"],
        "op_overhead_s": FED_OP_OVERHEAD_S if fed else launch_s,
        "dispatch_s": launch_s if fed else 0.0,
    }


def _turns(board: Board, row: BoardRow, values: Mapping[Key, float]) -> dict[Key, float]:
    """By how much the time's logarithm turns with each number's: minus a rate's part of the time, plus a launch's."""
    parts = work(row).parts_s(_numbers(board, row, values))
    whole_s = sum(parts.values())
    return {
        (row.runtime, row.rate_type): -(parts["flops_per_s"] + parts["attention_efficiency"]) / whole_s,
        (row.runtime, "attention"): -parts["attention_efficiency"] / whole_s
        if values[row.runtime, "attention"] < 1
        else 0,
        (row.runtime, "memory_bandwidth"): -parts["memory_bytes_per_s"] / whole_s,
        (row.runtime, "launch"): parts["dispatch_s" if board.is_fed(row.runtime) else "op_overhead_s"] / whole_s,
    }
