"""Data parallelism: every rank holds the whole model and takes its part of the batch; nothing else is exchanged.

A batch of one leaves all ranks but one idle, unless requests follow one another: then ranks serve them in turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated

from prism_sim.effects import Gather, Mark, Program, Scatter
from prism_sim.partition import split
from prism_sim.plan import ParticipantId
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import EMBEDDING, HEAD, Model, Role, Steps, Strategy
from prism_sim.strategies.model_split import attention, head_rows, whole
from prism_sim.strategies.options import Divides, Shares
from prism_sim.strategies.token_split import embed_all, feed_forward


@dataclass(frozen=True, slots=True)
class SampleSplit:
    """Options of a strategy that gives each rank a contiguous part of the batch, which may be none of it."""

    shares: Annotated[Shares, Divides(("samples",), least=0)] = None


def parts_of(me: Role, model: Model, options: SampleSplit) -> dict[ParticipantId, range]:
    """The samples of each rank that has any; the others take no part in this request."""
    parts = split(model.batch, me.n_ranks, options.shares, "samples", least=0)
    return {rank: samples for rank, samples in zip(me.ranks, parts, strict=True) if samples}


def rank(me: Role, model: Model, options: SampleSplit) -> Program:
    """x: the residual stream of all tokens of the own samples."""
    parts = parts_of(me, model, options)
    if me.index not in parts:
        return None
    own, group = parts[me.index], (*parts, me.terminal)
    if me.placement.input == "replicated":
        yield Mark(EMBEDDING)
        x, padding = model.embed(range(model.n_tokens), own), model.samples(model.padding(), own)
    else:
        x, padding = yield Scatter(None, me.terminal, group, "input")
    among = whole(model, padding)
    for number, block in enumerate(model.blocks):
        yield Mark(f"block {number}")
        x = block.after_attention(
            x, block.attention_output(attention(model, number, block.attention_norm(x), None, among))
        )
        x = feed_forward(block, x)
    if me.placement.output == "in_place":
        return x
    yield Mark("output")
    yield Gather(head_rows(model, x), me.terminal, group, "output")
    return None


def terminal(me: Role, model: Model, options: SampleSplit) -> Program:
    """The terminal embeds all samples and scatters them, gathers the rows that the head reads, and runs it on all."""
    parts = parts_of(me, model, options)
    group = (*parts, me.terminal)
    if me.placement.input == "terminal":
        yield Scatter((yield from embedded_pieces(model, parts.values())), me.terminal, group, "input")
    if me.placement.output == "terminal":
        rows = yield Gather(None, me.terminal, group, "output")
        yield Mark(HEAD)
        model.head(model.stack([part for part in rows if part is not None]))
    return None


def embedded_pieces(model: Model, parts: Iterable[range]) -> Program:
    """What the terminal scatters: to each rank that takes part its rows and their padding mask, nothing to itself."""
    x, padding = yield from embed_all(model)
    yield Mark("scatter")
    return (*((model.samples(x, own), model.samples(padding, own)) for own in parts), None)


def each_alone(options: SampleSplit, n_ranks: int) -> tuple[SampleSplit, ...]:
    """Of each rank, the options that give it the whole batch."""
    return tuple(
        replace(options, shares=tuple(float(other == one) for other in range(n_ranks))) for one in range(n_ranks)
    )


STRATEGY = Strategy(
    name="replicas",
    summary="the whole model on each rank, the batch split over them, no exchange in between; exact",
    source="prism_sim",
    options=SampleSplit,
    rank=AlikeBlocks(rank),
    terminal=terminal,
    lossless=lambda options: True,
    splits_tokens=False,
    in_turn=each_alone,
    steps=Steps(AlikeBlocks(rank), terminal),
)
