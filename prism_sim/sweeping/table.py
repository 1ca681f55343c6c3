"""A sweep's answers, as columns: the swept fields, then the figures, then why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from prism_sim.sweeping.blocks import REASON
from prism_sim.sweeping.columns import ColumnPart, Kind, SweepColumn
from prism_sim.sweeping.journal import Known
from prism_sim.sweeping.points import Grid
from prism_sim.sweeping.rows import Row
from prism_sim.sweeping.work import with_accuracy, with_fidelity


@dataclass(frozen=True)
class SweepTable:
    """Columns of equal length, in order."""

    columns: dict[str, SweepColumn]

    @property
    def n_points(self) -> int:
        return len(self.columns[REASON])

    @property
    def n_failed(self) -> int:
        return int(np.count_nonzero(~self.columns[REASON].missing))

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        return {name: column.kind for name, column in self.columns.items()}


def table_of(grid: Grid, known: Known) -> SweepTable:
    """A row a point, in the order of the sweep. Points that ask the same share an answer."""
    columns = {name: SweepColumn.of(name, values).taken(steps) for name, values, steps in grid.steps()}
    blocks = sorted(known.timings.blocks, key=lambda block: min(block.numbers))
    found = [(block, row_of(block.columns, block.questions, known)) for block in blocks]
    row_of_task, n_tasks = np.zeros(len(grid.task_of), dtype=np.int64), 0
    parts: dict[str, list[ColumnPart]] = {name: [] for name in _names(row for _, row in found)}
    for block, row in found:
        rows = slice(n_tasks, n_tasks := n_tasks + len(block.numbers))
        row_of_task[list(block.numbers)] = range(rows.start, rows.stop)
        for name, value in row.items():
            parts[name].append(ColumnPart(rows, value))
    parts.setdefault("latency_s", [])  # where every point fails
    parts[REASON] = parts.pop(REASON, [])
    row_of_point = row_of_task[list(grid.task_of)]
    for name, own in parts.items():
        columns[name] = SweepColumn.joined(name, n_tasks, own).taken(row_of_point)
    return SweepTable(columns)


def row_of(columns: Row, questions: Mapping[str, str], known: Known) -> Row:
    """A row, or many, from the answer about timing and from those to its questions."""
    row = dict(columns)
    for kind, question, join in (("numerics", "question", with_fidelity), ("accuracy", "accuracy", with_accuracy)):
        if question in questions:
            answer = known[kind][questions[question]]
            if REASON in answer:
                return dict.fromkeys(columns) | {REASON: answer[REASON]}
            row = join(row, answer["fidelity" if kind == "numerics" else "accuracy"])
    return row


def _names(rows: Iterable[Row]) -> list[str]:
    """All names, each after the one that it first came after."""
    names: list[str] = []
    known = set[str]()
    for row in rows:
        if row.keys() <= known:
            continue
        after = -1
        for name in row:
            if name not in known:
                names.insert(after + 1, name)
                known.add(name)
                after += 1
            elif row.keys() - known:
                after = names.index(name)
    return names
