"""A model in sizes alone: each method enters its kernels and weights in the ledger and gives back a shape."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from prism_sim import families
from prism_sim.compressors import Compressor
from prism_sim.compressors.base import CompressorStep
from prism_sim.compressors.compressor import MessagePiece
from prism_sim.element_types import head_type
from prism_sim.families.base import Layer
from prism_sim.partition import Keys
from prism_sim.shapes.block import ShapeBlock
from prism_sim.shapes.cache import CacheSizes, Lengthened
from prism_sim.shapes.job import Job, OfJob
from prism_sim.shapes.ledger import Ledger, Mask, Packed, Shape, Unrounded


class ShapeModel(OfJob):
    """The model of one participant; see `strategies.base.Model`."""

    def __init__(self, job: Job, ledger: Ledger, cache: CacheSizes | None = None) -> None:
        """cache: what earlier passes have left."""
        self.job, self.ledger = job, ledger
        self.kept: dict[Hashable, tuple[Shape, Shape]] = {}
        self.masks: dict[Hashable, int | None] = {}
        self._take_up(CacheSizes() if cache is None else cache)
        self.family = families.find(job.sizes.family)
        self.blocks = [
            ShapeBlock(number, job.sizes, self.family.pre_norm, ledger) for number in range(job.sizes.n_blocks)
        ]

    def _take_up(self, cache: CacheSizes) -> None:
        self.kept = {slot: (self.ledger.shape(*size), self.ledger.shape(*size)) for slot, size in cache.keys.items()}
        self.masks = dict(cache.masks)

    def cache(self) -> CacheSizes:
        """What this pass leaves."""
        sizes = {slot: k.shape for slot, (k, _) in self.kept.items()}
        return CacheSizes(sizes, self.masks)  # type: ignore[arg-type]

    def with_past(self, slot: Hashable, k: Shape, v: Shape, more: bool = False) -> tuple[Shape, Shape]:
        if (before := self.kept.pop(slot, None)) is not None:
            k, v = Lengthened((before[0], k)), Lengthened((before[1], v))
        if more or self.job.prompt_tokens:
            self.kept[slot] = k, v
        return k, v

    def in_cache(self, slot: Hashable) -> tuple[Shape, Shape]:
        return self.kept[slot]

    def mask_so_far(self, slot: Hashable, padding: Mask | None) -> Mask | None:
        if self.job.past:
            batch = self.masks[slot]
            return None if batch is None else Mask(batch, self.job.past + self.job.n_tokens)
        if self.job.prompt_tokens:
            self.masks[slot] = None if padding is None else padding.batch
        return padding

    def _layers(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            self.ledger.hold(layer.weights, layer.name)
            read_bytes = layer.n_in * layer.n_out * self.ledger.vector_bytes
            if layer.table:  # once, whether to embed, for a tied head, or for both
                held_bytes = self.ledger.hold_bytes(self._table_bytes(layer.table, self.job.sizes.tied), "token table")
                read_bytes = held_bytes if layer.n_in else 0
            if layer.own_table:
                read_bytes = self.ledger.hold_bytes(self._table_bytes(layer.own_table, True), layer.name, "table")
            self.ledger.kernel(layer.name, layer.flops, layer.moved, read_bytes, self.ledger.first_used(layer.name))

    def _table_bytes(self, elements: int, is_head: bool) -> int:
        """Of a row for each token; is_head: a language model's head multiplies with it."""
        matrices = self.ledger.matrices
        if not matrices.is_grouped:
            return elements * self.ledger.element_bytes
        return (head_type(matrices) if is_head else matrices).nbytes(elements)

    def embed(self, tokens: range, samples: range | None = None) -> Shape:
        batch = self.job.batch if samples is None else len(samples)
        self._layers(self.family.embedding(self.job.sizes, batch, tokens))
        return self.ledger.shape(batch, len(tokens), self.job.sizes.width)

    def padding(self) -> Mask | None:
        return Mask(self.job.batch, self.job.n_tokens) if self.job.padded and not self.job.past else None

    def head(self, rows: Shape) -> None:
        self._layers(self.job.head.layers(self.job.sizes, self.job.batch, rows.shape[1], self.job.n_tokens))

    def logits(self, rows: Shape, vocabulary: range) -> Unrounded:
        batch, n_rows, _ = rows.shape
        *before, product = self.job.head.layers(self.job.sizes, batch, n_rows, n_rows)
        self._layers([*before, product.part(len(vocabulary))])
        return Unrounded((batch, n_rows, len(vocabulary)), self.ledger)

    def head_from(self, parts: Sequence[Unrounded]) -> None:
        self._concatenate(parts, 2)

    def compress(
        self, compressor: Compressor, block: int, x: Shape, tokens: range, padding: Mask | None
    ) -> tuple[Shape, ...]:
        batch, n_rows, width = x.shape
        self._hold_codebook(compressor, block)
        self._work(compressor.compress_work(batch, n_rows, width))
        pieces = compressor.pieces(batch, n_rows, width)
        if pieces == (MessagePiece(x.shape, packed=False),):
            return (x,)
        return tuple((self.ledger.packed if piece.packed else self.ledger.shape)(*piece.shape) for piece in pieces)

    def restore(
        self, compressor: Compressor, block: int, message: tuple[Shape, ...], tokens: range
    ) -> tuple[Shape, Shape | None]:
        rows, batch, width = message[0], message[0].shape[0], self.job.sizes.width
        keys = compressor.keys(tokens)
        self._hold_codebook(compressor, block)
        self._work(compressor.restore_work(batch, len(tokens), width))
        if isinstance(rows, Packed):
            rows = self.ledger.shape(batch, keys.n_keys, width)
        return rows, message[1] if keys.by_content else None

    def _work(self, steps: Sequence[CompressorStep]) -> None:
        for step in steps:
            scratch = self.ledger.shape(step.scratch)
            self.ledger.kernel(step.name, step.flops, step.elements, step.extra_bytes)
            del scratch

    def _hold_codebook(self, compressor: Compressor, block: int) -> None:
        if compressor.quantiser is not None and compressor.quantiser.codebook_size:
            elements = compressor.quantiser.codebook_size * self.job.sizes.width
            self.ledger.hold_bytes(elements * self.ledger.element_bytes, block, "codebook")

    def select(self, x: Shape, tokens: range) -> Shape:
        return x if len(tokens) == x.shape[1] else self.ledger.shape(x.shape[0], len(tokens), x.shape[2])

    def join(self, parts: Sequence[Shape]) -> Shape:
        return self._concatenate(parts, 1)

    def join_heads(self, parts: Sequence[Shape]) -> Shape:
        return self._concatenate(parts, 2)

    def select_heads(self, k: Shape, tokens: range) -> Shape:
        batch, heads, n_tokens, width = k.shape
        return k if len(tokens) == n_tokens else self.ledger.shape(batch, heads, len(tokens), width)

    def stack(self, parts: Sequence[Shape]) -> Shape:
        return self._concatenate(parts, 0)

    def _concatenate(self, parts: Sequence[Shape], axis: int) -> Shape:
        if len(parts) == 1:
            return parts[0]
        before, after = parts[0].shape[:axis], parts[0].shape[axis + 1 :]
        joined = self.ledger.shape(*before, sum(part.shape[axis] for part in parts), *after)
        self.ledger.kernel("join", 0, 2 * joined.elements)
        return joined

    def samples(self, x: Shape | Mask | None, samples: range) -> Shape | Mask | None:
        if x is None or len(samples) == self.job.batch:
            return x
        if isinstance(x, Mask):
            return Mask(len(samples), self.job.n_tokens)
        return self.ledger.shape(len(samples), *x.shape[1:])

    def places(self, keys: Sequence[Keys], padding: Mask | None) -> Shape | None:
        if not self.job.sizes.rotary:
            return None
        cosines_and_sines = self.ledger.shape(
            1 if padding is None else padding.batch, sum(group.n_keys for group in keys), 2 * self.job.sizes.head_width
        )
        self.ledger.kernel("positions", 0, cosines_and_sines.elements)
        return cosines_and_sines

    def bias(
        self, queries: range, keys: Sequence[Keys], padding: Mask | None, counts: Sequence[Shape | None] = ()
    ) -> None:
        return None
