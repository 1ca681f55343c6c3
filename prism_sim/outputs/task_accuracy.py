"""A task's metric of a scenario, beside the undistributed model's: answered once, kept by everything that decides it.

Torch is imported only where nothing is found on disk, numpy only where a scenario has a task.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim import strategies
from prism_sim.kept.cache import Kept, cache_folder
from prism_sim.outputs import checkpoints
from prism_sim.outputs.fidelity import LIBRARIES, loading, source_digest
from prism_sim.progress import SILENT, Progress
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job
from prism_sim.simulation.model_config import model_config, model_spec

if TYPE_CHECKING:
    from torch import nn

    from prism_sim.tasks.examples import Array, Examples
    from prism_sim.tasks.intervals import Interval

SCHEMA = "prism-sim/evaluation/1"
DETERMINING = ("evaluation", "tasks")  # folders of our own source, beside those of numerics


@dataclass(frozen=True, slots=True)
class Answers:
    """outcomes: arrays (examples,), see `tasks.scoring`. checkpoint_digest: of the weights' folder; None: hub's."""

    outcomes: Mapping[str, Array]
    checkpoint_digest: str | None

    def to_json(self) -> dict[str, Any]:
        outcomes = {name: values.tolist() for name, values in self.outcomes.items()}
        return {"outcomes": outcomes, "checkpoint_digest": self.checkpoint_digest}

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Answers:
        import numpy as np

        outcomes = {name: np.asarray(values) for name, values in found["outcomes"].items()}
        return cls(outcomes, found["checkpoint_digest"])


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A metric over n test examples: as distributed, undistributed, and the paired difference (distributed less that).

    metric: of `tasks.metrics`. values: of all metrics of the task, as distributed. notes: what must be said of the
    data, such as labels that could not be matched to the model's by name.
    """

    task: str
    metric: str
    n: int
    distributed: Interval
    undistributed: Interval
    difference: Interval
    values: Mapping[str, float]
    checkpoint: str
    checkpoint_digest: str | None
    data_digest: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract of `--json`'s `accuracy`."""
        return {
            "task": self.task,
            "metric": self.metric,
            **_described(self.distributed),
            "n": self.n,
            "undistributed": _described(self.undistributed),
            "difference": _described(self.difference),
            "metrics": {name: _finite(value) for name, value in self.values.items()},
            "checkpoint": self.checkpoint,
            "checkpoint_digest": self.checkpoint_digest,
            "data_digest": self.data_digest,
            "notes": list(self.notes),
        }


def _described(found: Interval) -> dict[str, Any]:
    return {"value": _finite(found.estimate), "interval": [_finite(found.low), _finite(found.high)]}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def accuracy_of(scenario: Scenario, job: Job, progress: Progress = SILENT) -> Accuracy | None:
    """None for a scenario without a task. From disk, or really computed; a reference is trained first.

    progress: told before what takes long, and how far it is. Raises ScenarioError for weights or examples that
    cannot be had or do not fit together, ValueError for outputs that are not finite.
    """
    if scenario.task is None:
        return None
    check_tokens(scenario, job)
    alone = answers(scenario, None, progress)
    return accuracy_between(scenario, answers(scenario, job, progress), alone)


def check_tokens(scenario: Scenario, job: Job) -> None:
    """Raises ScenarioError where the latency is of other sequences than the examples are."""
    ids = asked_examples(scenario).inputs.get("input_ids")
    if ids is None:
        return
    n_tokens = asked_examples(scenario).pad_to or len(ids[0])
    if n_tokens != job.n_tokens:
        name = checkpoints.task_of(scenario).name
        rule = f"the latency is of {job.n_tokens} tokens, but examples of {name} have {n_tokens}"
        raise scenario.error(("workload", "tokens"), f"{rule}; write that, or remove the line")


def accuracy_between(scenario: Scenario, through: Answers, alone: Answers) -> Accuracy:
    """through: as distributed; alone: undistributed, to the same examples."""
    from prism_sim.tasks import metrics
    from prism_sim.tasks.intervals import difference, interval

    task = checkpoints.task_of(scenario)
    metric = metrics.find(task.metrics[0])
    splits, data_digest = checkpoints.splits_of(scenario)
    return Accuracy(
        task=task.name,
        metric=metric.name,
        n=len(next(iter(through.outcomes.values()))),
        distributed=interval(metric, through.outcomes),
        undistributed=interval(metric, alone.outcomes),
        difference=difference(metric, through.outcomes, alone.outcomes),
        values={name: metrics.find(name).compute(through.outcomes) for name in task.metrics},
        checkpoint=checkpoint_name(scenario),
        checkpoint_digest=through.checkpoint_digest,
        data_digest=data_digest,
        notes=splits.notes,
    )


