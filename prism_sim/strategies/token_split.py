"""What strategies share that split the tokens: each rank holds the rows of a range of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from prism_sim.effects import Gather, Mark, Program, Scatter
from prism_sim.partition import split
from prism_sim.strategies.base import EMBEDDING, HEAD, Block, Model, Role, Rows
from prism_sim.strategies.options import Divides, Shares


@dataclass(frozen=True, slots=True)
class TokenSplit:
    """Options of every strategy that gives each rank a contiguous partition of the tokens."""

    shares: Annotated[Shares, Divides(("tokens",))] = None
    overlap: Annotated[bool, doc("compute queries and the own keys and values while the summaries travel")] = False


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
    needed = overlap_of(own, model.head_tokens)
    if not needed:
        return None
    return x if needed == own else model.select(x, range(needed.start - own.start, needed.stop - own.start))


def overlap_of(some: range, others: range) -> range:
    return range(max(some.start, others.start), min(some.stop, others.stop))


def terminal_program(me: Role, model: Model, options: TokenSplit) -> Program:
    """The terminal embeds and scatters rows, gathers those that the head reads, and runs the head."""
    yield from scatter_input(me, model, split(model.n_tokens, me.n_ranks, options.shares))
    yield from run_head(me, model)


def scatter_input(me: Role, model: Model, parts: Sequence[range]) -> Program:
    """The terminal's half of `take_input`."""
    if me.placement.input == "terminal":
        yield Scatter((yield from embedded_pieces(model, parts)), me.terminal, me.everyone, "input")


def run_head(me: Role, model: Model) -> Program:
    """The terminal's half of `give_output`, and the head."""
    if me.placement.output == "terminal":
        rows = yield Gather(None, me.terminal, me.everyone, "output")
        yield Mark(HEAD)
        model.head(model.join([part for part in rows if part is not None]))


def embed_all(model: Model) -> Program:
    """The embedded rows of all tokens, and the padding mask."""
    yield Mark(EMBEDDING)
    return model.embed(range(model.n_tokens)), model.padding()


def embedded_pieces(model: Model, parts: Sequence[range]) -> Program:
    """What the terminal scatters: to each rank its embedded rows and the padding mask, nothing to itself."""
    x, padding = yield from embed_all(model)
    yield Mark("scatter")
    return (*((model.select(x, part), padding) for part in parts), None)
