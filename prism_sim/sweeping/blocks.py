"""Rows of many points side by side: what they share once, what differs as an array with a value a point."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prism_sim.sweeping.rows import Row

REASON = "reason"


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Rows of points that have the same columns.

    numbers: the points'. columns: by name, a value for all of them, or an array of one each. questions: about outputs,
    the same for all of them. Where there are no figures, `reason` is the only column.
    """

    numbers: tuple[int, ...]
    columns: Row
    questions: Mapping[str, str] = field(default_factory=dict)

    def row(self, place: int) -> dict[str, Any]:
        """Of one of its points: the row, and the questions that its outputs answer; or the reason why there is none."""
        row = {name: value[place] if _is_array(value) else value for name, value in self.columns.items()}
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        return plain if REASON in plain else {"row": plain, **self.questions}

    def to_json(self) -> dict[str, Any]:
        columns = {name: _to_json(value) if _is_array(value) else value for name, value in self.columns.items()}
        return {"numbers": self.numbers, "columns": columns, "questions": dict(self.questions)}

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> RowBlock:
        columns = {
            name: _from_json(value) if isinstance(value, Mapping) else value for name, value in found["columns"].items()
        }
        return RowBlock(tuple(found["numbers"]), columns, found["questions"])


class Timings(Mapping[int, dict[str, Any]]):
    """What is known of points' timing: blocks, and each point's row by its number."""

    def __init__(self) -> None:
        self.blocks: list[RowBlock] = []
        self.places: dict[int, tuple[int, int]] = {}

    def add(self, blocks: Iterable[RowBlock]) -> None:
        for block in blocks:
            self.places.update((number, (len(self.blocks), row)) for row, number in enumerate(block.numbers))
            self.blocks.append(block)

    def __getitem__(self, number: int) -> dict[str, Any]:
        block, row = self.places[number]
        return self.blocks[block].row(row)

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _to_json(values: Any) -> dict[str, Any]:
    if values.dtype == object:
        return {"values": values.tolist()}
    little = values.astype(values.dtype.newbyteorder("<"))
    return {"type": little.dtype.str, "base64": base64.b64encode(little.tobytes()).decode("ascii")}


def _from_json(found: Mapping[str, Any]) -> Any:
    if "values" in found:
        return np.array(found["values"], dtype=object)
    return np.frombuffer(base64.b64decode(found["base64"]), dtype=found["type"])
