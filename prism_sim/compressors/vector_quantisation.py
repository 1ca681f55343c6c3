"""Rows as codes: of each group of columns, the number of the nearest entry of a codebook that both sides hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prism_sim.compressors import packing
from prism_sim.compressors.base import CompressorStep, Entry, Lever
from prism_sim.partition import even_split, ranges

DEFAULT_CODES = 1024  # ASTRA, arXiv 2505.19342
DEFAULT_GROUPS = 16  # assumption: within ASTRA's 1 to 32


@dataclass(frozen=True, slots=True)
class VectorQuantisation:
    """Columns are cut into `codebook_groups` contiguous groups (as many as there are columns, if fewer).

    A codebook (codebook_size, width) of each block holds the entries of all groups side by side. A sample's message:
    the codes of all rows and groups without a bit between them, filled up to a byte; a code has as many bits as the
    codebook's size asks for, even if calibration found fewer entries. Rows that a codebook holds are exact.
    """

    codebook_size: int = DEFAULT_CODES
    codebook_groups: int = DEFAULT_GROUPS

    def __post_init__(self) -> None:
        for name, least in (("codebook_size", 2), ("codebook_groups", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}(={getattr(self, name)}) must be >= {least}")

    @property
    def bits(self) -> int:
        return packing.bits_for(self.codebook_size - 1)

    def columns(self, width: int) -> tuple[range, ...]:
        """Of each group."""
        return ranges(even_split(width, min(self.codebook_groups, width)))

    def sample_bytes(self, n_rows: int, width: int) -> int:
        return packing.packed_bytes(n_rows * len(self.columns(width)), self.bits)

    def pack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]:
        """One product and one search for all groups, as a batch; the codebook is read once."""
        n_products = batch * n_rows * self.codebook_size
        n_distances = n_products * len(self.columns(width))
        read = (batch * n_rows + self.codebook_size) * width
        return (
            CompressorStep("codebook distances", 2 * n_products * width, read + n_distances, scratch=n_distances),
            CompressorStep("nearest codes", elements=n_distances),
            CompressorStep("pack codes", extra_bytes=batch * self.sample_bytes(n_rows, width)),
        )

    def unpack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]:
        packed = batch * self.sample_bytes(n_rows, width)
        return (CompressorStep("look codes up", elements=2 * batch * n_rows * width, extra_bytes=packed),)

    def pack(self, rows: Any, codebook: Any) -> Any:
        import torch

        codes = [nearest(x, entries) for x, entries in self._groups(rows, codebook)]  # each (B, L)
        return packing.pack(torch.stack(codes, 2).flatten(1), self.bits)

    def unpack(self, packed: Any, n_rows: int, like: Any, codebook: Any) -> Any:
        import torch

        groups = self.columns(like.shape[-1])
        codes = packing.unpack(packed, self.bits, n_rows * len(groups)).unflatten(1, (n_rows, len(groups)))
        parts = [codebook[codes[..., g], columns.start : columns.stop] for g, columns in enumerate(groups)]
        return torch.cat(parts, 2).to(like.dtype)

    def _groups(self, rows: Any, codebook: Any) -> Iterator[tuple[Any, Any]]:
        for columns in self.columns(rows.shape[2]):
            yield rows[..., columns.start : columns.stop], codebook[:, columns.start : columns.stop]


def nearest(x: Any, entries: Any) -> Any:
    """The nearest entry's number, the first of equals: x (..., width), entries (codes, width) -> (...)."""
    import torch

    precise = torch.promote_types(x.dtype, torch.float32)
    flat, entries = x.reshape(-1, x.shape[-1]).to(precise), entries.to(precise)
    distances = entries.square().sum(1) - 2 * flat.mm(entries.T)  # less |x|^2, which is the same for all entries
    return distances.argmin(1).unflatten(0, x.shape[:-1])


COMPRESSOR = Entry(
    name="vector_quantisation",
    summary="each group of columns as a code of a codebook, fitted to each block's rows before the run",
    source="ASTRA, arXiv 2505.19342",
    create=VectorQuantisation,
    kind="quantiser",
    settings=("codebook_size", "codebook_groups"),
    lever=Lever("codebook_groups", lambda n_tokens, width: width),
)
