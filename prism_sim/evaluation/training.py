"""The loss of a batch through the distributed computation, for a training loop; L drawn anew for each if asked for."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from prism_sim.evaluation.spread import Spread, forward
from prism_sim.numeric.codebooks import Codebooks


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
    return min(most, int(least * math.pow(ratio, float(torch.rand(())))))


def with_segments(spread: Spread, n_segments: int) -> Spread:
    """The same with another L. Raises ValueError for a strategy that has none."""
    names = {field.name for field in dataclasses.fields(spread.options)}
    if "segments" not in names:
        raise ValueError(f"{spread.strategy} sends no segments, so their number cannot be drawn")
    other = {"compression_rate": None} if "compression_rate" in names else {}
    return dataclasses.replace(spread, options=dataclasses.replace(spread.options, segments=n_segments, **other))
