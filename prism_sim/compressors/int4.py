"""Rows of four-bit numbers, two in a byte."""

from __future__ import annotations

from functools import partial

from prism_sim.compressors.base import Entry
from prism_sim.compressors.integers import IntegerRows

COMPRESSOR = Entry(
    name="int4",
    summary="each element 4 bits between its row's smallest and largest, which cross as float32",
    source="per-row affine quantisation, as in Jacob et al. (arXiv 1712.05877)",
    create=partial(IntegerRows, 4),
    kind="quantiser",
)
