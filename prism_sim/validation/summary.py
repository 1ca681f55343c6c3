"""How far off rows are, and whether the faster strategy is predicted to be the faster one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from prism_sim.choice.verdict import TOLD_APART
from prism_sim.validation.base import JudgedRow

FAR = 0.25  # relative error from which on a row counts as far off
DIFFERENT = TOLD_APART  # measured times of two strategies that differ by less are called equal


@dataclass(frozen=True, slots=True)
class Summary:
    """Over the rows that are judged. error: relative. worst: the case, and its signed error.

    ranked_right, ranked: pairs in the right order, of those whose measured times differ by more than `DIFFERENT`.
    """

    n_rows: int
    median_abs_error: float
    worst: str
    worst_error: float
    n_far: int
    ranked_right: int
    ranked: int


def summary(rows: Sequence[JudgedRow]) -> Summary | None:
    """None where no row is judged."""
    judged = [row for row in rows if row.not_judged is None]
    if not judged:
        return None
    worst = max(judged, key=lambda row: abs(row.error))
    right, ranked = rank_agreement(judged)
    return Summary(
        n_rows=len(judged),
        median_abs_error=statistics.median(abs(row.error) for row in judged),
        worst=worst.case,
        worst_error=worst.error,
        n_far=sum(abs(row.error) > FAR for row in judged),
        ranked_right=right,
        ranked=ranked,
    )


def rank_agreement(rows: Sequence[JudgedRow]) -> tuple[int, int]:
    """Pairs of one group that are predicted in the measured order, and all pairs that differ enough to have one.

    A pair that is predicted equal is not in the right order. Rows without a strategy are not ranked.
    """
    right = ranked = 0
    for one, other in combinations([row for row in rows if "strategy" in row.tags], 2):
        if one.group != other.group:
            continue
        fast, slow = sorted((one, other), key=lambda row: row.measured_s)
        if slow.measured_s > (1 + DIFFERENT) * fast.measured_s:
            ranked += 1
            right += slow.predicted_s > fast.predicted_s
    return right, ranked
