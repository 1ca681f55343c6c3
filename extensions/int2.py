"""Rows of two-bit numbers, four in a byte."""

from functools import partial

from prism_sim.compressors.base import Entry
from prism_sim.compressors.integers import IntegerRows

COMPRESSOR = Entry(
    name="int2",
    summary="each element 2 bits between its row's smallest and largest, which cross as float32",
    source="Jacob et al. (2017), arXiv 1712.05877: as int8, in 2 bits",
    create=partial(IntegerRows, 2),
    kind="quantiser",
)
