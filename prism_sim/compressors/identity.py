"""No compression: every row crosses (Voltage)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prism_sim.compressors.base import Entry
from prism_sim.partition import Keys


@dataclass(frozen=True, slots=True)
class Identity:
    def keys(self, tokens: range) -> Keys:
        return Keys(tokens, len(tokens))

    def compress(self, x: Any, real: Any) -> Any:
        return x


COMPRESSOR = Entry(
    name="identity",
    summary="all rows as they are; exact",
    source="Voltage (Hu and Li, ICDCS 2024)",
    create=lambda segments: Identity(),
    lossless=True,
)
