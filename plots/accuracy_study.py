"""What `make accuracy` measures: references, fine-tuning, compression rates, compressors at equal bytes, blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from accuracy_cases import PLAIN, Allowance, Case, allowance, ready_scenario
from accuracy_seed import Learnt, answer, learn
from accuracy_workers import Begun, Ended, Job, Message, side_by_side

from prism_sim.commands.base import Teller
from prism_sim.live.launcher import n_cores
from prism_sim.loss.accuracy import AccuracyPoint, Curve
from prism_sim.loss.loss import Loss
from prism_sim.tasks import metrics
from prism_sim.tasks.intervals import Interval, difference, difference_over_seeds
from prism_sim.training.references import Obtained


@dataclass(frozen=True, slots=True)
class Way:
    """One way to answer, with its seeds. mean: of the metric. difference: less undistributed, with its interval."""

    points: tuple[AccuracyPoint, ...]
    mean: float
    difference: Interval

    @property
    def point(self) -> AccuracyPoint:
        return self.points[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """A compressor at its largest setting within a budget. message_bytes: of one sample and block."""

    compressor: str
    settings: Mapping[str, int]
    message_bytes: int
    way: Way


@dataclass(frozen=True, slots=True)
class Equal:
    """Compressors within the bytes of plain segment means, best first. too_large: what has no setting so small.

    lead: of the first over the second, paired; None where there is but one. lead_over_plain: of the first over plain
    segment means; None where those are first.
    """

    segments: int
    budget_bytes: int
    entries: tuple[Entry, ...]
    too_large: tuple[str, ...]
    lead: Interval | None
    lead_over_plain: Interval | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one task. losses: by checkpoint; empty where blocks are not followed."""

    case: Case
    references: tuple[Obtained, ...]
    fine_tuned: tuple[Obtained, ...]
    curve: Curve
    equal: tuple[Equal, ...]
    losses: Mapping[str, Loss]

    @property
    def ways(self) -> list[Way]:
        return pooled(self.curve)


@dataclass(slots=True)
class Steps:
    """Tells what is done now and how long all will still take, if it goes on as so far on so many cores."""

    tell: Teller
    expected_s: float
    n_workers: int
    done_s: float = 0.0
    begun_s: float = field(default_factory=monotonic)
    now: dict[int, str] = field(default_factory=dict)

    def __call__(self, worker: int, message: Message) -> None:
        if isinstance(message, Ended):
            self.done_s += message.expected_s
            return
        if isinstance(message, Begun):
            pace = (monotonic() - self.begun_s) / self.done_s if self.done_s else 1 / self.n_workers
            left_s = pace * max(0.0, self.expected_s - self.done_s)
            share = min(1.0, self.done_s / self.expected_s)
            self.tell.line(f"[{100 * share:.0f} %, about {max(1, round(left_s / 60))} min left] {message.what}")
        self.now[worker] = message.what
        self.tell.show(" | ".join(self.now.values()))


def measure(cases: Sequence[Case], tell: Teller) -> list[Measured]:
    """Everything of all cases. What was computed before is found on disk.

    A seed is learnt by one process, the longest before others; answers within budgets follow, on whichever is idle.
    Raises ScenarioError, TrainingError, ChildProcessError.
    """
    allowances = {case: [allowance(case, segments) for segments in case.budgets] for case in cases}
    learnt: dict[tuple[Case, int], Learnt] = {}
    answers: dict[tuple[Case, int, int], Mapping[str, AccuracyPoint]] = {}

    def then(job: Job, found: Any) -> list[Job]:
        if job.compute is learn:
            case, seed = job.arguments
            learnt[case, seed] = found
            return [Job(answer, (case, seed, allowed, found.reference.folder)) for allowed in allowances[case]]
        case, seed, allowed, _ = job.arguments
        answers[case, seed, allowed.segments] = found
        return []

    longest = sorted(cases, key=lambda case: case.learning_s, reverse=True)
    jobs = [Job(learn, (case, seed)) for case in longest for seed in case.seeds]
    n_workers = min(n_cores(), len(jobs))
    side_by_side(jobs, n_workers, then, Steps(tell, sum(case.expected_s for case in cases), n_workers))
    return [
        _measured(
            case,
            [learnt[case, seed] for seed in case.seeds],
            [
                _equal(case, allowed, [answers[case, seed, allowed.segments] for seed in case.seeds])
                for allowed in allowances[case]
            ],
        )
        for case in cases
    ]


def _measured(case: Case, learnt: Sequence[Learnt], equal: Sequence[Equal]) -> Measured:
    points = tuple(point for one in learnt for point in one.points)
    return Measured(
        case,
        tuple(one.reference for one in learnt),
        tuple(one.fine_tuned for one in learnt),
        Curve(ready_scenario(case), points),
        tuple(equal),
        learnt[0].losses,
    )


def pooled(found: Curve) -> list[Way]:
    """Ways in the order of their points, seeds together."""
    if len({point.seed for point in found.points}) > 1:
        return [Way(one.points, one.mean, one.difference) for one in found.over_seeds()]
    return [Way((one,), one.accuracy.distributed.estimate, one.accuracy.difference) for one in found.points]


def _equal(case: Case, allowed: Allowance, of_seeds: Sequence[Mapping[str, AccuracyPoint]]) -> Equal:
    entries = []
    for name, settings in allowed.settings.items():
        [way] = pooled(Curve(ready_scenario(case), tuple(found[name] for found in of_seeds)))
        entries.append(Entry(name, settings, allowed.message_bytes[name], way))
    metric = metrics.find(entries[0].way.point.accuracy.metric)
    entries.sort(key=lambda entry: entry.way.mean, reverse=metric.better == "high")
    lead = None if len(entries) < 2 else _lead(metric, entries[0].way, entries[1].way)
    plain = next((entry.way for entry in entries[1:] if entry.compressor == PLAIN), None)
    over_plain = None if plain is None else _lead(metric, entries[0].way, plain)
    return Equal(allowed.segments, allowed.budget_bytes, tuple(entries), allowed.too_large, lead, over_plain)


def _lead(metric: metrics.Metric, first: Way, second: Way) -> Interval:
    """Of the first way over the second, on the same examples and seeds."""
    left, right = ([point.through.outcomes for point in way.points] for way in (first, second))
    return difference(metric, left[0], right[0]) if len(left) == 1 else difference_over_seeds(metric, left, right)
