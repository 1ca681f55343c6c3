"""What PRISM and Voltage share: tokens are split over the ranks, and summaries of all others' rows are the context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prism_sim.compressors.base import Compressor
from prism_sim.effects import AllGather, Gather, Mark, Program, Scatter
from prism_sim.partition import Keys, split
from prism_sim.strategies.base import Bias, Block, Model, Role, Rows

EMBEDDING, HEAD = "embedding", "head"


@dataclass(frozen=True, slots=True)
class TokenSplit:
    """Options of every strategy that gives each rank a contiguous partition of the tokens."""

    shares: tuple[float, ...] | None = field(
        default=None, metadata={"doc": "part of the tokens that each rank owns, summing to 1; default: an even split"}
    )


def rank_program(me: Role, model: Model, options: TokenSplit, compressor: Compressor) -> Program:
    """A rank's part: one all-gather of summaries before every block, none after the last.

    With the identity as compressor this is Voltage; with segment means, PRISM (arXiv 2605.25682, algorithm 1).
    """
    parts = split(model.n_tokens, me.n_ranks, options.shares)
    own = parts[me.index]
    x, padding = yield from take_input(me, model, parts)
    others = [part for part in parts if part != own]
    bias = model.bias(own, [Keys(own, len(own)), *map(compressor.keys, others)], padding)
    for number, block in enumerate(model.blocks):
        context = []
        if others:
            yield Mark(f"block {number}: summary")
            summary = model.compress(compressor, x, own, padding)
            gathered = yield AllGather(summary, me.ranks, f"block {number}")
            context = [rows for rank, rows in enumerate(gathered) if rank != me.index]
        yield Mark(f"block {number}")
        x = transform(model, block, x, context, bias)
    return (yield from give_output(me, model, x, own))


def transform(model: Model, block: Block, x: Rows, context: Sequence[Rows], bias: Bias) -> Rows:
    """One block on own rows x: queries from x alone, keys and values from x and the context."""
    h = block.attention_norm(x)
    c = model.join([h, block.attention_norm(model.join(context))]) if context else h
    a = block.attend(block.queries(h), block.keys(c), block.values(c), bias)
    x = block.after_attention(x, block.attention_output(a))
    f = block.feed_forward(block.feed_forward_norm(x))
    return block.after_feed_forward(x, f)


def take_input(me: Role, model: Model, parts: Sequence[range]) -> Program:
    """A rank's own embedded rows and the padding mask of all tokens (None: no padding)."""
    if me.placement.input == "replicated":
        yield Mark(EMBEDDING)
        return model.embed(parts[me.index]), model.padding()
    return (yield Scatter(None, me.terminal, me.everyone, "input"))


def give_output(me: Role, model: Model, x: Rows, own: range) -> Program:
    """Sends the terminal those of a rank's own rows that the head reads, or leaves all in place."""
    if me.placement.output == "in_place":
        return x
    yield Mark("output")
    yield Gather(needed_rows(model, x, own), me.terminal, me.everyone, "output")
    return None


def needed_rows(model: Model, x: Rows, own: range) -> Rows | None:
    needed = range(max(own.start, model.head_tokens.start), min(own.stop, model.head_tokens.stop))
    if not needed:
        return None
    return x if needed == own else model.select(x, range(needed.start - own.start, needed.stop - own.start))


def terminal_program(me: Role, model: Model, options: TokenSplit) -> Program:
    """The terminal embeds and scatters rows, gathers those that the head reads, and runs the head."""
    parts = split(model.n_tokens, me.n_ranks, options.shares)
    if me.placement.input == "terminal":
        yield Mark(EMBEDDING)
        x, padding = model.embed(range(model.n_tokens)), model.padding()
        yield Mark("scatter")
        pieces = tuple((model.select(x, part), padding) for part in parts)
        yield Scatter((*pieces, None), me.terminal, me.everyone, "input")
    if me.placement.output == "terminal":
        rows = yield Gather(None, me.terminal, me.everyone, "output")
        yield Mark(HEAD)
        model.head(model.join([part for part in rows if part is not None]))
    return None
