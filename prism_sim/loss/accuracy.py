"""`accuracy`: a task's metric beside latency over compression rates, compressors, seeds and checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from prism_sim.accuracy_columns import accuracy_columns
from prism_sim.choice.auto import resolved
from prism_sim.outputs.checkpoints import is_reference
from prism_sim.outputs.task_accuracy import Accuracy, Answers, accuracy_between, answers, check_tokens
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario, ScenarioError
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, simulate
from prism_sim.tasks import metrics
from prism_sim.tasks.intervals import Interval, difference_over_seeds

SCHEMA = "prism-sim/accuracy/1"
ZERO_SHOT, FINE_TUNED = "zero-shot", "fine-tuned"


@dataclass(frozen=True)
class AccuracyRequest:
    """What is asked for; empty: what the scenario says, and of segments every power of two that compresses.

    fine_tuned: folders of checkpoints that were trained on through the distributed computation, one for each seed.
    """

    scenario: Scenario
    segments: tuple[int, ...] = ()
    compressors: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    fine_tuned: tuple[Path, ...] = ()


@dataclass(frozen=True)
class AccuracyPoint:
    """One way to answer the task. segments, compression_rate: effective; None where nothing is compressed.

    accuracy: against the undistributed model before any fine-tuning. through, alone: answers of both.
    """

    checkpoint: str
    seed: int
    compressor: str | None
    simulation: Simulation
    accuracy: Accuracy
    through: Answers = field(repr=False)
    alone: Answers = field(repr=False)

    @property
    def strategy(self) -> str:
        return self.simulation.job.strategy

    @property
    def sends_every_row(self) -> bool:
        """Whether an L was asked for that is no less than the rows of a partition, so that nothing is compressed."""
        job = self.simulation.job
        asked = getattr(job.options, "segments", None)
        is_whole = self.simulation.compression == (None, 1)
        return is_whole and isinstance(asked, int) and asked >= -(-job.n_tokens // job.n_ranks)

    def to_row(self) -> dict[str, Any]:
        """Columns as `sweep` names them."""
        segments, rate = self.simulation.compression
        asked = getattr(self.simulation.job.options, "segments", None)
        return {
            "strategy": self.strategy,
            "strategy.compressor": self.compressor,
            "strategy.segments": json.dumps(asked) if isinstance(asked, tuple) else asked,
            "task.checkpoint": self.checkpoint,
            "task.seed": self.seed,
            "segments": json.dumps(segments) if isinstance(segments, list) else segments,
            "compression_rate": rate,
            "latency_s": self.simulation.latency_s,
            "sent_bytes": sum(self.simulation.sent_bytes),
            **accuracy_columns(self.accuracy.to_json()),
        }


@dataclass(frozen=True)
class OverSeeds:
    """The same way for several seeds: mean of the metric, and the loss with seeds and examples as samples."""

    points: tuple[AccuracyPoint, ...]
    mean: float
    difference: Interval


@dataclass(frozen=True)
class Curve:
    """points: undistributed ones first, then by checkpoint, compressor and segments; for each, its seeds."""

    scenario: Scenario
    points: tuple[AccuracyPoint, ...]

    @property
    def metric(self) -> str:
        return self.points[0].accuracy.metric

    def over_seeds(self) -> Iterator[OverSeeds]:
        """Points that differ by their seed alone, together; none where there is one seed."""
        metric = metrics.find(self.metric)
        alike: dict[Any, list[AccuracyPoint]] = {}
        for point in self.points:
            options = point.simulation.job.options
            alike.setdefault((point.checkpoint, point.strategy, options), []).append(point)
        for points in alike.values():
            if len(points) > 1:
                through, alone = zip(*((one.through.outcomes, one.alone.outcomes) for one in points), strict=True)
                mean = sum(point.accuracy.distributed.estimate for point in points) / len(points)
                yield OverSeeds(tuple(points), mean, difference_over_seeds(metric, through, alone))

    def rows(self) -> list[dict[str, Any]]:
        return [point.to_row() for point in self.points]

    def to_json(self) -> dict[str, Any]:
        """`--json`'s content."""
        first = self.points[0].accuracy
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "task": first.task,
            "metric": first.metric,
            "n": first.n,
            "data_digest": first.data_digest,
            "points": [
                {**_named(point), "latency_s": point.simulation.latency_s, "accuracy": point.accuracy.to_json()}
                for point in self.points
            ],
            "over_seeds": [
                {
                    **_named(one.points[0]),
                    "seeds": [point.seed for point in one.points],
                    "value": one.mean,
                    "difference": {
                        "value": one.difference.estimate,
                        "interval": [one.difference.low, one.difference.high],
                    },
                }
                for one in self.over_seeds()
            ],
            "provenance": provenance(self.scenario),
        }


