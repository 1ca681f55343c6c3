"""Points of a sweep, played one by one as a search asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prism_sim.sweeping.points import Grid

REASON = "reason"

Row = dict[str, Any]
Evaluate = Callable[[int], Row]  # by number of a point; a row with a reason has no figures


def evaluator(grid: Grid, numerics: bool) -> Evaluate:
    """Rows as a sweep has them; outputs that points share are computed once."""
    from prism_sim.sweeping.journal import Known
    from prism_sim.sweeping.sweep import QUESTIONS
    from prism_sim.sweeping.table import row_of
    from prism_sim.sweeping.work import SweepWork, WorkPiece, perform, source_digest

    work = SweepWork(grid.base, numerics, source_digest())
    known = Known()
    columns, overrides = list(grid.columns()), {task.number: task.overrides for task in grid.tasks}

    def answer(kind: Any, number: int, key: Any) -> None:
        answered = perform(work, WorkPiece(kind, ((key, overrides[number]),)))
        known.add(kind, answered.found, answered.blocks)

    def evaluate(number: int) -> Row:
        cells = {name: values[number] for name, values in columns}
        if number not in known["timing"]:
            answer("timing", number, number)
        found = known["timing"][number]
        for kind, name in QUESTIONS.items():
            if name in found and found[name] not in known[kind]:
                answer(kind, number, found[name])
        row = found if REASON in found else row_of(found["row"], found, known)
        return cells | ({REASON: row[REASON]} if REASON in row else row)

    return evaluate