def checkpoint_name(scenario: Scenario) -> str:
    """Short, for reports."""
    if checkpoints.is_reference(scenario):
        assert scenario.task is not None
        return f"reference, seed {scenario.task.seed}"
    return scenario.model.label


def answers(scenario: Scenario, job: Job | None, progress: Progress = SILENT) -> Answers:
    """To every test example that the scenario's task asks for; job: None for the undistributed model."""

    def compute() -> Answers:
        examples = asked_examples(scenario)
        how = "undistributed" if job is None else f"{job.strategy} over {job.n_ranks} rank(s)"
        place = checkpoints.weights_of(scenario, progress)
        progress.line(
            f"answering {len(examples)} examples of {checkpoints.task_of(scenario).name}, {how}; then kept on disk"
        )
        return _computed(scenario, job, examples, place, lambda done, n: progress.watch(f"examples, {how}", done, n))

    kept = Kept("the answers", SCHEMA, Answers.to_json, Answers.of_json)
    return kept.at(cache_folder("evaluations") / f"{question(scenario, job)}.json", compute, progress)


def asked_examples(scenario: Scenario) -> Examples:
    """The first of the test split, as many as the scenario says. Raises ScenarioError if there are not so many."""
    assert scenario.task is not None
    found, wanted = checkpoints.splits_of(scenario)[0].test, scenario.task.examples
    if wanted is None or wanted == len(found):
        return found
    if wanted > len(found):
        rule = f"{wanted} is more than the {len(found)} test examples of {scenario.task.name}; remove the line for all"
        raise scenario.error(("task", "examples"), rule)
    return found.take(range(wanted))


def question(scenario: Scenario, job: Job | None) -> str:
    """A name for what determines the answers, the content of files included; equal for equal questions."""
    assert scenario.task is not None
    spec = model_spec(scenario)
    determining = {
        "schema": SCHEMA,
        "model": [spec.config, spec.head, spec.dtype, spec.weight_dtype],
        "weights": checkpoints.weights_key(scenario),
        "task": [scenario.task.name, scenario.task.examples, checkpoints.splits_of(scenario)[1]],
        "spread": None if job is None else spread_key(job),
        "source": [source_digest(), source_digest(DETERMINING)],
        "libraries": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
    }
    return hashlib.sha256(json.dumps(determining, sort_keys=True, default=str).encode()).hexdigest()


def spread_key(job: Job) -> list[Any]:
    """What of a job decides about outputs, sizes of the input aside; see `evaluation.Spread`."""
    options = strategies.effective_options(job.strategy, job.options)
    return [job.strategy, options, job.n_ranks, asdict(job.placement), job.wire_dtype]


def _computed(
    scenario: Scenario, job: Job | None, examples: Examples, place: str | None, watch: Callable[[int, int], None]
) -> Answers:
    from prism_sim.evaluation import Spread, evaluate

    model, spread = answering_model(scenario, place), None if job is None else Spread.of(job)
    task, train = checkpoints.task_of(scenario), checkpoints.splits_of(scenario)[0].train
    found = evaluate(model, task, examples, spread, train, watch=watch)
    if place is None or not Path(place).is_dir():
        return Answers(found.outcomes, None)
    digests = "\n".join(checkpoints.folder_digests(Path(place)))
    return Answers(found.outcomes, hashlib.sha256(digests.encode()).hexdigest())


def answering_model(scenario: Scenario, place: str | None, rounded: bool = True) -> nn.Module:
    """The checkpoint at this place, its weights rounded if the scenario says so. Imports torch.

    rounded: False, to train on from the weights as they are. Raises ScenarioError if it is not there, or not for the
    task.
    """
    from prism_sim.evaluation import fitting
    from prism_sim.numeric.loading import ModelSource, load

    spec, config = model_spec(scenario), model_config(scenario)
    folder = None if place is None else Path(place)
    try:
        fitting.check(checkpoints.task_of(scenario), checkpoints.splits_of(scenario)[0], config, folder)
    except ValueError as error:
        raise checkpoints.model_error(scenario, str(error)) from error
    weight_dtype = spec.weight_dtype if rounded else None
    with loading(scenario):
        return load(ModelSource(config, place, spec.head, spec.dtype, scenario.seed, weight_dtype))
