"""The most similar tokens merged, step by step, into their mean (ToMe's bipartite soft matching)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prism_sim.compressors.base import CompressorStep, Entry
from prism_sim.compressors.groups import group_means, means_work
from prism_sim.compressors.segment_means import SEGMENTS, FewRows


@dataclass(frozen=True, slots=True)
class TokenMerging(FewRows):
    """Merges until `segments` rows remain, at most half of the rows a step; a merged row is the mean of its tokens.

    Rows themselves say how similar they are (ToMe takes the attention's keys, which a sender does not have). No
    gradient passes through the matching, but through the means.
    """

    def work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        found: list[CompressorStep] = []
        for n, n_merged in _steps(n_tokens, self.n_rows(n_tokens)):
            n_scores = batch * (n - n // 2) * (n // 2)
            elements = batch * n * width
            found.append(CompressorStep("unit rows", elements=2 * elements, scratch=elements))
            found.append(CompressorStep("similarities", 2 * n_scores * width, elements + n_scores, scratch=n_scores))
            found.append(CompressorStep("matching", elements=n_scores))
            found.append(means_work(batch, n_tokens, n - n_merged, width))
        return tuple(found)

    def reduce(self, x: Any, real: Any) -> tuple[Any, Any]:
        n_rows = self.n_rows(x.shape[1])
        return group_means(x, merged(x.detach(), n_rows, real), n_rows, real)


def _steps(n_tokens: int, n_rows: int) -> Iterator[tuple[int, int]]:
    """Rows before each step, and how many of them it merges into others."""
    n = n_tokens
    while n > n_rows:
        n_merged = min(n - n_rows, n // 2)
        yield n, n_merged
        n -= n_merged


def merged(x: Any, n_rows: int, real: Any) -> Any:
    """The row into which each token goes: x (batch, tokens, width) -> (batch, tokens), from 0 to n_rows - 1."""
    import torch

    batch, n_tokens, _ = x.shape
    row_of = torch.arange(n_tokens, device=x.device).repeat(batch, 1)
    points = x.to(torch.promote_types(x.dtype, torch.float32))
    points = points if real is None else torch.where(real[..., None], points, 0)
    rows, taken = points, torch.ones_like(row_of, dtype=torch.bool) if real is None else real
    for n, n_merged in _steps(n_tokens, n_rows):
        row_of = _step(rows, taken, n_merged).gather(1, row_of)
        rows, counts = group_means(points, row_of, n - n_merged, real)
        taken = counts > 0
    return row_of


def _step(rows: Any, taken: Any, n_merged: int) -> Any:
    """Where each row goes if `n_merged` of them merge: (batch, n, width) -> (batch, n), from 0 to n - n_merged - 1.

    Every other row is compared with all of the rest, and the best pairs merge (ToMe, `merge.py`). taken: (batch, n),
    false at rows of no token; those come first among the rows that may merge, and merge before others.
    """
    import torch

    n = rows.shape[1]
    n_a = n - n // 2
    turn = torch.where(taken, 1 + (taken.cumsum(1) - 1) % 2, 0)  # 0: of no token, 1: even, 2: odd
    order = turn.argsort(dim=1, stable=True)
    unit = rows / rows.norm(dim=2, keepdim=True).clamp(min=torch.finfo(rows.dtype).tiny)
    unit = unit.gather(1, order[..., None].expand_as(unit))
    scores = unit[:, :n_a].bmm(unit[:, n_a:].mT)  # (B, n_a, n_b)
    taken = taken.gather(1, order)
    scores = scores.masked_fill(~taken[:, None, n_a:], -torch.inf)
    best, partner = scores.max(2)
    best = best.masked_fill(~taken[:, :n_a], torch.inf)
    rank = best.argsort(dim=1, descending=True, stable=True).argsort(dim=1, stable=True)
    leaves = rank < n_merged  # (B, n_a)
    stays = (~leaves).cumsum(1) - 1
    to_a = torch.where(leaves, n_a - n_merged + partner, stays)
    to_b = torch.arange(n_a - n_merged, n - n_merged, device=rows.device).expand(rows.shape[0], -1)
    return torch.empty_like(order).scatter(1, order, torch.cat([to_a, to_b], 1))


COMPRESSOR = Entry(
    name="token_merging",
    summary="the most similar tokens merged until L remain, weighed by their number, which travels",
    source="ToMe, arXiv 2210.09461",
    create=TokenMerging,
    kind="reducer",
    settings=("segments",),
    lever=SEGMENTS,
)
