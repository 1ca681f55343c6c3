"""Columns of a table: values of one kind, some of which may be missing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from prism_sim.accuracy_columns import WORDS
from prism_sim.sweeping.blocks import REASON

TEXT_IF_EMPTY = (REASON, "unused_fields", "collectives", *WORDS)
LARGEST_WHOLE = 2**63 - 1

Kind = Literal["truth", "whole", "number", "text"]
STORED: dict[Kind, Any] = {"truth": np.bool_, "whole": np.int64, "number": np.float64, "text": object}
OF_ARRAYS = {np.dtype(bool): bool, np.dtype(np.int64): int, np.dtype(np.float64): float}


class ColumnPart(NamedTuple):
    """A value for some consecutive rows, or an array of one each; None: missing."""

    rows: slice
    value: Any


@dataclass(frozen=True, eq=False)
class SweepColumn(Sequence[Any]):
    """values: of no meaning where they are missing; as a sequence, there is None there."""

    kind: Kind
    values: NDArray[Any]
    missing: NDArray[np.bool_]

    @staticmethod
    def of(name: str, values: Sequence[Any]) -> SweepColumn:
        """Values of one kind; where kinds meet, and for lists and mappings, their text."""
        found = np.fromiter(values, dtype=object, count=len(values))
        column = SweepColumn.joined(name, len(values), [ColumnPart(slice(0, len(values)), found)])
        if column.kind == "text":
            is_other = [not isinstance(value, str | None) for value in values]
            column.values[is_other] = [json.dumps(value) for value in found[is_other]]
        return column

    @staticmethod
    def joined(name: str, n_rows: int, parts: Sequence[ColumnPart]) -> SweepColumn:
        kind = _kind(name, [part.value for part in parts])
        values, missing = np.zeros(n_rows, dtype=STORED[kind]), np.ones(n_rows, dtype=bool)
        for rows, value in parts:
            if isinstance(value, np.ndarray) and value.dtype == object:
                lacking = np.array([one is None for one in value])
                missing[rows] = lacking
                values[rows][~lacking] = value[~lacking]
            elif value is not None:
                values[rows], missing[rows] = value, False
        return SweepColumn(kind, values, missing)

    def taken(self, rows: NDArray[np.int64]) -> SweepColumn:
        return SweepColumn(self.kind, self.values[rows], self.missing[rows])

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: Any) -> Any:
        return None if self.missing[row] else self.values[row : row + 1].tolist()[0]

    def __iter__(self) -> Iterator[Any]:
        return (None if lacks else value for value, lacks in zip(self.values.tolist(), self.missing, strict=True))


def _kind(name: str, values: Iterable[Any]) -> Kind:
    """The kinds of a column's values; of an empty column, of what would stand there."""
    kinds, largest = set[type](), 0
    for value in values:
        if isinstance(value, np.ndarray) and value.dtype != object:
            kinds.add(OF_ARRAYS[value.dtype])
            continue
        found = value.tolist() if isinstance(value, np.ndarray) else [value]
        kinds |= (own := set(map(type, found)) - {type(None)})
        if int in own:
            largest = max(largest, *(abs(one) for one in found if type(one) is int))
    if not kinds:
        return "text" if name in TEXT_IF_EMPTY else "number"
    if kinds == {bool}:
        return "truth"
    if kinds == {int} and largest <= LARGEST_WHOLE:
        return "whole"
    return "number" if kinds <= {int, float} else "text"
