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
from prism_sim.strategies.base import HEAD, Model, Padding, Role, Rows, Steps, Strategy
from prism_sim.strategies.model_split import ModelSplit, attention, portions, whole
from prism_sim.strategies.options import Divides, Positive, Shares
from prism_sim.strategies.token_split import embed_all, feed_forward, needed_rows, overlap_of

FIRST_STAGE = ParticipantId(0)


@dataclass(frozen=True, slots=True)
class Options(ModelSplit):
    shares: Annotated[Shares, Divides(("blocks",))] = None
    micro_batches: Annotated[Positive, doc("parts of the batch that pass through the stages one after another")] = 1
    chunks: Annotated[
        Positive,
        doc("parts of a causal model's tokens that pass one after another, each attending to those before it"),
    ] = 1


def rank(me: Role, model: Model, options: Options) -> Program:
    """One stage: receives a piece, runs its own blocks on it, sends it on; sends are eager, so both overlap."""
    stage = portions("blocks", len(model.blocks), me.n_ranks, options.shares)[me.index]
    replicated = me.placement.input == "replicated"  # then every stage knows the padding mask: it does not travel
    embedded, mask = (yield from embed_all(model)) if replicated and me.index == 0 else (None, model.padding())
    finished: dict[int, list[Rows]] = {}
    padding: Padding = None
    for piece in pieces(model, options):
        if embedded is None:
            x, arrived = yield Recv(before(me), arriving_label(me, piece))
            padding = arrived if piece.is_first else padding
        else:
            x = piece.of(model, embedded)
        if replicated:
            padding = model.samples(mask, piece.samples)
        among = whole(model, padding, piece.tokens, piece.micro_batch)
        for index in stage:
            yield Mark(f"block {index}")
            block = model.blocks[index]
            h = block.attention_norm(x)
            a = attention(model, index, h, None, among, piece.micro_batch, more=not piece.is_last)
            del h
            a = block.attention_output(a)
            x = block.after_attention(x, a)
            del a  # as everything that is named here, it would stay in memory through the widest step
            x = feed_forward(block, x)
        if me.index + 1 < me.n_ranks:
            message = (x, padding if piece.is_first and not replicated else None)
            yield Send(message, ParticipantId(me.index + 1), f"{piece}: to stage {me.index + 1}")
        elif me.placement.output == "in_place":
            finished.setdefault(piece.micro_batch, []).append(x)
        elif (rows := needed_rows(model, x, piece.tokens)) is not None:
            yield Mark("output")
            yield Send(rows, me.terminal, "output")
    return model.stack([model.join(parts) for parts in finished.values()]) if finished else None


@dataclass(frozen=True, slots=True)
class Piece:
    """What passes through the stages at once: a micro-batch, or a chunk of its tokens (chunked prefill)."""

    micro_batch: int
    samples: range
    chunk: int
    n_chunks: int
    tokens: range

    @property
    def is_first(self) -> bool:
        """Of its samples' pieces, which brings their padding mask."""
        return self.chunk == 0

    @property
    def is_last(self) -> bool:
        return self.chunk == self.n_chunks - 1

    def __str__(self) -> str:
        chunk = f", chunk {self.chunk}" if self.n_chunks > 1 else ""
        return f"micro-batch {self.micro_batch}{chunk}"

    def of(self, model: Model, x: Rows) -> Rows:
        """These rows of those of all tokens and samples."""
        own = model.samples(x, self.samples)
        return own if self.n_chunks == 1 else model.select(own, self.tokens)


def pieces(model: Model, options: Options) -> Iterator[Piece]:
    """In the order in which they pass; a step's one token is one chunk. Raises ValueError for too many."""
    n_chunks = 1 if model.past else options.chunks
    if n_chunks > 1 and not model.causal:
        raise ValueError(f"chunks(={n_chunks}) need a causal model: in others the first tokens attend to the last")
    if n_chunks > model.n_tokens:
        raise ValueError(f"chunks(={n_chunks}) must be at most the {model.n_tokens} tokens")
    for micro_batch, samples in micro_batches(model, options):
        for chunk, tokens in enumerate(ranges(even_split(model.n_tokens, n_chunks))):
            yield Piece(micro_batch, samples, chunk, n_chunks, tokens)


def micro_batches(model: Model, options: Options) -> Iterator[tuple[int, range]]:
    """The number and the samples of each micro-batch. Raises ValueError if there are more of them than samples."""
    if not 1 <= options.micro_batches <= model.batch:
        raise ValueError(f"micro_batches(={options.micro_batches}) must be between 1 and the batch of {model.batch}")
    return enumerate(ranges(even_split(model.batch, options.micro_batches)))


def before(me: Role) -> ParticipantId:
    return ParticipantId(me.index - 1) if me.index else me.terminal


def arriving_label(me: Role, piece: Piece) -> str:
    return f"{piece}: to stage {me.index}" if me.index else "input"


def terminal(me: Role, model: Model, options: Options) -> Program:
    """The terminal embeds, sends pieces to the first stage, and runs the head on what the last one sends."""
    if me.placement.input == "terminal":
        x, padding = yield from embed_all(model)
        yield Mark("input")
        for piece in pieces(model, options):
            mask = model.samples(padding, piece.samples) if piece.is_first else None
            yield Send((piece.of(model, x), mask), FIRST_STAGE, "input")
        del x
    if me.placement.output == "terminal":
        rows: dict[int, list[Rows]] = {}
        for piece in pieces(model, options):
            if overlap_of(model.head_tokens, piece.tokens):
                rows.setdefault(piece.micro_batch, []).append((yield Recv(me.ranks[-1], "output")))
        yield Mark(HEAD)
        model.head(model.stack([model.join(parts) for parts in rows.values()]))
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
    steps=Steps(rank, terminal),
)
