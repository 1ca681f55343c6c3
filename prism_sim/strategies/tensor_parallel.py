"""Megatron's tensor parallelism (Shoeybi et al., arXiv 1909.08053): heads and feed-forward columns are split.

Every rank holds the rows of all tokens and a part of every weight; two all-reduces a block sum the partial results.
A language model's head may be split too, by vocabulary.
"""

from __future__ import annotations

from prism_sim.effects import AllReduce, Broadcast, Mark, Program, Recv, Send
from prism_sim.plan import ParticipantId
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import HEAD, Model, Role, Steps, Strategy
from prism_sim.strategies.model_split import attention, head_rows, heads_and_columns, whole
from prism_sim.strategies.split_head import TensorSplit, give_logits, is_split, take_logits
from prism_sim.strategies.token_split import embed_all

SPEAKER = ParticipantId(0)  # all ranks end with the same rows: one of them sends or returns them


def rank(me: Role, model: Model, options: TensorSplit) -> Program:
    heads, columns = heads_and_columns(me, model, options.shares)
    splits_head = is_split(me, model, options)
    x, padding = yield from take_all(me, model)
    among = whole(model, padding)
    for number, block in enumerate(model.blocks):
        yield Mark(label := f"block {number}: attention")
        a = attention(model, number, block.attention_norm(x), heads, among)
        a = block.attention_output(a, heads)
        x = block.after_attention(x, (yield AllReduce(a, me.ranks, label)))  # bias and residual once, not P times
        del a  # as everything that is named here, it would stay in memory through the widest step
        yield Mark(label := f"block {number}: feed-forward")
        f = block.feed_forward(block.feed_forward_norm(x), columns)
        x = block.after_feed_forward(x, (yield AllReduce(f, me.ranks, label)))
        del f
    if splits_head:
        return (yield from give_logits(me, model, options, head_rows(model, x)))
    if me.index != SPEAKER:
        return None
    if me.placement.output == "in_place":
        return x
    yield Mark("output")
    yield Send(head_rows(model, x), me.terminal, "output")
    return None


def take_all(me: Role, model: Model) -> Program:
    """The embedded rows of all tokens and the padding mask."""
    if me.placement.input == "replicated":
        return (yield from embed_all(model))
    return (yield Broadcast(None, me.terminal, me.everyone, "input"))


def terminal(me: Role, model: Model, options: TensorSplit) -> Program:
    """The terminal embeds and broadcasts all rows, and runs the head on those that it reads, or gathers its logits."""
    if me.placement.input == "terminal":
        yield Broadcast((yield from embed_all(model)), me.terminal, me.everyone, "input")
    if is_split(me, model, options):
        yield from take_logits(me, model)
    elif me.placement.output == "terminal":
        rows = yield Recv(SPEAKER, "output")
        yield Mark(HEAD)
        model.head(rows)
    return None


STRATEGY = Strategy(
    name="tensor_parallel",
    summary="heads and feed-forward columns split over the ranks, two all-reduces a block; exact",
    source="Shoeybi et al. (2019), Megatron-LM, arXiv 1909.08053",
    options=TensorSplit,
    rank=AlikeBlocks(rank),
    terminal=terminal,
    lossless=lambda options: True,
    splits_tokens=False,
    steps=Steps(AlikeBlocks(rank), terminal),
)
