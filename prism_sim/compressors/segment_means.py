"""Means of contiguous tokens: what PRISM sends in place of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from prism_sim.compressors.base import CompressorStep, Entry, Lever

SEGMENTS = Lever("segments", lambda n_tokens, width: n_tokens)


@dataclass(frozen=True, slots=True)
class FewRows:
    """What every reducer has that leaves `segments` rows of a partition, or as many as it has tokens, if fewer."""

    segments: int
    by_content: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.segments < 1:
            raise ValueError(f"segments(={self.segments}) must be >= 1")

    def n_rows(self, n_tokens: int) -> int:
        return min(self.segments, n_tokens)


@dataclass(frozen=True, slots=True)
class SegmentMeans(FewRows):
    """Cuts a partition into contiguous runs and keeps their means."""

    by_content: ClassVar[bool] = False

    def work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        return (CompressorStep("summary", elements=batch * (n_tokens + self.n_rows(n_tokens)) * width),)

    def reduce(self, x: Any, real: Any) -> tuple[Any, Any]:
        from prism_sim.numeric.equations import segment_means  # torch only where numbers are asked for

        return segment_means(x, self.n_rows(x.shape[1]), real)


COMPRESSOR = Entry(
    name="segment_means",
    summary="means of contiguous tokens, weighed in attention by their number",
    source="PRISM as in arXiv 2605.25682, eq. 1",
    create=SegmentMeans,
    kind="reducer",
    settings=("segments",),
    lever=SEGMENTS,
)
