"""Means of contiguous tokens: what PRISM sends in place of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prism_sim.compressors.base import Entry
from prism_sim.partition import Keys


@dataclass(frozen=True, slots=True)
class SegmentMeans:
    """Cuts a partition into `segments` contiguous runs (as many as it has tokens, if fewer) and keeps their means."""

    segments: int

    def __post_init__(self) -> None:
        if self.segments < 1:
            raise ValueError(f"segments(={self.segments}) must be >= 1")

    def keys(self, tokens: range) -> Keys:
        return Keys(tokens, min(self.segments, len(tokens)))

    def compress(self, x: Any, real: Any) -> Any:
        from prism_sim.numeric.equations import segment_means  # torch only where numbers are asked for

        means, _counts = segment_means(x, min(self.segments, x.shape[1]), real)
        return means


COMPRESSOR = Entry(
    name="segment_means",
    summary="means of contiguous tokens, weighed in attention by their number",
    source="PRISM (arXiv 2605.25682, eq. 1)",
    create=SegmentMeans,
)
