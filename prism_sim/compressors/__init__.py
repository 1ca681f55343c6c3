"""What may stand for a partition's rows: one compressor a file, found by itself by its `COMPRESSOR`."""

from __future__ import annotations

from functools import cache

from prism_sim.catalogue import discover, look_up
from prism_sim.compressors.base import Compressor, Entry

__all__ = ["Compressor", "Entry", "catalogue", "find"]


@cache
def catalogue() -> dict[str, Entry]:
    """All compressors by name, in alphabetical order."""
    return {entry.name: entry for entry in discover(__name__, "COMPRESSOR", Entry)}


def find(name: str) -> Entry:
    """Raises ValueError with the nearest name if there is none of this name."""
    return look_up("compressor", name, catalogue())
