"""What a scenario's model reads where its residual stream is followed: seeded noise, a file, or a task's examples.

Imports torch when asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from prism_sim.outputs.checkpoints import splits_of
from prism_sim.outputs.fidelity import loading, sources
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job

if TYPE_CHECKING:
    from torch import nn

    from prism_sim.numeric.inputs import InputSource
    from prism_sim.numeric.measure import Undistributed

MOST_EXAMPLES = 64  # of a task
MOST_ELEMENTS = 2**25  # of their rows after all blocks, 128 MiB in float32
ELSEWHERE = 4  # inputs beside the first


@dataclass(frozen=True)
class ModelInput:
    """A model on one input, undistributed, and the job that spreads just that input."""

    known: Undistributed
    job: Job


@dataclass(frozen=True)
class Reader:
    """A scenario's model, loaded once. given: where inputs come from without a task."""

    scenario: Scenario
    job: Job
    model: nn.Module
    given: InputSource

    def case(self, number: int) -> ModelInput:
        """0: the scenario's own input, or the task's first validation examples; 1 to ELSEWHERE: others.

        Those are of later seeds, or test examples. Raises ScenarioError for an input that cannot be had.
        """
        from prism_sim.numeric.measure import undistributed
        from prism_sim.numeric.threads import fixed_threads

        inputs, job = self._noise_or_file(number) if self.scenario.task is None else self._examples(number)
        with fixed_threads():
            return ModelInput(undistributed(self.model, inputs), job)

    @property
    def has_more(self) -> bool:
        """Whether there are other inputs; a file is one, and a task may have few examples."""
        if self.scenario.task is None:
            return self.given.path is None
        return len(splits_of(self.scenario)[0].test) >= ELSEWHERE

    def _noise_or_file(self, number: int) -> tuple[dict[str, Any], Job]:
        from prism_sim.numeric.measure import inputs_of

        with loading(self.scenario):
            return inputs_of(self.model, replace(self.given, seed=self.given.seed + number), self.job), self.job

    def _examples(self, number: int) -> tuple[dict[str, Any], Job]:
        from prism_sim.evaluation.evaluate import tensors
        from prism_sim.evaluation.spread import Spread, job_of

        splits, _ = splits_of(self.scenario)
        if number == 0:
            batch = splits.validation.batch(range(min(n_examples(self.job), len(splits.validation))))
        else:  # equal parts of the test examples, none of which is in two
            size = min(n_examples(self.job), len(splits.test) // ELSEWHERE)
            batch = splits.test.batch(range((number - 1) * size, number * size))
        inputs: dict[str, Any] = tensors(self.model, batch.inputs)
        job = job_of(self.model, inputs, Spread.of(self.job))
        return {**inputs, **({"use_cache": False} if hasattr(self.model, "generate") else {})}, job


def reader(scenario: Scenario, job: Job) -> Reader:
    """Loads the model. Raises ScenarioError if it cannot be had."""
    from prism_sim.numeric.loading import load

    source, given = sources(scenario, job)
    with loading(scenario):
        return Reader(scenario, job, load(source), given)


def n_examples(job: Job) -> int:
    """Of a task, in one input: as many as memory easily holds the rows of."""
    sizes = job.sizes
    return max(1, min(MOST_EXAMPLES, MOST_ELEMENTS // (job.n_tokens * sizes.width * sizes.n_blocks)))


def described(scenario: Scenario, job: Job) -> str:
    """The input of number 0, in words."""
    if scenario.task is None:
        return f"{job.batch} x {job.n_tokens} tokens"
    n = min(n_examples(job), len(splits_of(scenario)[0].validation))
    return f"{n} validation examples of {scenario.task.name}, {job.n_tokens} tokens each"


def key(scenario: Scenario, job: Job) -> str:
    """What determines the inputs beside what `numerics.question` asks for; equal for equal inputs."""
    return "" if scenario.task is None else f"{scenario.task.name} {splits_of(scenario)[1]} {n_examples(job)}"
