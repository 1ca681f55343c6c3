"""The model on tensors, as one participant's program computes with it; see `strategies.base.Model`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from prism_sim import families
from prism_sim.compressors.base import Compressor
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.equations import attention_bias, partition_aware_causal_mask
from prism_sim.numeric.meter import FlopMeter, SilentMeter
from prism_sim.partition import Keys
from prism_sim.shapes.job import Job, OfJob


@dataclass(frozen=True, slots=True)
class Input:
    """What all participants know of one forward pass.

    embedded: (batch, tokens, width), by the model's own embedding. real: (batch, tokens) padding mask or None.
    embedding_flops: what the counter saw the embedding do. raw: the model's inputs, for ranks that embed themselves.
    """

    trunk: Any
    raw: Mapping[str, Any]
    embedded: Tensor
    real: Tensor | None
    embedding_flops: int


class TensorModel(OfJob):
    """One participant's view: blocks on the model's own weights. head() only keeps the rows: the head runs after."""

    def __init__(self, job: Job, given: Input, blocks: Sequence[TensorBlock], meter: FlopMeter | SilentMeter) -> None:
        self.job, self.given, self.blocks, self.meter = job, given, blocks, meter
        self.family = families.find(job.sizes.family)
        self.output: Tensor | None = None

    def embed(self, tokens: range) -> Tensor:
        if self.job.placement.input == "terminal":
            self.meter.credit += self.given.embedding_flops  # the model's own forward has done it
            return self.given.embedded
        return self.family.embed(self.given.trunk, self.given.raw, self.given.embedded, tokens)  # type: ignore[no-any-return]

    def padding(self) -> Tensor | None:
        return self.given.real

    def head(self, rows: Tensor) -> None:
        self.output = rows

    def compress(self, compressor: Compressor, x: Tensor, tokens: range, padding: Tensor | None) -> Tensor:
        real = None if padding is None else padding[:, tokens.start : tokens.stop]
        return compressor.compress(x, real)  # type: ignore[no-any-return]

    def select(self, x: Tensor, tokens: range) -> Tensor:
        return x[:, tokens.start : tokens.stop]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=1)

    def join_heads(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=2)

    def samples(self, x: Tensor | None, samples: range) -> Tensor | None:
        return None if x is None else x[samples.start : samples.stop]

    def stack(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=0)

    def send(self, value: Tensor) -> Tensor:
        """What goes out: rows in the element type of the wire; a mask as it is."""
        return value.to(getattr(torch, self.job.wire_dtype or self.job.dtype)) if value.is_floating_point() else value

    def receive(self, value: Tensor) -> Tensor:
        return value.to(self.given.embedded.dtype) if value.is_floating_point() else value

    def bias(self, queries: range, keys: Sequence[Keys], padding: Tensor | None) -> Tensor | None:
        x = self.given.embedded
        counts = torch.cat([_counts(group, padding, x) for group in keys], dim=1)
        if not self.family.causal:
            return None if bool((counts == 1).all()) else attention_bias(counts, dtype=x.dtype)
        last_tokens = torch.tensor([last for group in keys for last in group.last_tokens], device=x.device)
        rows = torch.arange(queries.start, queries.stop, device=x.device)
        return attention_bias(counts, partition_aware_causal_mask(rows, last_tokens), x.dtype)


def _counts(keys: Keys, padding: Tensor | None, x: Tensor) -> Tensor:
    """Real tokens behind each key: (1, K), or (batch, K) with padding; exact, whatever the type of x."""
    precise = torch.promote_types(x.dtype, torch.float32)
    if padding is None:
        return torch.tensor([keys.counts], dtype=precise, device=x.device)
    real = padding[:, keys.tokens.start : keys.tokens.stop].to(precise)
    return torch.stack([run.sum(1) for run in real.tensor_split(keys.n_keys, dim=1)], dim=1)
