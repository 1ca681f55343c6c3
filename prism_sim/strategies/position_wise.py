"""What PRISM and Voltage share: tokens are split over the ranks, and summaries of all others' rows are the context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from annotated_types import doc

from prism_sim.compressors import Compressor
from prism_sim.effects import AllGather, Await, Begin, Gather, Mark, Program, Scatter, Ticket
from prism_sim.partition import Keys, split
from prism_sim.strategies.base import (
    EMBEDDING,
    HEAD,
    Bias,
    Block,
    Counts,
    Model,
    Padding,
    Places,
    Role,
    Rows,
)
from prism_sim.strategies.options import Divides, Shares


@dataclass(frozen=True, slots=True)
class TokenSplit:
    """Options of every strategy that gives each rank a contiguous partition of the tokens."""

    shares: Annotated[Shares, Divides(("tokens",))] = None
    overlap: Annotated[bool, doc("compute queries and the own keys and values while the summaries travel")] = False


def rank_program(me: Role, model: Model, options: TokenSplit, compressors: Sequence[Compressor]) -> Program:
    """A rank's part: one all-gather of summaries before every block, none after the last.

    compressors: what makes the summaries, one for each block. With the identity this is Voltage; with segment means,
    PRISM (arXiv 2605.25682, algorithm 1).
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


def feed_forward(block: Block, x: Rows) -> Rows:
    """The second half of a block, which needs no other rows."""
    return block.after_feed_forward(x, block.feed_forward(block.feed_forward_norm(x)))


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
        yield Scatter((yield from embedded_pieces(model, parts)), me.terminal, me.everyone, "input")
    if me.placement.output == "terminal":
        rows = yield Gather(None, me.terminal, me.everyone, "output")
        yield Mark(HEAD)
        model.head(model.join([part for part in rows if part is not None]))
    return None


def embedded_pieces(model: Model, parts: Sequence[range]) -> Program:
    """What the terminal scatters: to each rank its embedded rows and the padding mask, nothing to itself."""
    yield Mark(EMBEDDING)
    x, padding = model.embed(range(model.n_tokens)), model.padding()
    yield Mark("scatter")
    return (*((model.select(x, part), padding) for part in parts), None)
