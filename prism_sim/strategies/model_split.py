"""What strategies share that split the model itself: each rank holds a range of its heads, columns or blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from prism_sim.partition import Keys, split
from prism_sim.strategies.base import Bias, Block, Model, Padding, Places, Role, Rows
from prism_sim.strategies.options import Divides, Shares
from prism_sim.strategies.token_split import needed_rows


@dataclass(frozen=True, slots=True)
class ModelSplit:
    """Options of every strategy that gives each rank a contiguous part of the model."""

    shares: Annotated[Shares, Divides(("heads", "columns"))] = None


def portions(what: str, n_items: int, n_ranks: int, shares: Shares, together: int = 1) -> tuple[range, ...]:
    """The range of heads, columns or blocks that each rank holds. Raises ValueError if there are too few of them.

    together: so many neighbours are held by one rank.
    """
    if n_ranks > n_items:
        raise ValueError(f"{n_ranks} ranks need at least {n_ranks} {what}, but the model has {n_items}")
    return split(n_items, n_ranks, shares, what, together=together)


def heads_and_columns(me: Role, model: Model, shares: Shares) -> tuple[range, range]:
    """What a rank holds of every block: attention heads, and columns of the feed-forward layer."""
    heads = portions("attention heads", model.n_heads, me.n_ranks, shares, model.heads_together)
    columns = portions("feed-forward columns", model.n_columns, me.n_ranks, shares, model.columns_together)
    return heads[me.index], columns[me.index]


@dataclass(frozen=True, slots=True)
class Whole:
    """What attention among the rows of all tokens needs to know of them."""

    bias: Bias
    at: Places


def whole(model: Model, padding: Padding) -> Whole:
    everything = range(model.n_tokens)
    keys = [Keys(everything, len(everything))]
    return Whole(model.bias(everything, keys, padding), model.places(keys, padding))


def attention(block: Block, h: Rows, heads: range | None, among: Whole) -> Rows:
    """Attention of these heads (None: all) among the rows of all tokens."""
    q, k = block.queries(h, heads, among.at), block.keys(h, heads, among.at)
    return block.attend(q, k, block.values(h, heads), among.bias, heads)


def head_rows(model: Model, x: Rows) -> Rows:
    """Of the rows of all tokens, those that the head reads."""
    rows = needed_rows(model, x, range(model.n_tokens))
    assert rows is not None
    return rows
