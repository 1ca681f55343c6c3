"""PRISM (arXiv 2507.12145): as Voltage, but each rank sends only L segment means of its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from prism_sim import compressors
from prism_sim.compressors.base import Compressor
from prism_sim.effects import Program
from prism_sim.strategies.base import Model, Role, Strategy
from prism_sim.strategies.position_wise import TokenSplit, rank_program, terminal_program

DEFAULT_SEGMENTS = 10  # the compression rate 9.9 for ViT on two devices (arXiv 2605.25682, Table 3)


@dataclass(frozen=True, slots=True)
class Options(TokenSplit):
    segments: int | None = field(
        default=None,
        metadata={
            "doc": f"L, the summaries that a rank sends a block; default {DEFAULT_SEGMENTS}",
            "minimum": 1,
            "excludes": "compression_rate",
        },
    )
    compression_rate: float | None = field(
        default=None,
        metadata={"doc": "CR = ceil(N/P) / L, in place of segments", "minimum": 1.0, "excludes": "segments"},
    )
    compressor: str = field(
        default="segment_means",
        metadata={"doc": "what stands for the rows", "choices": tuple(compressors.catalogue())},
    )


def n_segments(options: Options, n_tokens: int, n_ranks: int) -> int:
    """L as asked for, or L = max(1, round(ceil(N/P) / CR))."""
    if options.compression_rate is not None:
        return max(1, round(math.ceil(n_tokens / n_ranks) / options.compression_rate))
    return options.segments if options.segments is not None else DEFAULT_SEGMENTS


def chosen_compressor(options: Options, n_tokens: int, n_ranks: int) -> Compressor:
    return compressors.find(options.compressor).create(n_segments(options, n_tokens, n_ranks))


def rank(me: Role, model: Model, options: Options) -> Program:
    return (yield from rank_program(me, model, options, chosen_compressor(options, model.n_tokens, me.n_ranks)))


STRATEGY = Strategy(
    name="prism",
    summary="tokens split over the ranks, L segment means exchanged before every block; lossy",
    source="arXiv 2507.12145 and 2605.25682",
    options=Options,
    rank=rank,
    terminal=terminal_program,
    compressor=chosen_compressor,
    lossless=lambda options: compressors.find(options.compressor).lossless,
)
