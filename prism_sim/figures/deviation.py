"""Errors of the residual stream, pooled from sums over rows: what the figures of `prism-sim loss` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("squared_error", "squared_added", "squared_norm", "block", "rank")
ERROR, ADDED = "accumulated", "added by the block alone"
ERROR_LABEL = "relative error of the residual stream"
SUMS = {"error": "squared_error", "added": "squared_added"}


NOTHING = 1e-4  # of the largest error: rounding


def losing(apart: DataFrame) -> list[int]:
    """The ranks that lose something, of errors pooled by rank: a causal model's first one does not."""
    errors = apart.groupby("rank")["error"].max()
    return [int(rank) for rank in errors.index[errors > NOTHING * errors.max()]]


def pooled(rows: DataFrame, *columns: str) -> DataFrame:
    """Relative errors `error` and `added` of all rows that share the values of these columns, which come first."""
    sums = rows.groupby(list(columns), as_index=False)[[*SUMS.values(), "squared_norm"]].sum()
    for name, column in SUMS.items():
        sums[name] = (sums[column] / sums["squared_norm"].where(sums[column] > 0, 1.0)) ** 0.5
    return sums[[*columns, *SUMS]]
