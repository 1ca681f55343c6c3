"""What may stand in place of a partition's rows when they cross the network: a size law, and its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from prism_sim.partition import Keys


class Compressor(Protocol):
    """Turns a partition's rows into summaries that attention weighs by the number of tokens behind each."""

    def keys(self, tokens: range) -> Keys:
        """The size law: the keys that stand for `tokens` once compressed; needs no numbers."""
        ...

    def compress(self, x: Any, real: Any) -> Any:
        """The numbers: rows (batch, tokens, width) -> summaries (batch, keys, width), differentiable.

        real: (batch, tokens), true at real tokens, or None; a padded token enters no summary.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A compressor in the catalogue. create(segments) gives one that sends `segments` summaries a partition.

    lossless: nothing is lost, whatever the number of segments (which it then ignores).
    """

    name: str
    summary: str
    source: str
    create: Callable[[int], Compressor]
    lossless: bool = False
