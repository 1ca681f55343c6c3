"""A sweep's answers, as columns: the swept fields, then the figures, then why there are none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from prism_sim.accuracy_columns import WORDS
from prism_sim.sweeping.journal import Known
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.rows import Row
from prism_sim.sweeping.work import with_accuracy, with_fidelity

REASON = "reason"
TEXT_IF_EMPTY = (REASON, "unused_fields", "collectives", *WORDS)
LARGEST_WHOLE = 2**63 - 1

Kind = Literal["truth", "whole", "number", "text"]


@dataclass(frozen=True)
class SweepTable:
    """Columns of equal length, in order; None: nothing there."""

    columns: dict[str, list[Any]]

    @property
    def n_points(self) -> int:
        return len(self.columns[REASON])

    @property
    def n_failed(self) -> int:
        return sum(reason is not None for reason in self.columns[REASON])

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        return {name: _kind(name, values) for name, values in self.columns.items()}


def table_of(grid: Grid, known: Known) -> SweepTable:
    """A row a point, in the order of the sweep. Points that ask the same share an answer."""
    rows = {task.number: row_of(known["timing"][task.number], known) for task in grid.tasks}
    names = _names(rows[task] for task in sorted(rows))
    columns = {name: _plain(values) for name, values in grid.columns()}
    for name in names:
        columns[name] = [rows[task].get(name) for task in grid.task_of]
    columns.setdefault("latency_s", [None] * len(grid.task_of))  # where every point fails
    columns[REASON] = columns.pop(REASON, [None] * len(grid.task_of))
    return SweepTable(columns)


def row_of(found: Mapping[str, Any], known: Known) -> Row:
    """A point's row from the answer about its timing, and from those to its questions."""
    if REASON in found:
        return {REASON: found[REASON]}
    row = dict(found["row"])
    for kind, question, join in (("numerics", "question", with_fidelity), ("accuracy", "accuracy", with_accuracy)):
        if question in found:
            answer = known[kind][found[question]]
            if REASON in answer:
                return dict.fromkeys(found["row"]) | {REASON: answer[REASON]}
            row = join(row, answer["fidelity" if kind == "numerics" else "accuracy"])
    return row


def _names(rows: Iterable[Row]) -> list[str]:
    """All names, each after the one that it first came after."""
    names: list[str] = []
    known = set[str]()
    for row in rows:
        after = -1
        for name in row:
            if name not in known:
                names.insert(after + 1, name)
                known.add(name)
                after += 1
            elif row.keys() - known:
                after = names.index(name)
    return names


def _plain(values: list[Any]) -> list[Any]:
    """Values of one kind; where kinds meet, and for lists and mappings, their text."""
    if _kind("", values) != "text" or all(value is None or isinstance(value, str) for value in values):
        return values
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _kind(name: str, values: list[Any]) -> Kind:
    """The kinds of a column's values; of an empty column, of what would stand there."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return "text" if name in TEXT_IF_EMPTY else "number"
    if kinds == {bool}:
        return "truth"
    if kinds == {int} and max(abs(value) for value in values if value is not None) <= LARGEST_WHOLE:
        return "whole"
    return "number" if kinds <= {int, float} else "text"
