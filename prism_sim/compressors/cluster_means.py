"""Means of tokens that are alike: clusters by content in place of contiguous segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prism_sim.compressors.base import CompressorStep, Entry
from prism_sim.compressors.groups import group_means, means_work
from prism_sim.compressors.segment_means import SEGMENTS, FewRows

ITERATIONS = 4  # assignments; assumption: few, as they are repeated before every block


@dataclass(frozen=True, slots=True)
class ClusterMeans(FewRows):
    """k-means of a partition's rows, each sample by itself, begun at the segments' means, so without chance.

    Each of ITERATIONS assigns every token to the nearest centre (the first of equals); a centre without tokens stays
    where it is, and counts for nothing if it ends so. No gradient passes through the assignment, but through the means.
    """

    def work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        n_rows = self.n_rows(n_tokens)
        n_distances, means = batch * n_tokens * n_rows, means_work(batch, n_tokens, n_rows, width)
        iteration = (
            CompressorStep("distances", 2 * n_distances * width, means.elements + n_distances, scratch=n_distances),
            CompressorStep("nearest centres", elements=n_distances),
            means,
        )
        return (means, *iteration * ITERATIONS)

    def reduce(self, x: Any, real: Any) -> tuple[Any, Any]:
        n_rows = self.n_rows(x.shape[1])
        return group_means(x, clusters(x.detach(), n_rows, real), n_rows, real)


def clusters(x: Any, n_clusters: int, real: Any) -> Any:
    """The cluster of each token: x (batch, tokens, width) -> (batch, tokens); padded tokens move no centre."""
    import torch

    from prism_sim.numeric.equations import segment_means

    points = x.to(torch.promote_types(x.dtype, torch.float32))
    points = points if real is None else torch.where(real[..., None], points, 0)
    centres, _ = segment_means(points, n_clusters, real)
    nearest = _nearest(points, centres)
    for _ in range(ITERATIONS - 1):
        means, counts = group_means(points, nearest, n_clusters, real)
        centres = torch.where(counts[..., None] > 0, means, centres)
        nearest = _nearest(points, centres)
    return nearest


def _nearest(points: Any, centres: Any) -> Any:
    """|x - c|^2 = |x|^2 - 2 x.c + |c|^2, of which the first is the same for all centres. (B, T), (B, L) -> (B, T)"""
    return (centres.square().sum(2)[:, None] - 2 * points.bmm(centres.mT)).argmin(2)


COMPRESSOR = Entry(
    name="cluster_means",
    summary="means of tokens clustered by what they hold (k-means), weighed by their number, which travels",
    source="ClusTR, arXiv 2208.13138",
    create=ClusterMeans,
    kind="reducer",
    settings=("segments",),
    lever=SEGMENTS,
)
