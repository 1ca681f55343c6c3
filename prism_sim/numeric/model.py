"""The model on tensors, as one participant's program computes with it; see `strategies.base.Model`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from prism_sim import families
from prism_sim.compressors import Compressor
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.cache import Cache
from prism_sim.numeric.equations import Turn, attention_bias, partition_aware_causal_mask
from prism_sim.numeric.meter import FlopMeter, SilentMeter
from prism_sim.numeric.quantised import QuantisedRows
from prism_sim.numeric.vocabulary import UnroundedLogits, VocabularyHead
from prism_sim.partition import Keys
from prism_sim.shapes.job import Job, OfJob


@dataclass(frozen=True, slots=True)
class Input:
    """What all participants know of one forward pass.

    embedded: (batch, tokens, width), by the model's own embedding. real: (batch, tokens) padding mask or None.
    embedding_flops: what the counter saw the embedding do. raw: the model's inputs, for ranks that embed themselves.
    codebooks: of each block, (entries, width); None where no compressor needs them. vocabulary: None of a model whose
    head has none.
    """

    trunk: Any
    raw: Mapping[str, Any]
    embedded: Tensor
    real: Tensor | None
    embedding_flops: int
    codebooks: Sequence[Tensor] | None = None
    vocabulary: VocabularyHead | None = None


class TensorModel(OfJob):
    """One participant's view: blocks on the model's own weights. head() only keeps the rows: the head runs after.

    output: those rows. gathered: the logits, in place of them.
    """

    def __init__(
        self,
        job: Job,
        given: Input,
        blocks: Sequence[TensorBlock],
        meter: FlopMeter | SilentMeter,
        cache: Cache | None = None,
    ) -> None:
        """cache: what earlier passes have left, and this one adds to."""
        self.cache = Cache() if cache is None else cache
        self.job, self.given, self.blocks, self.meter = job, given, blocks, meter
        self.family = families.find(job.sizes.family)
        self.output: Tensor | None = None
        self.gathered: Tensor | None = None

    def embed(self, tokens: range, samples: range | None = None) -> Tensor:
        given, main = self.given, self.family.input_name
        if self.job.placement.input == "terminal":
            self.meter.credit += given.embedding_flops  # the model's own forward has done it
            return given.embedded
        if samples is None:
            return self.family.embed(given.trunk, given.raw, given.embedded, tokens)  # type: ignore[no-any-return]
        chosen = slice(samples.start, samples.stop)
        raw = {**given.raw, main: given.raw[main][chosen]}
        return self.family.embed(given.trunk, raw, given.embedded[chosen], tokens)  # type: ignore[no-any-return]

    def padding(self) -> Tensor | None:
        return None if self.job.past else self.given.real

    def with_past(self, slot: Hashable, k: Tensor, v: Tensor, more: bool = False) -> tuple[Tensor, Tensor]:
        if (before := self.cache.heads.pop(slot, None)) is not None:
            k, v = torch.cat((before[0], k), dim=2), torch.cat((before[1], v), dim=2)
        if more or self.job.prompt_tokens:
            self.cache.heads[slot] = k, v
        return k, v

    def in_cache(self, slot: Hashable) -> tuple[Tensor, Tensor]:
        return self.cache.heads[slot]

    def mask_so_far(self, slot: Hashable, padding: Tensor | None) -> Tensor | None:
        if self.job.past:
            kept = self.cache.masks[slot]
            new_tokens = self.job.past + self.job.n_tokens - self.job.prompt_tokens
            return None if kept is None else F.pad(kept, (0, new_tokens), value=True)
        if self.job.prompt_tokens:
            self.cache.masks[slot] = padding
        return padding

    def head(self, rows: Tensor) -> None:
        self.output = rows

    def logits(self, rows: Tensor, vocabulary: range) -> Tensor | UnroundedLogits:
        assert self.given.vocabulary is not None
        found = self.given.vocabulary.logits(rows, vocabulary)
        return found if self.job.crosses_as_it_is else UnroundedLogits(found)

    def head_from(self, parts: Sequence[Tensor]) -> None:
        self.gathered = torch.cat(tuple(parts), dim=-1)

    def compress(
        self, compressor: Compressor, block: int, x: Tensor, tokens: range, padding: Tensor | None
    ) -> tuple[Any, ...]:
        real = None if padding is None else padding[:, tokens.start : tokens.stop]
        return compressor.compress(x, real, self._codebook(block))

    def restore(
        self, compressor: Compressor, block: int, message: tuple[Any, ...], tokens: range
    ) -> tuple[Tensor, Tensor | None]:
        return compressor.restore(message, len(tokens), self.given.embedded, self._codebook(block))

    def _codebook(self, block: int) -> Tensor | None:
        return None if self.given.codebooks is None else self.given.codebooks[block]

    def select(self, x: Tensor, tokens: range) -> Tensor:
        return x[:, tokens.start : tokens.stop]

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=1)

    def join_heads(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=2)

    def select_heads(self, k: Tensor, tokens: range) -> Tensor:
        return k[:, :, tokens.start : tokens.stop]

    def samples(self, x: Tensor | None, samples: range) -> Tensor | None:
        return None if x is None else x[samples.start : samples.stop]

    def stack(self, parts: Sequence[Tensor]) -> Tensor:
        return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=0)

    def send(self, value: Any) -> Any:
        """What goes out: rows in the element type of the wire; a mask, packed bytes and logits as they are."""
        if isinstance(value, UnroundedLogits):
            return value.numbers
        if not _is_rows(value):
            return value
        wire = self.job.wire_type
        return QuantisedRows.of(value, wire.name) if wire.is_grouped else value.to(getattr(torch, wire.name))

    def receive(self, value: Any) -> Any:
        if isinstance(value, QuantisedRows):
            return value.rows(self.given.embedded.dtype)
        return value.to(self.given.embedded.dtype) if _is_rows(value) else value

    def places(self, keys: Sequence[Keys], padding: Tensor | None) -> Turn | None:
        if not self.job.sizes.rotary:
            return None
        x, batch = self.given.embedded, 1 if padding is None else len(padding)
        positions = self._positions(padding)
        each = [mean_positions(group, positions, padding).expand(batch, -1) for group in keys]
        found: Turn = self.family.rotation(self.given.trunk, x, torch.cat(each, dim=1))
        return found

    def _positions(self, padding: Tensor | None) -> Tensor:
        """Of all tokens so far, (1 or batch, tokens): where text is generated they count real ones, as its steps do."""
        if self.prompt_tokens and padding is not None:
            return (padding.cumsum(1) - 1).clamp(min=0)
        stated = None if self.past else self.given.raw.get("position_ids")
        every = torch.arange(self.past + self.n_tokens, device=self.given.embedded.device)[None]
        return every if stated is None else stated[:1]

    def bias(
        self, queries: range, keys: Sequence[Keys], padding: Tensor | None, counts: Sequence[Tensor | None] = ()
    ) -> Tensor | None:
        x = self.given.embedded
        each = [
            _counts(group, padding, x) if came is None else came.to(_precise(x))
            for group, came in zip_longest(keys, counts)
        ]
        batch = max(len(found) for found in each)
        behind = torch.cat([found.expand(batch, -1) for found in each], dim=1)
        if not self.family.causal:
            return None if bool((behind == 1).all()) else attention_bias(behind, dtype=x.dtype)
        last_tokens = torch.tensor([last for group in keys for last in group.last_tokens], device=x.device)
        rows = torch.arange(queries.start, queries.stop, device=x.device)
        return attention_bias(behind, partition_aware_causal_mask(rows, last_tokens), x.dtype)


def _is_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _precise(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def mean_positions(keys: Keys, positions: Tensor, padding: Tensor | None) -> Tensor:
    """Where each key stands: (1, K), or (batch, K) with padding, of which no token enters.

    positions: (1, tokens). A key whose tokens only its sender knows stands where all that it may stand for do.
    """
    own = positions[:, keys.tokens.start : keys.tokens.stop]
    if keys.n_keys == len(keys.tokens):
        return own
    n_runs = 1 if keys.by_content else keys.n_keys
    real = torch.ones_like(own) if padding is None else padding[:, keys.tokens.start : keys.tokens.stop].long()
    sums, counts = (
        torch.stack([run.sum(1) for run in of_tokens.tensor_split(n_runs, dim=1)], dim=1)
        for of_tokens in (own * real, real)
    )
    return (sums / counts.clamp(min=1)).expand(-1, keys.n_keys)  # whole sums: exact as far as a float32 reaches


def _counts(keys: Keys, padding: Tensor | None, x: Tensor) -> Tensor:
    """Real tokens behind each key: (1, K), or (batch, K) with padding; exact, whatever the type of x."""
    precise = _precise(x)
    if padding is None:
        return torch.tensor([keys.counts], dtype=precise, device=x.device)
    real = padding[:, keys.tokens.start : keys.tokens.stop].to(precise)
    return torch.stack([run.sum(1) for run in real.tensor_split(keys.n_keys, dim=1)], dim=1)
