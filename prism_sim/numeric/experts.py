"""A mixture of experts on tensors: each row goes through k of E gated feed-forward layers, and their weighed sum out.

After Shazeer et al. (arXiv 1701.06538, eq. 1). The router is Hugging Face's own, its softmax in float32 included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from prism_sim.families.base import BlockParts


@dataclass(frozen=True, slots=True)
class Routed:
    """Rows between the layers of their experts, those of one expert side by side.

    inner: (rows * k, columns). experts: (expert, its rows of inner), of those that are hit. weights: (rows, k), of each
    row's experts in the order in which it chose them. origin: where in that order, (rows * k,), a row of inner stands.
    """

    inner: Tensor
    experts: tuple[tuple[int, slice], ...]
    weights: Tensor
    origin: Tensor
    batch: int


def expand(parts: BlockParts, h: Tensor, columns: range | None) -> Routed:
    """h: (batch, tokens, width). columns: of every expert; None for all."""
    assert parts.route is not None
    assert parts.gate is not None
    gate, up = parts.gate.weight, parts.expand.weight  # (E, expert width, width)
    rows = h.flatten(0, 1)
    weights, chosen = parts.route(rows)  # (rows, k)
    origin = chosen.flatten().argsort(stable=True)
    experts = tuple(_runs(chosen.flatten().bincount(minlength=len(gate)).tolist()))
    ordered = rows[origin // chosen.shape[1]]
    own = slice(None) if columns is None else slice(columns.start, columns.stop)

    def through(expert: int, x: Tensor) -> Tensor:
        inner: Tensor = parts.activation(F.linear(x, gate[expert, own])) * F.linear(x, up[expert, own])
        return inner

    return Routed(_each(through, ordered, experts), experts, weights, origin, len(h))


def contract(parts: BlockParts, routed: Routed, columns: range | None) -> Tensor:
    """(batch, tokens, width); with some of the columns, a part of a sum over ranks that have the others."""
    down = parts.contract.weight  # (E, width, expert width)
    own = slice(None) if columns is None else slice(columns.start, columns.stop)

    def through(expert: int, inner: Tensor) -> Tensor:
        return F.linear(inner, down[expert][:, own])

    found = _each(through, routed.inner, routed.experts)
    by_row = found[routed.origin.argsort()].view(*routed.weights.shape, -1)  # (rows, k, width)
    together = (by_row * routed.weights.unsqueeze(-1)).sum(1)
    return together.view(routed.batch, -1, together.shape[-1])


def _runs(n_rows: list[int]) -> Iterator[tuple[int, slice]]:
    start = 0
    for expert, n in enumerate(n_rows):
        if n:
            yield expert, slice(start, start + n)
        start += n


def _each(through: Callable[[int, Tensor], Tensor], rows: Tensor, experts: tuple[tuple[int, slice], ...]) -> Tensor:
    return torch.cat([through(expert, rows[own]) for expert, own in experts])
