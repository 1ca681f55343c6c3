"""A scenario's model and inputs at hand, to compute what any list of segments would lose. Imports torch when made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from prism_sim.outputs.model_inputs import ModelInput, reader
from prism_sim.partition import split
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job

if TYPE_CHECKING:
    from prism_sim.numeric.residuals import Held

Measure = Literal["kl", "residual"]


def with_segments(job: Job, segments: Sequence[int]) -> Job:
    """The same job with one L for each block."""
    return replace(job, options=replace(job.options, segments=tuple(segments), compression_rate=None))


def most_segments(job: Job) -> int:
    """The tokens of the largest partition: more segments change nothing."""
    return max(map(len, split(job.n_tokens, job.n_ranks, job.options.shares)))


class Bench:
    """What the search asks (`segment_search.Losses`), really computed. Inputs by number: see `model_inputs.Reader`.

    measure: kl, of the outputs, in nats; residual: relative error of the residual stream after the last block; None:
    kl where the model gives logits, else residual. Raises as `numerics.fidelity_of`.
    """

    def __init__(self, scenario: Scenario, job: Job, measure: Measure | None) -> None:
        self.n_blocks = job.sizes.n_blocks
        self.reader = reader(scenario, job)
        self.own = self.reader.case(0)
        logits = self.own.known.logits
        if measure == "kl" and not logits:
            raise ValueError("there is no KL divergence without logits: minimise residual, or choose a model.head")
        self.measure: Measure = measure or ("kl" if logits else "residual")

    @property
    def has_more_inputs(self) -> bool:
        return self.reader.has_more

    @cached_property
    def held(self) -> dict[int, Held]:
        """By each rank."""
        from prism_sim.numeric.residuals import layout
        from prism_sim.numeric.threads import fixed_threads

        with fixed_threads():
            return layout(self.own.known, self.own.job)

    def added(self, n_segments: int) -> tuple[float, ...]:
        """What each block would add alone, on the undistributed stream, if all had so many segments: one run."""
        from prism_sim.numeric.residuals import added_errors
        from prism_sim.numeric.threads import fixed_threads

        job = with_segments(self.own.job, [n_segments] * self.n_blocks)
        with fixed_threads():
            return added_errors(self.own.known, job, self.held)

    def loss(self, segments: Sequence[int]) -> float:
        """On the input of number 0: one run."""
        return self._loss(self.own, segments)

    def losses_elsewhere(self, number: int, *lists: Sequence[int]) -> tuple[float, ...]:
        """Of each list, on the input of this number."""
        case = self.reader.case(number)
        return tuple(self._loss(case, segments) for segments in lists)

    def _loss(self, case: ModelInput, segments: Sequence[int]) -> float:
        from prism_sim.numeric.residuals import outcome
        from prism_sim.numeric.threads import fixed_threads

        with fixed_threads():
            error, output = outcome(case.known, with_segments(case.job, segments))
        if self.measure == "residual":
            return error
        assert output.kl is not None
        return output.kl
