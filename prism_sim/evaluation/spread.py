"""How a forward pass is spread over ranks, without the sizes of its input: those are each batch's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from prism_sim import families
from prism_sim.numeric.codebooks import Codebooks, fitted, needs_codebooks
from prism_sim.numeric.infer import job_for
from prism_sim.numeric.interpreter import execute
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement


@dataclass(frozen=True, slots=True)
class Spread:
    """What of a job decides about outputs. options: an instance of the strategy's Options, its shares in numbers."""

    strategy: str
    options: Any
    n_ranks: int
    placement: Placement = field(default_factory=Placement)
    wire_dtype: str | None = None

    @classmethod
    def of(cls, job: Job) -> Spread:
        return cls(job.strategy, job.options, job.n_ranks, job.placement, job.wire_dtype)


def forward(
    model: nn.Module, inputs: Mapping[str, Tensor], spread: Spread | None, codebooks: Codebooks | None = None
) -> Any:
    """What the model's own forward returns, its blocks spread over ranks; None: the model as it is.

    inputs: labels too, if the loss is wanted. codebooks: see `calibrated`. Differentiable. Raises ValueError where
    model, inputs and spread do not fit together.
    """
    causal = families.find(str(model.config.model_type)).causal  # type: ignore[union-attr]
    plain = {**inputs, "return_dict": True, **({"use_cache": False} if causal else {})}
    if spread is None:
        return model(**plain)
    return execute(model, plain, job_of(model, inputs, spread), codebooks=codebooks).output


def job_of(model: nn.Module, inputs: Mapping[str, Tensor], spread: Spread) -> Job:
    """The sizes of these inputs' forward pass. Raises ValueError as `forward`."""
    job = job_for(model, inputs, spread.n_ranks, spread.strategy, spread.options, spread.placement)
    return dataclasses.replace(job, wire_dtype=spread.wire_dtype)


def calibrated(model: nn.Module, inputs: Mapping[str, Tensor], spread: Spread | None) -> Codebooks | None:
    """Codebooks fitted to these inputs, which must not be those that are evaluated; None: the spread needs none."""
    if spread is None or not needs_codebooks(job := job_of(model, inputs, spread)):
        return None
    return fitted(model, [inputs], job)
