"""What participants keep from pass to pass of a request that generates text, in sizes alone."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from prism_sim.shapes.ledger import Shape

HeadsSize = tuple[int, int, int, int]  # batch, key/value heads, tokens, head width


@dataclass(frozen=True, slots=True)
class CacheSizes:
    """Of one participant: keys (and as many values) by the strategy's name for them, and the samples of each mask."""

    keys: Mapping[Hashable, HeadsSize] = field(default_factory=dict)
    masks: Mapping[Hashable, int | None] = field(default_factory=dict)

    @property
    def elements(self) -> int:
        return sum(2 * batch * heads * tokens * width for batch, heads, tokens, width in self.keys.values())

    def after(self, growth: Mapping[Hashable, int], steps: int) -> CacheSizes:
        """After so many steps, each of which adds `growth` rows."""
        keys = {
            slot: (batch, heads, tokens + steps * growth[slot], width)
            for slot, (batch, heads, tokens, width) in self.keys.items()
        }
        return CacheSizes(keys, self.masks)

    def growth(self, later: CacheSizes) -> dict[Hashable, int]:
        """Rows that are more in `later`. Raises KeyError if that has a name that this one has not."""
        return {slot: size[2] - self.keys[slot][2] for slot, size in later.keys.items()}


class Lengthened(Shape):
    """Keys or values with rows after them, written behind them in place: no memory but its parts'."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Shape]) -> None:
        first = parts[0]
        batch, heads, _, width = first.shape
        super().__init__((batch, heads, sum(part.shape[2] for part in parts), width), first.owner, 0)
        self.parts = parts
