"""Which rows of live runs are judged: those whose runs others left alone and that agree among themselves."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

from prism_sim.live.steady.watch import Disturbance
from prism_sim.live.timed import WHOLE_PASS, quartiles_s
from prism_sim.validation.base import DIFFERENT, JudgedRow, Judgement, PartOutcome
from prism_sim.validation.cores import Timed, pace

LEAST_CALM = 3  # runs: a median of fewer is one of them
MOST_APART = DIFFERENT  # quartiles of a median that is to tell strategies apart which differ by that
LEAST_JUDGED = 0.5  # of a part's rows; of fewer, medians and rankings say little

Laws = Callable[[Sequence[JudgedRow]], Sequence[Judgement]]


@dataclass(frozen=True, slots=True)
class Runs:
    """One figure of all runs of a case. begun_s: on the clock of its kernels. disturbances: see `Disturbance`."""

    times_s: Sequence[float]
    begun_s: Sequence[float]
    disturbances: Sequence[Disturbance]

    @staticmethod
    def of(cell: Mapping[str, Any], times_s: Sequence[float]) -> Runs:
        """cell: what a series reports of a case that it looked after."""
        return Runs(times_s, cell["begun_s"], [Disturbance(**one) for one in cell["disturbances"]])

    @property
    def calm(self) -> Runs:
        """Those that nobody disturbed."""
        calm = [not one.is_felt for one in self.disturbances]
        times_s, begun_s = (list(compress(values, calm)) for values in (self.times_s, self.begun_s))
        return Runs(times_s, begun_s, list(compress(self.disturbances, calm)))

    @property
    def shown(self) -> Runs:
        """Those that a row is made of: the calm ones, or all where none is."""
        return self.calm if self.calm.times_s else self

    @property
    def median_s(self) -> float:
        return statistics.median(self.shown.times_s)

    @property
    def quartiles_s(self) -> tuple[float, float]:
        return quartiles_s(self.shown.times_s)

    def pace(self, timed: Timed) -> float:
        """Of the machine while these runs were made, beside the mean of all its kernels."""
        return statistics.median(pace(timed, at_s) for at_s in self.shown.begun_s)

    def why_not_judged(self) -> str | None:
        """None: they are steady."""
        n_calm, n = len(self.calm.times_s), len(self.times_s)
        if n_calm < LEAST_CALM:
            worst = max(self.disturbances, key=lambda one: one.taken)
            return f"{n_calm} of {n} runs undisturbed ({worst})"
        low_s, high_s = self.quartiles_s
        apart = (high_s - low_s) / self.median_s
        return f"unsteady: quartiles {apart:.0%} apart" if apart > MOST_APART else None


def why_kernels_tell_nothing(timed: Timed) -> str | None:
    """None: of each pass on each core there are enough that nobody disturbed."""
    least = min((sum(step.calm) for steps in timed for step in steps if step.name == WHOLE_PASS), default=LEAST_CALM)
    return f"of some kernels only {least} times undisturbed" if least < LEAST_CALM else None


def steady_row(row: JudgedRow, runs: Runs, timed: Timed) -> JudgedRow:
    """The row, not judged where its runs or the kernels that it was predicted from do not allow it."""
    return replace(row, not_judged=runs.why_not_judged() or why_kernels_tell_nothing(timed))


def outcome(rows: Sequence[JudgedRow], laws: Laws, others: Sequence[Judgement], remarks: Sequence[str]) -> PartOutcome:
    """laws: of the rows that are judged. others: what holds or not on any machine, also where too few rows are."""
    reasons = [row.not_judged for row in rows if row.not_judged is not None]
    n_judged = len(rows) - len(reasons)
    if n_judged >= LEAST_JUDGED * len(rows):
        return PartOutcome(tuple(rows), (*laws(rows), *others), tuple(remarks))
    skipped = (
        f"{n_judged} of {len(rows)} rows are steady enough to judge (the first that is not: {reasons[0]}); "
        "run it again when less else runs on this machine"
    )
    return PartOutcome(tuple(rows), tuple(others), tuple(remarks), skipped)
