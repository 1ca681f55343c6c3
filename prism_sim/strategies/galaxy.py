"""Galaxy (arXiv 2405.17245): tensor parallelism whose exchanges hide behind its products, tile by tile.

Heads and feed-forward columns are split as in tensor parallelism; what lies between (norms, residuals) is split by
tokens. Each of the two all-reduces thus becomes a reduce-scatter and an all-gather, walked round a ring in tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from prism_sim.effects import AllGather, Mark, Program
from prism_sim.partition import Keys, split
from prism_sim.strategies import tensor_parallel
from prism_sim.strategies.alike import AlikeBlocks
from prism_sim.strategies.base import Bias, Block, Heads, Model, Places, Role, Rows, Steps, Strategy
from prism_sim.strategies.model_split import heads_and_columns
from prism_sim.strategies.ring import gather_through, reduce_through
from prism_sim.strategies.split_head import TensorSplit, give_logits, is_split, take_logits
from prism_sim.strategies.token_split import give_output, needed_rows, run_head, scatter_input, take_input


@dataclass(frozen=True, slots=True)
class RankPart:
    """One rank's part of every block: its heads and columns; of all ranks the tokens and where they stand; the bias."""

    me: Role
    model: Model
    heads: range
    columns: range
    tiles: tuple[range, ...]
    at: tuple[Places, ...]
    bias: Bias

    def attention(self, number: int, h: Rows, label: str) -> Program:
        """The own tokens' rows of the attention output, from the own tokens' normalised rows h."""
        block = self.model.blocks[number]

        def project(tile: Rows, owner: int) -> tuple[Heads, Heads, Heads]:
            heads, at = self.heads, self.at[owner]
            return block.queries(tile, heads, at), block.keys(tile, heads, at), block.values(tile, heads)

        projected = yield from gather_through(self.me, h, project, f"{label} gather")
        q, k, v = (self.model.join_heads(tiles) for tiles in zip(*projected, strict=True))
        k, v = self.model.with_past((number, 0), k, v)
        a = block.attend(q, k, v, self.bias, self.heads)

        def output(tile: int) -> Rows:
            return block.attention_output(self.model.select(a, self.tiles[tile]), self.heads)

        return (yield from reduce_through(self.me, output, f"{label} reduce"))

    def feed_forward(self, block: Block, h: Rows, label: str) -> Program:
        """The own tokens' rows of the feed-forward output, likewise."""

        def expand(tile: Rows, owner: int) -> Rows:
            return block.expand(tile, self.columns)

        inner = yield from gather_through(self.me, h, expand, f"{label} gather")

        def contract(tile: int) -> Rows:
            return block.contract(inner[tile], self.columns)

        return (yield from reduce_through(self.me, contract, f"{label} reduce"))


def rank(me: Role, model: Model, options: TensorSplit) -> Program:
    """x: the residual stream of the own tokens. Tokens are split evenly; shares weigh heads and columns."""
    heads, columns = heads_and_columns(me, model, options.shares)
    splits_head = is_split(me, model, options)
    tiles, everything = split(model.n_tokens, me.n_ranks), range(model.n_tokens)
    x, padding = yield from take_input(me, model, tiles)
    bias = model.bias(everything, [Keys(everything, len(everything))], model.mask_so_far(0, padding))
    at = tuple(model.places([Keys(tile, len(tile))], padding) for tile in tiles)
    part = RankPart(me, model, heads, columns, tiles, at, bias)
    for number, block in enumerate(model.blocks):
        yield Mark(label := f"block {number}: attention")
        x = block.after_attention(x, (yield from part.attention(number, block.attention_norm(x), label)))
        yield Mark(label := f"block {number}: feed-forward")
        x = block.after_feed_forward(x, (yield from part.feed_forward(block, block.feed_forward_norm(x), label)))
    if splits_head:
        yield Mark("output")
        parts = yield AllGather(needed_rows(model, x, tiles[me.index]), me.ranks, "output")
        return (yield from give_logits(me, model, options, model.join([part for part in parts if part is not None])))
    return (yield from give_output(me, model, x, tiles[me.index]))


def terminal(me: Role, model: Model, options: TensorSplit) -> Program:
    yield from scatter_input(me, model, split(model.n_tokens, me.n_ranks))
    yield from (take_logits if is_split(me, model, options) else run_head)(me, model)


def turns(n_ranks: int) -> int:
    """Each walk round the ring ends with the rank after the one that it began with, and a block has four."""
    return n_ranks // gcd(n_ranks, 4)


STRATEGY = Strategy(
    name="galaxy",
    summary="tensor parallel in tiles round a ring, exchanges hidden behind products; exact",
    source="Galaxy, arXiv 2405.17245",
    options=TensorSplit,
    rank=AlikeBlocks(rank, turns=turns),
    terminal=terminal,
    lossless=lambda options: True,
    steps=Steps(AlikeBlocks(tensor_parallel.rank), tensor_parallel.terminal),  # one row cannot be split into tiles
)
