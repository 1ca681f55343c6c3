"""What a rank attends to that holds some of the tokens: its own rows, and what others send in place of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prism_sim.compressors import Compressor
from prism_sim.effects import Await, Program, Ticket
from prism_sim.partition import Keys
from prism_sim.strategies.base import Bias, Block, Counts, Heads, Model, Padding, Places, Role, Rows

Keep = Callable[[Heads, Heads], None]  # keeps of a block's keys and values what new tokens will attend to


def keys_of(parts: Sequence[range], own: int, compressor: Compressor) -> list[Keys]:
    """What a rank attends to: its own rows, then what stands for the others', rank by rank."""
    others = [part for rank, part in enumerate(parts) if rank != own]
    return [Keys(parts[own], len(parts[own])), *map(compressor.keys, others)]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where rows stand: a rank's own; what stands for others' rows; and both, one after the other."""

    own: Places
    others: Places
    everyone: Places


class Context:
    """What stands for all others' rows, and how much a rank's own rows may attend to each of it."""

    def __init__(self, me: Role, model: Model, parts: Sequence[range], padding: Padding) -> None:
        self.me, self.model, self.parts, self.padding = me, model, parts, model.mask_so_far(0, padding)
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
            own, *others = keys = keys_of(self.parts, self.me.index, compressor)
            found = (self.model.places(groups, self.padding) if groups else None for groups in ([own], others, keys))
            self.standing[compressor] = Standing(*found)
        return self.standing[compressor]

    def _bias(self, compressor: Compressor, counts: Sequence[Counts]) -> Bias:
        own, alike = self.parts[self.me.index], all(found is None for found in counts)
        if alike and compressor in self.known:
            return self.known[compressor]
        keys = keys_of(self.parts, self.me.index, compressor)
        bias = self.model.bias(own, keys, self.padding, (None, *counts))
        if alike:
            self.known[compressor] = bias
        return bias


def attend_afterwards(
    model: Model, block: Block, x: Rows, at: Standing, await_context: Callable[[], Program], keep: Keep
) -> Program:
    """Attention of own rows x over x and the context, once that has arrived: queries come from x alone.

    await_context: starts the wait, as `Context.arrival`. keep: is handed the keys and values, own rows first.
    """
    context, bias = yield from await_context()
    h = block.attention_norm(x)
    c = model.join([h, block.attention_norm(model.join(context))]) if context else h
    q, k, v = block.queries(h, at=at.own), block.keys(c, at=at.everyone), block.values(c)
    keep(k, v)
    return block.attend(q, k, v, bias)


def attend_meanwhile(
    model: Model, block: Block, x: Rows, at: Standing, await_context: Callable[[], Program], keep: Keep
) -> Program:
    """The same attention and the same FLOPs, but all products that need no context come before the wait for it."""
    h = block.attention_norm(x)
    q, k, v = block.queries(h, at=at.own), block.keys(h, at=at.own), block.values(h)
    context, bias = yield from await_context()
    if context:
        c = block.attention_norm(model.join(context))
        k, v = model.join_heads([k, block.keys(c, at=at.others)]), model.join_heads([v, block.values(c)])
    keep(k, v)
    return block.attend(q, k, v, bias)
