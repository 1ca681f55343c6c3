"""How a forward pass is spread over ranks, without the sizes of its input: those are each batch's own.

For an answer, and for the loss that a training loop follows, L drawn anew for each batch if asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim.numeric.codebooks import Codebooks
from prism_sim.numeric.infer import job_for, plain
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

    inputs: labels too, if the loss is wanted. codebooks: see `evaluate.codebooks_of`. Differentiable. Raises
    ValueError where model, inputs and spread do not fit together.
    """
    named = plain(model, inputs)
    if spread is None:
        return model(**named)
    return execute(model, named, job_of(model, inputs, spread), codebooks=codebooks).output


def job_of(model: nn.Module, inputs: Mapping[str, Tensor], spread: Spread) -> Job:
    """The sizes of these inputs' forward pass. Raises ValueError as `forward`."""
    job = job_for(model, inputs, spread.n_ranks, spread.strategy, spread.options, spread.placement)
    return replace(job, wire_dtype=spread.wire_dtype)


def spread_loss(
    spread: Spread, segments: tuple[int, int] | None = None, codebooks: Codebooks | None = None
) -> Callable[[nn.Module, Mapping[str, Tensor]], Tensor]:
    """The loss of the model's own forward pass, its blocks spread over ranks; labels are among the inputs.

    segments: least and most L; one is drawn for every batch, log-uniformly, from torch's own generator, so that a
    checkpoint serves all these compression rates and a training that seeds each step can go on from any of them.
    """

    def loss(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
        chosen = spread if segments is None else with_segments(spread, drawn(*segments))
        found: Tensor = forward(model, inputs, chosen, codebooks).loss
        return found

    return loss


def drawn(least: int, most: int) -> int:
    """A whole number from least to most, its logarithm about uniform: small ones as often as large ones."""
    ratio = (most + 1) / least
    return min(most, int(least * ratio ** float(torch.rand(()))))


def with_segments(spread: Spread, n_segments: int) -> Spread:
    """The same with another L. Raises ValueError for a strategy that has none."""
    names = {one.name for one in fields(spread.options)}
    if "segments" not in names:
        raise ValueError(f"{spread.strategy} sends no segments, so their number cannot be drawn")
    other = {"compression_rate": None} if "compression_rate" in names else {}
    return replace(spread, options=replace(spread.options, segments=n_segments, **other))
