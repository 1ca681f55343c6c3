"""PRISM that exchanges before every k-th block only; in between a rank attends to the last summaries that it got."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from prism_sim.effects import AllGather, Begin, Mark, Program
from prism_sim.partition import split
from prism_sim.strategies import prism, token_split
from prism_sim.strategies.base import Model, Role, Strategy
from prism_sim.strategies.options import Positive


@dataclass(frozen=True, slots=True)
class Options(prism.Options):
    every: Annotated[Positive, doc("blocks from one exchange to the next")] = 2


def rank(me: Role, model: Model, options: Options) -> Program:
    compressors = prism.chosen_compressors(options, model.n_tokens, me.n_ranks, len(model.blocks))
    parts = split(model.n_tokens, me.n_ranks, options.shares)
    x, padding = yield from token_split.take_input(me, model, parts)
    context = prism.Context(me, model, parts, padding)
    for number, (block, compressor) in enumerate(zip(model.blocks, compressors, strict=True)):
        yield Mark(f"block {number}")
        if number % options.every == 0:
            summary = model.compress(compressor, number, x, parts[me.index], padding)
            ticket = yield Begin(AllGather(summary, me.ranks, f"block {number}"))
            others, bias = yield from context.arrival(compressor, number, ticket)
            at = context.places(compressor)
            yield Mark(f"block {number}: attention")
        c = block.attention_norm(model.join([x, *others]))
        q = block.queries(block.attention_norm(x), at=at.own)
        a = block.attend(q, block.keys(c, at=at.everyone), block.values(c), bias)
        x = block.after_attention(x, block.attention_output(a))
        x = token_split.feed_forward(block, x)
    return (yield from token_split.give_output(me, model, x, parts[me.index]))


STRATEGY = Strategy(
    name="rare",
    summary="as prism, but summaries are exchanged before every k-th block only; lossy",
    source="PRISM, exchanging more rarely: arXiv 2507.12145",
    options=Options,
    rank=rank,
    terminal=token_split.terminal_program,
    compressors=prism.chosen_compressors,
    lossless=lambda options: False,
)
