"""How numbers are kept: element by element, or in groups along a row that share a scale.

q8_0 and q4_0 are those of ggml (`ggml-quants.c`, files of the GGUF format): 32 integers of 8 or 4 bits, and a float16.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True)
class ElementType:
    """group: neighbours along a row that are kept together, in `group_bytes`. scale_bytes: of each row besides."""

    name: str
    group_bytes: int
    group: int = 1
    scale_bytes: int = 0

    @property
    def is_grouped(self) -> bool:
        return self.group > 1

    @property
    def element_bytes(self) -> Fraction:
        """Of one of many."""
        return Fraction(self.group_bytes, self.group)

    def nbytes(self, elements: int) -> int:
        """Of whole groups, scales of rows aside."""
        return elements // self.group * self.group_bytes

    def matrix_bytes(self, n_in: int, n_out: int) -> int:
        """Of a weight matrix, whose rows are the `n_in` weights of each output."""
        return self.nbytes(n_in * n_out) + self.scale_bytes * n_out


ELEMENT_TYPES = {
    one.name: one
    for one in (
        ElementType("float64", 8),
        ElementType("float32", FLOAT32_BYTES),
        ElementType("float16", 2),
        ElementType("bfloat16", 2),
        ElementType("int8", 1, scale_bytes=FLOAT32_BYTES),
        ElementType("q8_0", 34, group=32),
        ElementType("q4_0", 18, group=32),
    )
}


def head_type(weights: ElementType) -> ElementType:
    """Of a language model's head, and of a token table that serves as one, where the blocks' weights are grouped.

    llama.cpp keeps them finer than 4 bits: in q8_0 where the width is no multiple of 256, else in Q6_K, for which q8_0
    stands here too (1.06 bytes a weight in place of 0.82).
    """
    return ELEMENT_TYPES["q8_0"] if weights.name == "q4_0" else weights
