"""Values as bytes on the wire, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from prism_sim.element_types import ELEMENT_TYPES
from prism_sim.live.outline import Leaf, Structure
from prism_sim.numeric.quantised import QuantisedRows


def pack(values: Sequence[Any], structures: Sequence[Structure]) -> Tensor:
    """All tensors of `values`, one after another, as bytes (uint8); no copy of a single contiguous one.

    Raises RuntimeError if they are not what was outlined: then the receivers expect something else.
    """
    pieces = [piece for value, structure in zip(values, structures, strict=True) for piece in _pieces(value, structure)]
    if not pieces:
        return torch.empty(0, dtype=torch.uint8)
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _pieces(value: Any, structure: Structure) -> Iterator[Tensor]:
    if isinstance(structure, Leaf):
        shown = _shown(value)
        if shown != (structure.shape, structure.dtype):
            raise RuntimeError(f"a program hands in {shown}, where its run on shapes promised {structure}")
        elements = value.octets if isinstance(value, QuantisedRows) else value.detach()
        yield elements.contiguous().view(-1).view(torch.uint8)
    elif structure is not None:
        if not isinstance(value, tuple) or len(value) != len(structure):
            raise RuntimeError(f"a program hands in a {type(value).__name__}, where its run on shapes promised a tuple")
        for item, part in zip(value, structure, strict=True):
            yield from _pieces(item, part)


def _shown(value: Any) -> tuple[object, ...]:
    if isinstance(value, QuantisedRows):
        return value.shape, value.name
    if isinstance(value, Tensor):
        return tuple(value.shape), str(value.dtype).removeprefix("torch.")
    return (type(value).__name__,)


def unpack(buffer: Tensor, structures: Sequence[Structure]) -> list[Any]:
    """The values of these structures out of bytes; tensors are views of the buffer where they lie aligned."""
    at = 0

    def read(structure: Structure) -> Any:
        nonlocal at
        if structure is None:
            return None
        if isinstance(structure, tuple):
            return tuple(map(read, structure))
        piece = buffer[at : at + structure.nbytes]
        at += structure.nbytes
        if structure.group > 1:
            *outer, n = structure.shape
            return QuantisedRows(piece.view(*outer, ELEMENT_TYPES[structure.dtype].nbytes(n)), structure.dtype)
        dtype: torch.dtype = getattr(torch, structure.dtype)
        if piece.storage_offset() % dtype.itemsize:
            piece = piece.clone()
        return piece.view(dtype).view(structure.shape)

    return [read(structure) for structure in structures]


def chunks(value: Any, sizes: Sequence[int]) -> Sequence[Any]:
    """All elements of rows, one after another, in parts of these sizes."""
    return value.view(-1).split(sizes)  # type: ignore[no-any-return]


def joined(parts: Sequence[Any], shape: Sequence[int]) -> Any:
    """Rows of this shape from such parts."""
    first, *others = parts
    if isinstance(first, QuantisedRows):
        return first.join(others).view(*shape)
    return (torch.cat(list(parts)) if others else first).view(*shape)


def empty(structure: Structure) -> Any:
    """The value of a structure that has no bytes."""
    return unpack(torch.empty(0, dtype=torch.uint8), [structure])[0]
