"""Rows as small whole numbers, each row between a smallest and a largest value of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from prism_sim.compressors import packing
from prism_sim.compressors.base import CompressorStep, Entry

SCALE_BYTES = 4  # float32: an offset and a step cross with each row
N_SCALES = 2


@dataclass(frozen=True, slots=True)
class IntegerRows:
    """x = offset + step * code, with codes of `bits` bits from the row's smallest element to its largest.

    A sample's message: all codes without a bit between them, filled up to a byte, then every row's offset, then every
    row's step, both as float32 whatever the element type of model and wire.
    """

    bits: int
    codebook_size: int = 0

    def sample_bytes(self, n_rows: int, width: int) -> int:
        return packing.packed_bytes(n_rows * width, self.bits) + N_SCALES * SCALE_BYTES * n_rows

    def pack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]:
        elements, packed = batch * n_rows * width, batch * self.sample_bytes(n_rows, width)
        quantise = CompressorStep("quantise", elements=elements, extra_bytes=packed)
        return CompressorStep("row ranges", elements=elements), quantise

    def unpack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]:
        elements, packed = batch * n_rows * width, batch * self.sample_bytes(n_rows, width)
        return (CompressorStep("dequantise", elements=elements, extra_bytes=packed),)

    def pack(self, rows: Any, codebook: Any) -> Any:
        import torch

        x = rows.to(torch.promote_types(rows.dtype, torch.float32))
        highest = 2**self.bits - 1
        offset, step = x.amin(2), (x.amax(2) - x.amin(2)) / highest  # (B, L)
        offset, step = offset.to(torch.float32), step.to(torch.float32)
        unit = torch.where(step > 0, step, 1).to(x.dtype)[..., None]
        codes = ((x - offset.to(x.dtype)[..., None]) / unit).round().clamp(0, highest)
        scales = torch.cat([offset, step], 1).contiguous().view(torch.uint8)
        return torch.cat([packing.pack(codes.flatten(1), self.bits), scales], 1)

    def unpack(self, packed: Any, n_rows: int, like: Any, codebook: Any) -> Any:
        import torch

        precise, width = torch.promote_types(like.dtype, torch.float32), like.shape[-1]
        border = packing.packed_bytes(n_rows * width, self.bits)
        codes = packing.unpack(packed[:, :border], self.bits, n_rows * width).unflatten(1, (n_rows, width))
        scales = packed[:, border:].clone(memory_format=torch.contiguous_format).view(torch.float32).to(precise)
        offset, step = scales[:, :n_rows, None], scales[:, n_rows:, None]
        return (offset + step * codes).to(like.dtype)


COMPRESSORS = tuple(
    Entry(
        name=f"int{bits}",
        summary=f"each element {bits} bits between its row's smallest and largest, which cross as float32",
        source="Jacob et al. (2017), arXiv 1712.05877: affine quantisation, here per row",
        create=partial(IntegerRows, bits),
        kind="quantiser",
    )
    for bits in (4, 8)
)
