"""What `make accuracy` measures: references, fine-tuning, compression rates, compressors at equal bytes, blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from prism_sim import compressors, load_scenario, tasks
from prism_sim.commands.base import Teller
from prism_sim.compressors.budget import settings_for_bytes
from prism_sim.loss.accuracy import FINE_TUNED, ZERO_SHOT, AccuracyPoint, AccuracyRequest, Curve, curve
from prism_sim.loss.finetune import FinetuneRequest, finetune
from prism_sim.loss.loss import Loss, loss
from prism_sim.scenario import Scenario
from prism_sim.simulation.simulate import simulate
from prism_sim.tasks import metrics
from prism_sim.tasks.intervals import Interval, difference, difference_over_seeds
from prism_sim.training import references
from prism_sim.training.references import Obtained

SCENARIOS = Path(__file__).parents[1] / "scenarios"
LOSSLESS, PLAIN = "identity", "segment_means"


@dataclass(frozen=True, slots=True)
class Case:
    """One task and how much of it is measured.

    segments: L of the curve, the mildest first. budgets: L whose plain means say how many bytes others may send.
    drawn: least and most L of fine-tuning. train_s, tune_s, answer_s: what a training, a fine-tuning and all answers to
    one way take on two cores, roughly, for the time that is left. steps: of both trainings; None: the usual ones.
    examples: of the test split; None: all. blocks: the loss is also followed block by block.
    """

    task: str
    seeds: tuple[int, ...]
    segments: tuple[int, ...]
    budgets: tuple[int, ...]
    drawn: tuple[int, int]
    train_s: float
    tune_s: float
    answer_s: float
    compressors: tuple[str, ...] = field(default_factory=compressors.names)
    steps: int | None = None
    examples: int | None = None
    blocks: bool = False

    @property
    def n_of_curve(self) -> int:
        """Ways to answer: undistributed and with each L, by both checkpoints, and every row as it is."""
        return 2 * (1 + len(self.segments)) + 1

    @property
    def expected_s(self) -> float:
        n_ways = self.n_of_curve + len(self.budgets) * len(self.compressors)
        return len(self.seeds) * (self.train_s + self.tune_s + n_ways * self.answer_s)


# L is a compression rate of about 2, 4, 8, 16 and 32 of the 33, 64 and 128 rows of a partition
EVERYTHING = (
    Case("digits", (0, 1, 2), (16, 8, 4, 2, 1), (4, 2), (1, 32), 130, 70, 2, blocks=True),
    Case("python-manual", (0,), (32, 16, 8, 4, 2), (8, 4), (1, 63), 300, 120, 3),
    Case("python-text", (0,), (64, 32, 16, 8, 4), (16, 8), (1, 127), 300, 180, 5),
)
QUICK = (
    Case("digits", (0,), (4, 1), (4,), (1, 32), 5, 5, 1, ("segment_means", "segment_means+int8", "int8"), 40, 60, True),
)


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
    """Tells what is done now and how long all will still take, if it goes on as so far."""

    tell: Teller
    expected_s: float
    done_s: float = 0.0
    begun_s: float = field(default_factory=monotonic)

    @contextmanager
    def step(self, what: str, expected_s: float) -> Iterator[None]:
        pace = (monotonic() - self.begun_s) / self.done_s if self.done_s else 1.0
        left_s = pace * max(0.0, self.expected_s - self.done_s)
        share = min(1.0, self.done_s / self.expected_s)
        self.tell.line(f"[{100 * share:.0f} %, about {max(1, round(left_s / 60))} min left] {what}")
        yield
        self.done_s += expected_s

    @property
    def quiet(self) -> Teller:
        """Shows what is done within a step, and leaves no line of it."""
        return Teller(lambda line: None, self.tell.show)


def measure(case: Case, steps: Steps) -> Measured:
    """Everything of one task. What was computed before is found on disk. Raises ScenarioError, TrainingError."""
    scenarios, trained, tuned = [], [], []
    for seed in case.seeds:
        of_seed = f"{case.task}, seed {seed}"
        with steps.step(f"training {of_seed}", case.train_s):
            order = references.TrainingRequest(tasks.find(case.task), seed, case.steps)
            trained.append(references.obtain(order, steps.quiet))
        scenarios.append(_scenario(case, seed, trained[-1]))
        with steps.step(
            f"fine-tuning {of_seed}, through prism with L = {case.drawn[0]} to {case.drawn[1]}", case.tune_s
        ):
            tuning = FinetuneRequest(scenarios[-1], case.drawn, steps=case.steps, seed=seed)
            tuned.append(finetune(tuning, steps.quiet))
    return Measured(
        case,
        tuple(trained),
        tuple(tuned),
        _curve(case, scenarios, tuned, steps),
        tuple(_equal(case, scenarios, segments, steps) for segments in case.budgets),
        _losses(scenarios[0], tuned[0], steps) if case.blocks else {},
    )


def _scenario(case: Case, seed: int, reference: Obtained) -> Scenario:
    """The ready one. A reference of the usual steps is the one that the scenario names by itself."""
    overrides: dict[str, Any] = {"task.seed": seed}
    if case.steps is not None:
        overrides["task.checkpoint"] = str(reference.folder)
    if case.examples is not None:
        overrides["task.examples"] = case.examples
    return load_scenario(SCENARIOS / f"accuracy-{case.task}.yaml").with_overrides(overrides)


def _curve(case: Case, scenarios: list[Scenario], tuned: list[Obtained], steps: Steps) -> Curve:
    """Points of all seeds: as it was and fine-tuned, and every row as it is."""
    points: list[AccuracyPoint] = []
    for scenario, obtained in zip(scenarios, tuned, strict=True):
        what = f"answering {case.task}, seed {obtained.record['seed']}, over compression rates"
        with steps.step(what, case.n_of_curve * case.answer_s):
            order = AccuracyRequest(scenario, case.segments, fine_tuned=(obtained.folder,))
            alone, *others = curve(order, steps.quiet).points
            points += [alone, _through(scenario, LOSSLESS, {}, steps), *others]
    return Curve(scenarios[0], tuple(points))


def _through(scenario: Scenario, compressor: str, settings: Mapping[str, int], steps: Steps) -> AccuracyPoint:
    """The task answered through this compressor; one without segments has no use for L."""
    others = {f"strategy.{name}": value for name, value in settings.items() if name != "segments"}
    order = AccuracyRequest(scenario.with_overrides(others), (settings.get("segments", 1),), (compressor,))
    return curve(order, steps.quiet).points[-1]


def pooled(found: Curve) -> list[Way]:
    """Ways in the order of their points, seeds together."""
    if len({point.seed for point in found.points}) > 1:
        return [Way(one.points, one.mean, one.difference) for one in found.over_seeds()]
    return [Way((one,), one.accuracy.distributed.estimate, one.accuracy.difference) for one in found.points]


def _equal(case: Case, scenarios: list[Scenario], segments: int, steps: Steps) -> Equal:
    job = simulate(scenarios[0]).job
    n_rows, width = -(-job.n_tokens // job.n_ranks), job.sizes.width

    def message_bytes(name: str, settings: Mapping[str, int]) -> int:
        return compressors.create(name, settings).message_bytes(1, n_rows, width, job.wire_type.element_bytes)

    budget_bytes = message_bytes(PLAIN, {"segments": segments})
    entries, too_large = [], []
    for name in case.compressors:
        settings = settings_for_bytes(name, n_rows, width, budget_bytes, job.wire_type.element_bytes)
        with steps.step(f"{case.task}: {name} within {budget_bytes} bytes", len(case.seeds) * case.answer_s):
            if settings is None:
                too_large.append(name)
                continue
            points = tuple(_through(scenario, name, settings, steps) for scenario in scenarios)
            [way] = pooled(Curve(scenarios[0], points))
            entries.append(Entry(name, settings, message_bytes(name, settings), way))
    metric = metrics.find(entries[0].way.point.accuracy.metric)
    entries.sort(key=lambda entry: entry.way.mean, reverse=metric.better == "high")
    lead = None if len(entries) < 2 else _lead(metric, entries[0].way, entries[1].way)
    plain = next((entry.way for entry in entries[1:] if entry.compressor == PLAIN), None)
    over_plain = None if plain is None else _lead(metric, entries[0].way, plain)
    return Equal(segments, budget_bytes, tuple(entries), tuple(too_large), lead, over_plain)


def _lead(metric: metrics.Metric, first: Way, second: Way) -> Interval:
    """Of the first way over the second, on the same examples and seeds."""
    left, right = ([point.through.outcomes for point in way.points] for way in (first, second))
    return difference(metric, left[0], right[0]) if len(left) == 1 else difference_over_seeds(metric, left, right)


def _losses(scenario: Scenario, tuned: Obtained, steps: Steps) -> dict[str, Loss]:
    with steps.step(f"following the loss of {scenario.name} from block to block", 0.0):
        after = scenario.with_overrides({"task.checkpoint": str(tuned.folder)})
        return {ZERO_SHOT: loss(scenario, steps.quiet), FINE_TUNED: loss(after, steps.quiet)}
