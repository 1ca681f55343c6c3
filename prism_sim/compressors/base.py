"""What a compressor is made of: a reducer, which leaves fewer rows, and a quantiser, which leaves fewer bits of each.

Laws need no numbers and no torch; only `reduce`, `pack` and `unpack` compute, on tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class CompressorStep:
    """One step's cost. elements: activations read and written; extra_bytes: of other things that are read or written.

    flops: of matrix products, 2 a multiply-add. scratch: elements that it keeps in memory while it runs.
    """

    name: str
    flops: int = 0
    elements: int = 0
    extra_bytes: int = 0
    scratch: int = 0


class Reducer(Protocol):
    """Turns the rows of a partition into fewer, each the mean of some tokens, weighed in attention by their number.

    work: what `reduce` costs.
    by_content: which tokens a row stands for depends on what they hold, so that counts must travel; else rows stand for
    contiguous, even runs of tokens, whose counts everybody knows.
    """

    by_content: ClassVar[bool]

    def n_rows(self, n_tokens: int) -> int:
        """Rows that stand for a partition of `n_tokens`; at least 1, and as many as tokens: the rows as they are."""
        ...

    def work(self, batch: int, n_tokens: int, width: int) -> tuple[CompressorStep, ...]: ...

    def reduce(self, x: Any, real: Any) -> tuple[Any, Any]:
        """Rows (batch, tokens, width) -> rows (batch, n_rows, width), differentiable, and their counts (batch, n_rows).

        real: (batch, tokens), true at real tokens, or None; a padded token enters no row and no count. Only called
        where n_rows < tokens.
        """
        ...


class Quantiser(Protocol):
    """Packs rows into bytes. pack_work, unpack_work: what `pack` and `unpack` cost."""

    @property
    def codebook_size(self) -> int:
        """Entries of the codebook, one for each block, that it needs; 0 if none."""
        ...

    def sample_bytes(self, n_rows: int, width: int) -> int:
        """The size law: bytes of one sample's rows, whatever the element type of model and wire."""
        ...

    def pack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]: ...

    def unpack_work(self, batch: int, n_rows: int, width: int) -> tuple[CompressorStep, ...]: ...

    def pack(self, rows: Any, codebook: Any) -> Any:
        """Rows (batch, n_rows, width) -> bytes (batch, sample_bytes). codebook: (codebook_size, width), or None."""
        ...

    def unpack(self, packed: Any, n_rows: int, like: Any, codebook: Any) -> Any:
        """Rows (batch, n_rows, width) out of bytes, in the width and element type of the tensor `like`."""
        ...


@dataclass(frozen=True, slots=True)
class Lever:
    """The setting that makes a compressor's messages larger. most(n_tokens, width): no larger value changes them."""

    setting: str
    most: Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A reducer or a quantiser in the catalogue. create(**settings) makes it of those that it names in `settings`.

    source: as a strategy's.
    lossless: nothing is lost, whatever the settings. lever: None where every message of a partition has one size.
    """

    name: str
    summary: str
    source: str
    create: Callable[..., Reducer] | Callable[..., Quantiser]
    kind: str  # reducer or quantiser
    settings: tuple[str, ...] = ()
    lossless: bool = False
    lever: Lever | None = None
