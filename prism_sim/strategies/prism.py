"""PRISM (arXiv 2507.12145): each rank attends to its own rows and to what others send in place of theirs, L means each.

Sent as they are, the rows of the others make it Voltage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from annotated_types import Ge, doc

from prism_sim import compressors
from prism_sim.compressors import Compressor
from prism_sim.compressors.vector_quantisation import DEFAULT_CODES, DEFAULT_GROUPS
from prism_sim.effects import AllGather, Await, Begin, Mark, Program, Ticket
from prism_sim.partition import Keys, split
from prism_sim.strategies.base import Bias, Block, Counts, Model, Padding, Places, Role, Rows, Strategy
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


def rank(me: Role, model: Model, options: Options) -> Program:
    chosen = chosen_compressors(options, model.n_tokens, me.n_ranks, len(model.blocks))
    return (yield from rank_program(me, model, options, chosen))


def rank_program(me: Role, model: Model, options: TokenSplit, compressors: Sequence[Compressor]) -> Program:
    """A rank's part: one all-gather of summaries before every block, none after the last.

    compressors: what makes the summaries, one for each block. With segment means this is PRISM (arXiv 2605.25682,
    algorithm 1); with the identity, Voltage.
    """
    parts = split(model.n_tokens, me.n_ranks, options.shares)
    own = parts[me.index]
    x, padding = yield from take_input(me, model, parts)
    context = Context(me, model, parts, padding)
    attend = attend_meanwhile if options.overlap else attend_afterwards
    for number, (block, compressor) in enumerate(zip(model.blocks, compressors, strict=True)):
        ticket = None
        if me.n_ranks > 1:
            yield Mark(f"block {number}: summary")
            summary = model.compress(compressor, number, x, own, padding)
            ticket = yield Begin(AllGather(summary, me.ranks, f"block {number}"))
        yield Mark(f"block {number}")
        at = context.places(compressor)
        a = yield from attend(model, block, x, at, partial(context.arrival, compressor, number, ticket))
        x = block.after_attention(x, block.attention_output(a))
        del a  # as everything that is named here, it would stay in memory through the widest step
        x = feed_forward(block, x)
    return (yield from give_output(me, model, x, own))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where rows stand: a rank's own; what stands for others' rows; and both, one after the other."""

    own: Places
    others: Places
    everyone: Places


class Context:
    """What stands for all others' rows, and how much a rank's own rows may attend to each of it."""

    def __init__(self, me: Role, model: Model, parts: Sequence[range], padding: Padding) -> None:
        self.me, self.model, self.parts, self.padding = me, model, parts, padding
        self.known: dict[Compressor, Bias] = {}  # of counts that everybody knows: made once, whatever arrives
        self.standing: dict[Compressor, Standing] = {}

    def arrival(self, compressor: Compressor, block: int, ticket: Ticket | None) -> Program:
        """Waits for the others' messages, if there are others: their rows, rank by rank, and the attention's bias."""
        messages = () if ticket is None else (yield Await(ticket))
        found = [
            self.model.restore(compressor, block, message, part)
            for rank, (part, message) in enumerate(zip(self.parts, messages, strict=False))
            if rank != self.me.index
        ]
        return [rows for rows, _ in found], self._bias(compressor, [counts for _, counts in found])

    def places(self, compressor: Compressor) -> Standing:
        """Where the own rows stand, and what this compressor makes of the others'."""
        if compressor not in self.standing:
            own, *others = keys = self._keys(compressor)
            found = (self.model.places(groups, self.padding) if groups else None for groups in ([own], others, keys))
            self.standing[compressor] = Standing(*found)
        return self.standing[compressor]

    def _keys(self, compressor: Compressor) -> list[Keys]:
        """The own rows, then what stands for the others', rank by rank."""
        own = self.parts[self.me.index]
        others = [part for rank, part in enumerate(self.parts) if rank != self.me.index]
        return [Keys(own, len(own)), *map(compressor.keys, others)]

    def _bias(self, compressor: Compressor, counts: Sequence[Counts]) -> Bias:
        own, alike = self.parts[self.me.index], all(found is None for found in counts)
        if alike and compressor in self.known:
            return self.known[compressor]
        bias = self.model.bias(own, self._keys(compressor), self.padding, (None, *counts))
        if alike:
            self.known[compressor] = bias
        return bias


def attend_afterwards(
    model: Model, block: Block, x: Rows, at: Standing, await_context: Callable[[], Program]
) -> Program:
    """Attention of own rows x over x and the context, once that has arrived: queries come from x alone.

    await_context: starts the wait, as `Context.arrival`.
    """
    context, bias = yield from await_context()
    h = block.attention_norm(x)
    c = model.join([h, block.attention_norm(model.join(context))]) if context else h
    return block.attend(block.queries(h, at=at.own), block.keys(c, at=at.everyone), block.values(c), bias)


def attend_meanwhile(
    model: Model, block: Block, x: Rows, at: Standing, await_context: Callable[[], Program]
) -> Program:
    """The same attention and the same FLOPs, but all products that need no context come before the wait for it."""
    h = block.attention_norm(x)
    q, k, v = block.queries(h, at=at.own), block.keys(h, at=at.own), block.values(h)
    context, bias = yield from await_context()
    if context:
        c = block.attention_norm(model.join(context))
        k, v = model.join_heads([k, block.keys(c, at=at.others)]), model.join_heads([v, block.values(c)])
    return block.attend(q, k, v, bias)


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