def _named(point: AccuracyPoint) -> dict[str, Any]:
    segments, rate = point.simulation.compression
    return {
        "strategy": point.strategy,
        "compressor": point.compressor,
        "segments": segments,
        "compression_rate": rate,
        "checkpoint": point.checkpoint,
        "seed": point.seed,
    }


def curve(order: AccuracyRequest, progress: Progress = SILENT) -> Curve:
    """Answers the task in every way that is asked for; what was answered before is found on disk.

    Raises ScenarioError where the scenario has no task, or something that is asked for does not fit it.
    """
    base = order.scenario
    if base.task is None:
        raise base.error_of_file(("task",), "is missing: add a line such as task: digits (prism-sim list tasks)")
    if order.seeds and not is_reference(base):
        raise ScenarioError("--seeds: are those of a task's own reference, but the scenario names another checkpoint")
    seeds = order.seeds or (base.task.seed,)
    if order.fine_tuned and len(order.fine_tuned) != len(seeds):
        rule = f"{len(order.fine_tuned)} checkpoint(s) for {len(seeds)} seed(s)"
        raise ScenarioError(f"--fine-tuned: {rule}; give one for each, in the same order")
    for folder in order.fine_tuned:
        if not folder.is_dir():
            raise ScenarioError(f"--fine-tuned {folder}: is no folder; give the one that `finetune` wrote")
    points: list[AccuracyPoint] = []
    with placed(base):
        for number, seed in enumerate(seeds):
            own = base.with_overrides({"task.seed": seed}) if order.seeds else base
            alone = answers(own, None, progress)
            cases = {ZERO_SHOT: own}
            if order.fine_tuned:
                # a path is meant from here, not from the scenario's folder
                answering = {"task.checkpoint": str(order.fine_tuned[number].resolve())}
                others = dict.fromkeys(("model.hf", "model.preset", "model.dims"))
                cases[FINE_TUNED] = own.with_overrides({**answering, **others})
            for checkpoint, scenario in cases.items():
                for compressor, simulation in _ways(scenario, order):
                    check_tokens(scenario, simulation.job)
                    through = answers(scenario, simulation.job, progress)
                    found = accuracy_between(scenario, through, alone)
                    points.append(AccuracyPoint(checkpoint, seed, compressor, simulation, found, through, alone))
    return Curve(
        base, tuple(sorted(points, key=lambda point: (point.checkpoint != ZERO_SHOT, point.strategy != "single")))
    )


def _ways(scenario: Scenario, order: AccuracyRequest) -> Iterator[tuple[str | None, Simulation]]:
    """One device alone, and the scenario's strategy with each compressor and L; equal ways once."""
    alone = simulate(scenario, "single", (scenario.terminal,))
    yield None, alone
    before = {_way(None, alone)}
    first = resolved(scenario)
    known = {field.name for field in fields(first.strategy.options)}
    for option, asked in (("compressor", order.compressors), ("segments", order.segments)):
        if asked and option not in known:
            raise ScenarioError(f"--{option.removesuffix('s')}s: {first.strategy.name} has no {option}; leave it out")
    compressors: Sequence[Any] = order.compressors or (None,)
    for compressor in compressors:
        scenario = first if compressor is None else first.with_overrides({"strategy.compressor": compressor})
        for n_segments in order.segments or _usual_segments(simulate(scenario)):
            changed = {} if n_segments is None else {"strategy.segments": n_segments}
            simulation = simulate(scenario.with_overrides(changed) if changed else scenario)
            name = getattr(simulation.job.options, "compressor", None)
            way = _way(name, simulation)
            if way not in before:  # a compressor may have no use for L, or L more than there are rows
                before.add(way)
                yield name, simulation


def _way(compressor: str | None, simulation: Simulation) -> tuple[Any, ...]:
    """Equal for equal ways to compute: same outputs, same bytes, same devices."""
    sent_bytes = sum(simulation.sent_bytes)
    return simulation.job.strategy, compressor, repr(simulation.compression), sent_bytes, simulation.device_of


def _usual_segments(simulation: Simulation) -> Sequence[int | None]:
    """Powers of two less than the rows of a partition; as it is, where nothing is compressed by segments."""
    job = simulation.job
    if not hasattr(job.options, "segments") or job.n_ranks == 1:
        return (None,)
    n_rows = -(-job.n_tokens // job.n_ranks)
    return [2**exponent for exponent in range(n_rows.bit_length()) if 2**exponent < n_rows]
