"""A pipeline of stages (PipeEdge, arXiv 2110.14895; EdgeShard, arXiv 2405.14371): each rank holds some blocks.

Rows pass from stage to stage, cut along the batch into micro-batches, so that stages work at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from prism_sim.effects import Mark, Program, Recv, Send
from prism_sim.partition import even_split, ranges
from prism_sim.plan import ParticipantId
from prism_sim.strategies.base import HEAD, Model, Role, Strategy
from prism_sim.strategies.model_split import ModelSplit, attention, head_rows, portions, whole
from prism_sim.strategies.options import Divides, Positive, Shares
from prism_sim.strategies.token_split import embed_all, feed_forward

FIRST_STAGE = ParticipantId(0)


@dataclass(frozen=True, slots=True)
class Options(ModelSplit):
    shares: Annotated[Shares, Divides(("blocks",))] = None
    micro_batches: Annotated[Positive, doc("parts of the batch that pass through the stages one after another")] = 1


def rank(me: Role, model: Model, options: Options) -> Program:
    """One stage: receives a micro-batch, runs its own blocks on it, sends it on; sends are eager, so both overlap."""
    stage = portions("blocks", len(model.blocks), me.n_ranks, options.shares)[me.index]
    replicated = me.placement.input == "replicated"  # then every stage knows the padding mask: it does not travel
    embedded, mask = (yield from embed_all(model)) if replicated and me.index == 0 else (None, model.padding())
    finished = []
    for number, samples in micro_batches(model, options):
        if embedded is None:
            x, padding = yield Recv(before(me), arriving_label(me, number))
        else:
            x = model.samples(embedded, samples)
        if replicated:
            padding = model.samples(mask, samples)
        among = whole(model, padding)
        for index in stage:
            yield Mark(f"block {index}")
            block = model.blocks[index]
            x = block.after_attention(x, block.attention_output(attention(block, block.attention_norm(x), None, among)))
            x = feed_forward(block, x)
        if me.index + 1 < me.n_ranks:
            message = (x, None if replicated else padding)
            yield Send(message, ParticipantId(me.index + 1), f"micro-batch {number}: to stage {me.index + 1}")
        elif me.placement.output == "in_place":
            finished.append(x)
        else:
            yield Mark("output")
            yield Send(head_rows(model, x), me.terminal, "output")
    return model.stack(finished) if finished else None


def micro_batches(model: Model, options: Options) -> Iterator[tuple[int, range]]:
    """The number and the samples of each micro-batch. Raises ValueError if there are more of them than samples."""
    if not 1 <= options.micro_batches <= model.batch:
        raise ValueError(f"micro_batches(={options.micro_batches}) must be between 1 and the batch of {model.batch}")
    return enumerate(ranges(even_split(model.batch, options.micro_batches)))


def before(me: Role) -> ParticipantId:
    return ParticipantId(me.index - 1) if me.index else me.terminal


def arriving_label(me: Role, micro_batch: int) -> str:
    return f"micro-batch {micro_batch}: to stage {me.index}" if me.index else "input"


def terminal(me: Role, model: Model, options: Options) -> Program:
    """The terminal embeds, sends micro-batches to the first stage, and runs the head on what the last one sends."""
    if me.placement.input == "terminal":
        x, padding = yield from embed_all(model)
        yield Mark("input")
        for _, samples in micro_batches(model, options):
            yield Send((model.samples(x, samples), model.samples(padding, samples)), FIRST_STAGE, "input")
        del x
    if me.placement.output == "terminal":
        rows = []
        for _ in micro_batches(model, options):
            rows.append((yield Recv(me.ranks[-1], "output")))
        yield Mark(HEAD)
        model.head(model.stack(rows))
    return None


STRATEGY = Strategy(
    name="pipeline",
    summary="contiguous blocks on each rank, rows sent from stage to stage in micro-batches; exact",
    source="PipeEdge, arXiv 2110.14895; EdgeShard, arXiv 2405.14371",
    options=Options,
    rank=rank,
    terminal=terminal,
    lossless=lambda options: True,
    splits_tokens=False,
)
