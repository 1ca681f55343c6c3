"""Rows of eight-bit numbers."""

from __future__ import annotations

from functools import partial

from prism_sim.compressors.base import Entry
from prism_sim.compressors.integers import IntegerRows

COMPRESSOR = Entry(
    name="int8",
    summary="each element 8 bits between its row's smallest and largest, which cross as float32",
    source="per-row affine quantisation, as in Jacob et al. (arXiv 1712.05877)",
    create=partial(IntegerRows, 8),
    kind="quantiser",
)
