"""PRISM (arXiv 2507.12145): as Voltage, but each rank sends only L segment means of its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, doc

from prism_sim import compressors
from prism_sim.compressors import Compressor
from prism_sim.compressors.vector_quantisation import DEFAULT_CODES, DEFAULT_GROUPS
from prism_sim.effects import Program
from prism_sim.strategies.base import Model, Role, Strategy
from prism_sim.strategies.options import CheckedText, Excludes, PerBlock, Positive
from prism_sim.strategies.position_wise import TokenSplit, rank_program, terminal_program

DEFAULT_SEGMENTS = 10  # the compression rate 9.9 for ViT on two devices (arXiv 2605.25682, Table 3)


@dataclass(frozen=True, slots=True)
class Options(TokenSplit):
    segments: Annotated[
        Positive | tuple[Positive, ...] | None,
        doc(
            "L, the summaries that a rank sends a block, or a list of them, one for each block of the model; "
            f"default {DEFAULT_SEGMENTS}"
        ),
        PerBlock(),
        Excludes("compression_rate"),
    ] = None
    compression_rate: Annotated[
        Annotated[float, Ge(1.0)] | None, doc("CR = ceil(N/P) / L, in place of segments"), Excludes("segments")
    ] = None
    compressor: Annotated[
        str,
        doc("what stands for the rows; two may be chained, as segment_means+int8"),
        CheckedText(compressors.names, compressors.parts),
    ] = "segment_means"
    codebook_size: Annotated[int, Ge(2), doc(f"entries of a vector_quantisation codebook; default {DEFAULT_CODES}")] = (
        DEFAULT_CODES
    )
    codebook_groups: Annotated[
        Positive, doc(f"groups of columns, a vector_quantisation code for each; default {DEFAULT_GROUPS}")
    ] = DEFAULT_GROUPS


def n_segments(options: Options, n_tokens: int, n_ranks: int, n_blocks: int) -> tuple[int, ...]:
    """L before each block, as asked for, or L = max(1, round(ceil(N/P) / CR)).

    Raises ValueError for a list that has not one L for each block.
    """
    if options.compression_rate is not None:
        return (max(1, round(math.ceil(n_tokens / n_ranks) / options.compression_rate)),) * n_blocks
    if not isinstance(options.segments, tuple):
        return (DEFAULT_SEGMENTS if options.segments is None else options.segments,) * n_blocks
    if len(options.segments) != n_blocks:
        raise ValueError(f"segments lists {len(options.segments)} numbers, but the model has {n_blocks} blocks")
    return options.segments


def chosen_compressors(options: Options, n_tokens: int, n_ranks: int, n_blocks: int) -> tuple[Compressor, ...]:
    """What makes the summaries before each block. Raises ValueError as `n_segments`."""
    settings = {"codebook_size": options.codebook_size, "codebook_groups": options.codebook_groups}
    return tuple(
        compressors.create(options.compressor, {**settings, "segments": segments})
        for segments in n_segments(options, n_tokens, n_ranks, n_blocks)
    )


def idle_options(options: Options) -> frozenset[str]:
    """Options that mean nothing to the chosen compressor."""
    used = {setting for entry in compressors.parts(options.compressor) for setting in entry.settings}
    idle = {"segments", "codebook_size", "codebook_groups"} - used
    return frozenset(idle | ({"compression_rate"} if "segments" in idle else set()))


def rank(me: Role, model: Model, options: Options) -> Program:
    chosen = chosen_compressors(options, model.n_tokens, me.n_ranks, len(model.blocks))
    return (yield from rank_program(me, model, options, chosen))


STRATEGY = Strategy(
    name="prism",
    summary="tokens split over the ranks, L segment means exchanged before every block; lossy",
    source="arXiv 2507.12145 and 2605.25682",
    options=Options,
    rank=rank,
    terminal=terminal_program,
    compressors=chosen_compressors,
    lossless=lambda options: compressors.is_lossless(options.compressor),
    idle=idle_options,
)
