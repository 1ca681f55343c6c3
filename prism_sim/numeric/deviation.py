"""How far rows of the residual stream are from the undistributed model's, kept as sums, so that any rows can be pooled.

Imports no torch: what was measured once is read again from disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Cell:
    """Some rows after one block: those of one rank whose tokens lie nearest..furthest from its partition's border.

    nearest, furthest: in tokens, 1 for a neighbour of another rank's token; None where a rank holds all tokens.
    n_rows: real ones, of all samples. squared_norm: sum of |x|^2, x the undistributed model's row.
    squared_error: sum of |y - x|^2, y the distributed run's row. cosines: sum of the cosines of y and x.
    squared_added: as squared_error, where this block alone was distributed: its input was the undistributed stream.
    """

    block: int
    rank: int
    nearest: int | None
    furthest: int | None
    n_rows: int
    squared_norm: float
    squared_error: float
    squared_added: float
    cosines: float

    @property
    def distance(self) -> tuple[int, int] | None:
        return None if self.nearest is None or self.furthest is None else (self.nearest, self.furthest)


@dataclass(frozen=True, slots=True)
class Deviation:
    """Of pooled rows. error, added: norm of the difference over norm of the undistributed rows; cosine: mean of rows.

    error: accumulated up to here. added: what a block alone does, on the undistributed stream.
    """

    error: float
    added: float
    cosine: float


def pooled(cells: Iterable[Cell]) -> Deviation:
    """Of all rows of these cells together. Raises ValueError if there are none."""
    rows = list(cells)
    if not rows:
        raise ValueError("no rows are given, so nothing can be said of them")
    squared_norm = math.fsum(cell.squared_norm for cell in rows)
    return Deviation(
        error=relative(math.fsum(cell.squared_error for cell in rows), squared_norm),
        added=relative(math.fsum(cell.squared_added for cell in rows), squared_norm),
        cosine=math.fsum(cell.cosines for cell in rows) / sum(cell.n_rows for cell in rows),
    )


def by(cells: Iterable[Cell], key: Callable[[Cell], K | None]) -> dict[K, list[Cell]]:
    """Cells apart by what `key` says of them, in the order in which they come; those of None are left out."""
    groups: dict[K, list[Cell]] = {}
    for cell in cells:
        if (found := key(cell)) is not None:
            groups.setdefault(found, []).append(cell)
    return groups


def relative(squared_error: float, squared_norm: float) -> float:
    """Norm of a difference over the norm of what it differs from. Raises ValueError where only the latter is 0."""
    if squared_norm == 0 and squared_error > 0:
        raise ValueError("the undistributed model's rows are all 0, so no error can be relative to them")
    return math.sqrt(squared_error / squared_norm) if squared_error else 0.0


def distance_bin(distance: int) -> tuple[int, int]:
    """The nearest and furthest distance that are pooled with this one: 1, 2, 3-4, 5-8, 9-16 tokens, and so on.

    Raises ValueError unless distance >= 1.
    """
    if distance < 1:
        raise ValueError(f"distance(={distance}) must be >= 1 token")
    exponent = (distance - 1).bit_length()
    return (2**exponent // 2 + 1 if exponent else 1), 2**exponent
