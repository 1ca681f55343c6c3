"""What stands in place of a partition's rows when they cross the network: its size law, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import Any, ClassVar

from prism_sim.compressors import packing
from prism_sim.compressors.base import CompressorStep, Quantiser, Reducer
from prism_sim.partition import Keys

remembered_sizes = lru_cache(maxsize=1024)  # a plan asks for the same ones block after block


@dataclass(frozen=True, slots=True)
class MessagePiece:
    """One tensor of a message. packed: of bytes, which cross as they are; else of elements in the wire's type."""

    shape: tuple[int, ...]
    packed: bool


@dataclass(frozen=True, slots=True)
class StraightThrough:
    """Rides along a message of bytes within one process, so that gradients pass where bytes have none.

    zero: the rows less themselves: nothing in value, but differentiable, so that rows that are unpacked take over the
    gradient of those that were packed (straight-through estimator, Bengio et al., arXiv 1308.3432).
    """

    zero: Any
    nbytes: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class Compressor:
    """Rows are reduced, then, with a quantiser, packed. A message is a tuple of tensors: rows or bytes, then counts.

    Counts cross only if a reducer goes by content: of each sample, `packing.bits_for(n_tokens)` bits a row.
    """

    reducer: Reducer
    quantiser: Quantiser | None = None

    @remembered_sizes
    def keys(self, tokens: range) -> Keys:
        """The keys that stand for `tokens`; needs no numbers."""
        n_keys = self.reducer.n_rows(len(tokens))
        return Keys(tokens, n_keys, self.reducer.by_content and n_keys < len(tokens))

    @remembered_sizes
    def pieces(self, batch: int, n_tokens: int, width: int) -> tuple[MessagePiece, ...]:
        """The size law: of what a message is made."""
        keys = self.keys(range(n_tokens))
        if self.quantiser is None:
            rows = MessagePiece((batch, keys.n_keys, width), packed=False)
        else:
            rows = MessagePiece((batch, self.quantiser.sample_bytes(keys.n_keys, width)), packed=True)
        if not keys.by_content:
            return (rows,)
        return rows, MessagePiece((batch, packing.packed_bytes(keys.n_keys, packing.bits_for(n_tokens))), packed=True)

    def message_bytes(self, batch: int, n_tokens: int, width: int, element_bytes: int | Fraction) -> int:
        """Of one message; element_bytes: of the wire's element type, which packed bytes do not depend on."""
        pieces = self.pieces(batch, n_tokens, width)
        return sum(prod(piece.shape) if piece.packed else int(prod(piece.shape) * element_bytes) for piece in pieces)

    @remembered_sizes
    def compress_work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        n_rows = self.reducer.n_rows(n_tokens)
        reducing = self.reducer.work(batch, n_tokens, width) if n_rows < n_tokens else ()
        return reducing if self.quantiser is None else (*reducing, *self.quantiser.pack_work(batch, n_rows, width))

    @remembered_sizes
    def restore_work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]:
        if self.quantiser is None:
            return ()
        return self.quantiser.unpack_work(batch, self.reducer.n_rows(n_tokens), width)

    def reduced(self, x: Any, real: Any) -> tuple[Any, Any]:
        """Rows (batch, n_keys, width) and their counts; of rows as they are None."""
        return (x, None) if self.reducer.n_rows(x.shape[1]) == x.shape[1] else self.reducer.reduce(x, real)

    def compress(self, x: Any, real: Any, codebook: Any = None) -> tuple[Any, ...]:
        """The numbers: rows (batch, tokens, width) -> a message of `pieces`, differentiable.

        real: (batch, tokens), true at real tokens, or None; a padded token enters no summary of a reducer.
        codebook: this block's, if the quantiser needs one.
        """
        rows, counts = self.reduced(x, real)
        message: tuple[Any, ...] = (rows if self.quantiser is None else self.quantiser.pack(rows.detach(), codebook),)
        if self.keys(range(x.shape[1])).by_content:
            message = (*message, packing.pack(counts, packing.bits_for(x.shape[1])))
        if self.quantiser is not None and rows.requires_grad:
            message = (*message, StraightThrough(rows - rows.detach()))
        return message

    def restore(self, message: tuple[Any, ...], n_tokens: int, like: Any, codebook: Any = None) -> tuple[Any, Any]:
        """What a message says of a partition of `n_tokens`: its rows, and their counts (batch, n_keys) if they came.

        like: a tensor of the rows' width and element type. Without a quantiser rows are as they came.
        """
        keys, rows = self.keys(range(n_tokens)), message[0]
        if self.quantiser is not None:
            rows = self.quantiser.unpack(rows, keys.n_keys, like, codebook)
            if isinstance(message[-1], StraightThrough):
                rows = rows + message[-1].zero
        return rows, packing.unpack(message[1], packing.bits_for(n_tokens), keys.n_keys) if keys.by_content else None
