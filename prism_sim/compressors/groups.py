"""Means of tokens that were assigned to groups, whatever assigned them."""

from __future__ import annotations

from typing import Any

from prism_sim.compressors.base import CompressorStep


def group_means(x: Any, group_of: Any, n_groups: int, real: Any) -> tuple[Any, Any]:
    """Mean of the tokens of each group, and their number.

    x: (batch, tokens, width). group_of: (batch, tokens), from 0 to n_groups - 1. real: (batch, tokens), true at real
    tokens, or None; a padded token enters no mean and no count.
    Returns means (batch, n_groups, width), 0 of an empty group, and counts (batch, n_groups) as int64.
    """
    import torch

    precise = torch.promote_types(x.dtype, torch.float32)
    real = torch.ones_like(group_of, dtype=torch.bool) if real is None else real
    rows = torch.where(real[..., None], x, 0).to(precise)  # (B, T, D)
    counts = torch.zeros_like(group_of[:, :1]).repeat(1, n_groups).scatter_add(1, group_of, real.long())
    sums = rows.new_zeros(x.shape[0], n_groups, x.shape[2])
    sums = sums.scatter_add(1, group_of[..., None].expand_as(rows), rows)
    return (sums / counts.clamp(min=1)[..., None]).to(x.dtype), counts


def means_work(batch: int, n_tokens: int, n_groups: int, width: int) -> CompressorStep:
    """What `group_means` costs."""
    return CompressorStep("group means", elements=batch * (n_tokens + n_groups) * width)
