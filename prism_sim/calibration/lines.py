"""Straight lines through the same rows: what a fit has to be measured against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prism_sim.calibration.table import TIMES, MeasuredRow


@dataclass(frozen=True)
class Lines:
    """For each mode and time a line over the batch (a constant where there is one batch).

    predicted_s: by row and time.  n_parameters: of the lines through numbers of their own (`Row.numbers`).
    exact: whether every line has no more points than parameters, so that its error says nothing.
    """

    predicted_s: tuple[dict[str, float], ...]
    n_parameters: int
    exact: bool


def straight_lines(rows: Sequence[MeasuredRow]) -> Lines:
    """Least squares for each strategy with its ranks, segments and bandwidth by itself."""
    predicted_s: list[dict[str, float]] = [{} for _ in rows]
    n_parameters, exact = 0, True
    for group in _groups(rows):
        for time in TIMES:
            known = [index for index in group if _measured(rows[index], time) is not None]
            if not known:
                continue
            batches = np.array([float(rows[index].batch) for index in known])
            seconds = np.array([_measured(rows[index], time) for index in known], dtype=float)
            degree = min(1, len(set(batches)) - 1)
            line = np.polynomial.Polynomial.fit(batches, seconds, degree, domain=[0, 1], window=[0, 1])
            exact = exact and len(known) <= degree + 1
            if any(time in rows[index].numbers for index in known):
                n_parameters += degree + 1
            for index in known:
                predicted_s[index][time] = float(line(rows[index].batch))
    return Lines(tuple(predicted_s), n_parameters, exact)


def _groups(rows: Sequence[MeasuredRow]) -> list[list[int]]:
    found: dict[tuple[object, ...], list[int]] = {}
    for index, row in enumerate(rows):
        found.setdefault((row.strategy, row.ranks, row.segments, row.bits_per_s), []).append(index)
    return list(found.values())


def _measured(row: MeasuredRow, time: str) -> float | None:
    return row.total_s if time == "total" else row.times_s.get(time)
