"""Rows of two-bit numbers, four in a byte."""

from functools import partial

from prism_sim.compressors.base import Entry
from prism_sim.compressors.integers import IntegerRows

COMPRESSOR = Entry(
    name="int2",
    summary="each element 2 bits between its row's smallest and largest, which cross as float32",
    source="as int8",
    create=partial(IntegerRows, 2),
    kind="quantiser",
)
