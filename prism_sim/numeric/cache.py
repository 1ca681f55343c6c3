"""What a participant keeps from pass to pass of a request that generates text: keys and values, and padding masks."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(slots=True)
class Cache:
    """heads: keys and values (batch, key/value heads, tokens, head width) by the strategy's name for them."""

    heads: dict[Hashable, tuple[Tensor, Tensor]] = field(default_factory=dict)
    masks: dict[Hashable, Tensor | None] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Of keys and values."""
        return sum(k.nbytes + v.nbytes for k, v in self.heads.values())
