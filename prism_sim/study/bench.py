"""A scenario's model and inputs at hand, to compute what any list of segments would lose. Imports torch when made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from prism_sim.partition import split
from prism_sim.scenario import Scenario
from prism_sim.shapes.job import Job
from prism_sim.study.numerics import loading, sources

if TYPE_CHECKING:
    from prism_sim.numeric.undistributed import Undistributed

Measure = Literal["kl", "residual"]
MEASURES: tuple[Measure, ...] = ("kl", "residual")


def with_segments(job: Job, segments: Sequence[int]) -> Job:
    """The same job with one L for each block."""
    return replace(job, options=replace(job.options, segments=tuple(segments), compression_rate=None))


def most_segments(job: Job) -> int:
    """The tokens of the largest partition: more segments change nothing."""
    return max(map(len, split(job.n_tokens, job.n_ranks, job.options.shares)))


class Bench:
    """The model, loaded once; inputs by number: 0 is the scenario's own, those after it come from later seeds.

    measure: kl, of the outputs, in nats; residual: relative error of the residual stream after the last block; None:
    kl where the model gives logits, else residual. runs: forward passes so far. Raises as `numerics.fidelity_of`.
    """

    def __init__(self, scenario: Scenario, job: Job, measure: Measure | None) -> None:
        from prism_sim.numeric.loading import load

        self.job, self.runs = job, 0
        source, self.given = sources(scenario, job)
        with loading(scenario):
            self.model = load(source)
            self.own = self._undistributed(0)
        if measure == "kl" and not self.own.logits:
            raise ValueError("there is no KL divergence without logits: minimise residual, or choose a model.head")
        self.measure: Measure = measure or ("kl" if self.own.logits else "residual")

    def _undistributed(self, number: int) -> Undistributed:
        from prism_sim.numeric.measure import inputs_of
        from prism_sim.numeric.threads import fixed_threads
        from prism_sim.numeric.undistributed import undistributed

        self.runs += 1
        given = replace(self.given, seed=self.given.seed + number)
        with fixed_threads():
            return undistributed(self.model, inputs_of(self.model, given, self.job))

    @cached_property
    def tokens(self) -> dict[int, range]:
        """Of each rank."""
        from prism_sim.numeric.residuals import layout
        from prism_sim.numeric.threads import fixed_threads

        self.runs += 1
        with fixed_threads():
            return layout(self.own, self.job)

    def added(self, n_segments: int) -> tuple[float, ...]:
        """What each block would add alone, on the undistributed stream, if all had so many segments: one run."""
        from prism_sim.numeric.residuals import added_errors
        from prism_sim.numeric.threads import fixed_threads

        tokens = self.tokens
        self.runs += 1
        with fixed_threads():
            return added_errors(self.own, with_segments(self.job, [n_segments] * self.n_blocks), tokens)

    def loss(self, segments: Sequence[int]) -> float:
        """Of the scenario's own input."""
        return self._loss(self.own, segments)

    def losses_elsewhere(self, number: int, *lists: Sequence[int]) -> tuple[float, ...]:
        """Of each list, on the input of this number."""
        known = self._undistributed(number)
        return tuple(self._loss(known, segments) for segments in lists)

    def _loss(self, known: Undistributed, segments: Sequence[int]) -> float:
        from prism_sim.numeric.residuals import outcome
        from prism_sim.numeric.threads import fixed_threads

        self.runs += 1
        with fixed_threads():
            error, output = outcome(known, with_segments(self.job, segments))
        if self.measure == "residual":
            return error
        assert output.kl is not None
        return output.kl

    @property
    def n_blocks(self) -> int:
        return self.job.sizes.n_blocks

    @property
    def has_more_inputs(self) -> bool:
        """Whether there are other inputs than the scenario's own: a file is one."""
        return self.given.path is None
