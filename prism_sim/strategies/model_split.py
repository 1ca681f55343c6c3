"""What strategies share that split the model itself: each rank holds a range of its heads, columns or blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from prism_sim.partition import Keys, split
from prism_sim.strategies.base import Bias, Model, Padding, Places, Role, Rows
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


def whole(model: Model, padding: Padding, tokens: range | None = None, part: int = 0) -> Whole:
    """tokens: of this pass, whose rows attend to one another and to all before them; None: all of its tokens.

    part: of the batch, which has a padding mask of its own.
    """
    own = range(model.n_tokens) if tokens is None else tokens
    own = range(model.past + own.start, model.past + own.stop)
    so_far = range(own.stop)
    mask = model.mask_so_far(part, padding)
    bias = model.bias(own, [Keys(so_far, len(so_far))], mask)
    return Whole(bias, model.places([Keys(own, len(own))], mask))


def attention(
    model: Model, number: int, h: Rows, heads: range | None, among: Whole, part: int = 0, more: bool = False
) -> Rows:
    """Attention of these heads (None: all) of block `number` among the rows of all tokens so far.

    part: of the batch. more: of this pass's rows follow.
    """
    block = model.blocks[number]
    q, k = block.queries(h, heads, among.at), block.keys(h, heads, among.at)
    k, v = model.with_past((number, part), k, block.values(h, heads), more)
    return block.attend(q, k, v, among.bias, heads)


def head_rows(model: Model, x: Rows) -> Rows:
    """Of the rows of all tokens, those that the head reads."""
    rows = needed_rows(model, x, range(model.n_tokens))
    assert rows is not None
    return rows
