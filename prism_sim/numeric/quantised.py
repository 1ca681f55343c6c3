"""Rounding in groups of 32 as ggml does it (`ggml-quants.c`: quantize_row_q8_0_ref, quantize_row_q4_0_ref).

q8_0: d = max|x| / 127, q = x / d to the nearest integer, halves away from zero.
q4_0: d = m / -8 with m the x of largest magnitude, sign and all; q = x / d + 8.5 cut off, at most 15, for (q - 8) d.
d is kept as float16, after x has been divided by it in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from prism_sim.element_types import ELEMENT_TYPES

GROUP = 32
SCALE_BYTES = 2


def packed(x: Tensor, name: str) -> Tensor:
    """x: (..., n), n a multiple of 32. Returns its groups one after another, (..., n / 32 * bytes of a group), uint8.

    Raises ValueError for another n, or a name that is none of q8_0 and q4_0.
    """
    kept = ELEMENT_TYPES[name]
    if x.shape[-1] % GROUP:
        raise ValueError(f"rows of {x.shape[-1]} are no whole groups of the {GROUP} that share a scale in {name}")
    groups = x.detach().to(torch.float32).reshape(*x.shape[:-1], -1, GROUP)  # (..., G, 32)
    scales, codes = _CODES[name](groups)
    octets = torch.cat((scales.to(torch.float16).view(torch.uint8), codes), dim=-1)
    assert octets.shape[-1] == kept.group_bytes
    return octets.flatten(-2)


def unpacked(octets: Tensor, name: str) -> Tensor:
    """What `packed` gave, as numbers: (..., n), float32, exact."""
    groups = octets.reshape(*octets.shape[:-1], -1, ELEMENT_TYPES[name].group_bytes)  # (..., G, bytes)
    scales = groups[..., :SCALE_BYTES].contiguous().view(torch.float16).to(torch.float32)
    return (_INTEGERS[name](groups[..., SCALE_BYTES:]) * scales).flatten(-2)


def rounded(x: Tensor, name: str) -> Tensor:
    """Numbers as they are after they were kept in this type, in their own element type."""
    return unpacked(packed(x, name), name).to(x.dtype)


def _inverse(d: Tensor) -> Tensor:
    return torch.where(d == 0, 0, 1 / d)


def _q8_0(x: Tensor) -> tuple[Tensor, Tensor]:
    d = x.abs().amax(-1, keepdim=True) / 127
    y = x * _inverse(d)
    q = y.sign() * (y.abs() + 0.5).floor()
    return d, q.to(torch.int8).view(torch.uint8)


def _q4_0(x: Tensor) -> tuple[Tensor, Tensor]:
    largest = x.gather(-1, x.abs().argmax(-1, keepdim=True))
    d = largest / -8
    q = (x * _inverse(d) + 8.5).trunc().clamp(max=15).to(torch.uint8)
    low, high = q.chunk(2, dim=-1)  # the first 16 are the low halves of the bytes
    return d, low | high << 4


def _of_q8_0(octets: Tensor) -> Tensor:
    return octets.contiguous().view(torch.int8).to(torch.float32)


def _of_q4_0(octets: Tensor) -> Tensor:
    return torch.cat((octets & 15, octets >> 4), dim=-1).to(torch.float32) - 8


_CODES = {"q8_0": _q8_0, "q4_0": _q4_0}
_INTEGERS = {"q8_0": _of_q8_0, "q4_0": _of_q4_0}


@dataclass(frozen=True, eq=False)
class QuantisedRows:
    """Rows on the wire in groups of 32.

    octets: (..., n / 32 * bytes of a group), uint8. zero: the rows less themselves, by which gradients pass (straight
    through); None: there are none to pass.
    """

    octets: Tensor
    name: str
    zero: Tensor | None = None

    @classmethod
    def of(cls, rows: Tensor, name: str) -> QuantisedRows:
        return cls(packed(rows, name), name, rows - rows.detach() if rows.requires_grad else None)

    @property
    def nbytes(self) -> int:
        return int(self.octets.nbytes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the rows."""
        *outer, n_bytes = self.octets.shape
        return *outer, n_bytes // ELEMENT_TYPES[self.name].group_bytes * GROUP

    def rows(self, dtype: torch.dtype) -> Tensor:
        found = unpacked(self.octets, self.name).to(dtype)
        return found if self.zero is None else found + self.zero.to(dtype)

    def __add__(self, other: QuantisedRows) -> QuantisedRows:
        """A sum under way, rounded again: as with every narrow type, whoever adds sends on what the wire can carry."""
        return QuantisedRows.of(self.rows(torch.float32) + other.rows(torch.float32), self.name)

    def view(self, *shape: int) -> QuantisedRows:
        """The same groups in rows of this shape; -1 alone: one row of all."""
        *outer, n = shape if shape != (-1,) else (prod(self.shape),)
        return QuantisedRows(self.octets.view(*outer, ELEMENT_TYPES[self.name].nbytes(n)), self.name)

    def split(self, sizes: Sequence[int]) -> list[QuantisedRows]:
        """One row cut into parts of so many elements, each of whole groups."""
        n_bytes = [ELEMENT_TYPES[self.name].nbytes(size) for size in sizes]
        return [QuantisedRows(part, self.name) for part in torch.split(self.octets, n_bytes, dim=-1)]

    def join(self, others: Sequence[QuantisedRows]) -> QuantisedRows:
        """The inverse of `split`."""
        return QuantisedRows(torch.cat([self.octets, *(other.octets for other in others)], dim=-1), self.name)
