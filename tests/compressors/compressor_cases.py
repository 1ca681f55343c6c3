"""Every compressor with settings that fit rows of a few columns, codebooks for them, and seeded rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from prism_sim import compressors
from prism_sim.compressors import Compressor

CODES, GROUPS = 16, 3


def make(name: str, segments: int, codes: int = CODES, groups: int = GROUPS) -> Compressor:
    return compressors.create(name, {"segments": segments, "codebook_size": codes, "codebook_groups": groups})


def rows(batch: int, n_tokens: int, width: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, n_tokens, width, generator=generator, dtype=torch.float64).to(dtype)


def codebook_of(compressor: Compressor, x: Tensor) -> Tensor | None:
    """Seeded noise, if the compressor needs a codebook."""
    size = 0 if compressor.quantiser is None else compressor.quantiser.codebook_size
    return rows(1, size, x.shape[2], x.dtype, seed=9)[0] if size else None


def crossed(compressor: Compressor, x: Tensor, real: Tensor | None = None) -> tuple[Tensor, Tensor | None, Any]:
    """What a receiver has of rows: rows, counts if they came, and the message."""
    codebook = codebook_of(compressor, x)
    message = compressor.compress(x, real, codebook)
    return *compressor.restore(message, x.shape[1], x, codebook), message


def some_real(batch: int, n_tokens: int) -> Tensor:
    """(batch, tokens): each sample has a padded token in the middle, and more of them at its end than the last."""
    real = torch.ones(batch, n_tokens, dtype=torch.bool)
    for sample in range(batch):
        real[sample, n_tokens // 2] = False
        real[sample, max(1, n_tokens - 2 * sample) :] = False
    return real
