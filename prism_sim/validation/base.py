"""What a comparison of predictions with something else consists of, and how far off it finds them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isfinite
from typing import Any

from prism_sim.choice.verdict import TOLD_APART
from prism_sim.progress import Progress

SCHEMA = "prism-sim/validate/1"
FAR = 0.25  # relative error from which on a row counts as far off
DIFFERENT = TOLD_APART  # measured times of two strategies that differ by less are called equal
COMPARED = ("strategy", "segments", "ranks")  # tags that tell apart what is ranked within one group


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A prediction beside what it is compared with, in seconds.

    case: its name, once in a part. spread_s: of what was measured, its quartiles say; None where there is none.
    tags: what it is of, such as model, batch, link, strategy; rows with equal tags but `COMPARED` are ranked together.
    not_judged: why it is shown but counts in no summary (the numbers were fitted to it, say).
    Raises ValueError unless times are finite, the predicted one >= 0 and the measured one > 0.
    """

    case: str
    predicted_s: float
    measured_s: float
    spread_s: tuple[float, float] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    not_judged: str | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.predicted_s) and self.predicted_s >= 0):
            raise ValueError(f"predicted_s(={self.predicted_s}) of {self.case!r} must be finite and >= 0")
        if not (isfinite(self.measured_s) and self.measured_s > 0):
            raise ValueError(f"measured_s(={self.measured_s}) of {self.case!r} must be finite and > 0")

    @property
    def error(self) -> float:
        """Relative: 0.1 is predicted 10 % too long."""
        return self.predicted_s / self.measured_s - 1

    @property
    def group(self) -> tuple[tuple[str, str], ...]:
        """What is equal among rows that are ranked together."""
        return tuple(sorted((name, value) for name, value in self.tags.items() if name not in COMPARED))

    def to_json(self) -> dict[str, Any]:
        return {
            "case": self.case,
            "predicted_s": self.predicted_s,
            "measured_s": self.measured_s,
            "error": self.error,
            "spread_s": None if self.spread_s is None else list(self.spread_s),
            "tags": dict(self.tags),
            "not_judged": self.not_judged,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """A law of a part, as a sentence with its threshold, and whether it held."""

    law: str
    holds: bool


@dataclass(frozen=True, slots=True)
class PartOutcome:
    """What a part found. remarks: sentences for the reader.

    skipped: why it could not run here, or not be judged; rows are then what was seen, and no page is filled with them.

    grouped_by: a tag by whose values the rows are summed up too; None: they are not.

    Raises ValueError if two rows have the same name.
    """

    rows: tuple[JudgedRow, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    remarks: tuple[str, ...] = ()
    skipped: str | None = None
    grouped_by: str | None = None

    def __post_init__(self) -> None:
        names = [row.case for row in self.rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rows of a part must have names of their own; twice: {', '.join(twice)}")

    @property
    def holds(self) -> bool:
        return all(judgement.holds for judgement in self.judgements)

    @property
    def groups(self) -> dict[str, tuple[JudgedRow, ...]]:
        """The rows by that tag, in the order in which its values come."""
        found: dict[str, tuple[JudgedRow, ...]] = {}
        if self.grouped_by is not None:
            for row in self.rows:
                value = row.tags[self.grouped_by]
                found[value] = (*found.get(value, ()), row)
        return found


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """quick: a few cases only. budget_s: about how long each part that measures may take. repeats: of what is measured.

    Raises ValueError unless budget_s > 0 and repeats >= 1.
    """

    quick: bool = False
    budget_s: float = 600.0
    seed: int = 0
    repeats: int = 5

    def __post_init__(self) -> None:
        if not self.budget_s > 0:
            raise ValueError(f"budget_s(={self.budget_s}) must be > 0")
        if self.repeats < 1:
            raise ValueError(f"repeats(={self.repeats}) must be >= 1")


@dataclass(frozen=True, slots=True)
class ValidationPart:
    """One question about trust, and how it is answered.

    question: as a heading. against: what stands beside a prediction, as a column's heading (formula, measured).
    run: takes settings and a function that says what is done now. digits: that times are shown with.
    """

    name: str
    question: str
    against: str
    run: Callable[[ValidationSettings, Progress], PartOutcome]
    order: int = 50
    digits: int = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A part, and what it found in how many seconds."""

    part: ValidationPart
    outcome: PartOutcome
    took_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What all chosen parts found."""

    settings: ValidationSettings
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return all(finding.outcome.holds for finding in self.findings)


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
