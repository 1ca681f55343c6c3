"""PRISM (arXiv 2507.12145): each rank attends to its own rows and to what others send in place of theirs, L means each.

Sent as they are, the rows of the others make it Voltage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from annotated_types import Ge, doc

from prism_sim import compressors
from prism_sim.compressors import Compressor
from prism_sim.compressors.vector_quantisation import DEFAULT_CODES, DEFAULT_GROUPS
from prism_sim.effects import AllGather, Begin, Mark, Program
from prism_sim.partition import split
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import Model, NoStep, Role, Steps, Strategy
from prism_sim.strategies.context import Context, attend_afterwards, attend_meanwhile
from prism_sim.strategies.decoding import kept_by_the_last, kept_where_they_are, step_alone, step_terminal
from prism_sim.strategies.options import CheckedText, Excludes, PerBlock, Positive
from prism_sim.strategies.token_split import TokenSplit, feed_forward, give_output, take_input, terminal_program

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


def by_block(options: Options) -> bool:
    """Whether blocks have each their own number of segments."""
    return isinstance(options.segments, tuple)


def rank(me: Role, model: Model, options: Options) -> Program:
    chosen = chosen_compressors(options, model.n_tokens, me.n_ranks, len(model.blocks))
    return (yield from rank_program(me, model, options, chosen))


def rank_program(
    me: Role, model: Model, options: TokenSplit, compressors: Sequence[Compressor], in_parts: bool = False
) -> Program:
    """A rank's part: one all-gather of summaries before every block, none after the last.

    compressors: what makes the summaries, one for each block. With segment means this is PRISM (arXiv 2605.25682,
    algorithm 1); with the identity, Voltage. in_parts: where new tokens follow, each rank keeps the keys and values of
    its own rows, else the last rank keeps all that it attends to.
    """
    parts = split(model.n_tokens, me.n_ranks, options.shares)
    own = parts[me.index]
    x, padding = yield from take_input(me, model, parts)
    context = Context(me, model, parts, padding)
    attend = attend_meanwhile if options.overlap else attend_afterwards
    keep = partial(kept_where_they_are if in_parts else kept_by_the_last, me, model, len(own))
    for number, (block, compressor) in enumerate(zip(model.blocks, compressors, strict=True)):
        ticket = None
        if me.n_ranks > 1:
            yield Mark(f"block {number}: summary")
            summary = model.compress(compressor, number, x, own, padding)
            ticket = yield Begin(AllGather(summary, me.ranks, f"block {number}"))
        yield Mark(f"block {number}")
        at = context.places(compressor)
        arrival = partial(context.arrival, compressor, number, ticket)
        a = yield from attend(model, block, x, at, arrival, partial(keep, number))
        x = block.after_attention(x, block.attention_output(a))
        del a  # as everything that is named here, it would stay in memory through the widest step
        x = feed_forward(block, x)
    return (yield from give_output(me, model, x, own))


def step_rank(me: Role, model: Model, options: Options) -> Program:
    chosen = chosen_compressors(options, model.prompt_tokens, me.n_ranks, len(model.blocks))
    return (yield from step_alone(me, model, options, chosen))


def no_steps(options: Options) -> NoStep | None:
    (first,) = chosen_compressors(replace(options, segments=1, compression_rate=None), 1, 1, 1)
    if not first.reducer.by_content:
        return None
    rule = "the tokens behind its rows are only known together with them, and new tokens need them again"
    remedy = "take one that goes by place, as segment_means"
    return NoStep("compressor", f"compressor {options.compressor} has no step: {rule}; {remedy}")


STRATEGY = Strategy(
    name="prism",
    summary="tokens split over the ranks, L segment means exchanged before every block; lossy",
    source=(
        "Qazi, Iosifidis, Zhang (2025), PRISM: Distributed Inference for Foundation Models at Edge, arXiv 2507.12145; "
        "Qazi, Iosifidis, Zhang (2026), Profiling-Driven Adaptive Distributed Transformer Inference on Embedded Edge "
        "Deployment, arXiv 2605.25682"
    ),
    options=Options,
    rank=AlikeBlocks(rank, unless=by_block),
    terminal=terminal_program,
    compressors=chosen_compressors,
    lossless=lambda options: compressors.is_lossless(options.compressor),
    idle=idle_options,
    steps=Steps(AlikeBlocks(step_rank, unless=by_block), step_terminal, no_steps),
)
