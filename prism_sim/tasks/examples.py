"""Examples of a task as numpy arrays, and the batches that a Hugging Face forward takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

IGNORED_LABEL = -100  # Hugging Face's losses skip it


class Column(Protocol):
    """One value an example: an array whose first axis counts them, a tuple of arrays, or what reads them when asked."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Mapped:
    """A column whose entries are made of another's when they are asked for, and not kept."""

    column: Column
    make: Callable[[Any], Any]

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, index: int, /) -> Any:
        return self.make(self.column[index])


@dataclass(frozen=True, slots=True)
class Batch:
    """inputs: what the model's forward takes, labels apart. labels: (batch,) classes or values, (batch, tokens) of a
    language model. measures: (batch,) each, what a metric needs beside them.
    """

    inputs: Mapping[str, Array]
    labels: Array
    measures: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Examples:
    """Columns of one length: `inputs` by the names of the model's forward, `labels`, and `measures` for the metrics.

    pad_to: input columns and token labels hold sequences of any length up to this; batches are filled up to it, always
    to the same length, so that an example is partitioned alike in whatever batch it is, and get an attention_mask.
    None: all examples have one shape. pad_id: what input_ids are filled up with.
    Raises ValueError for columns of different lengths.
    """

    inputs: Mapping[str, Column]
    labels: Column
    measures: Mapping[str, Column] = field(default_factory=dict)
    pad_to: int | None = None
    pad_id: int = 0

    def __post_init__(self) -> None:
        for name, column in {**self.inputs, **self.measures}.items():
            if len(column) != len(self):
                raise ValueError(f"column {name!r} has {len(column)} entries, but there are {len(self)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Sequence[int]) -> Examples:
        """These examples alone, in this order; what is read when asked is still read only then."""
        return replace(
            self,
            inputs={name: Mapped(chosen, column.__getitem__) for name, column in self.inputs.items()},
            labels=Mapped(chosen, self.labels.__getitem__),
            measures={name: Mapped(chosen, column.__getitem__) for name, column in self.measures.items()},
        )

    def held_out(self, every: int) -> tuple[Examples, Examples]:
        """Two parts: all but every so manyth example, and these, to validate on."""
        places = range(len(self))
        return self.take([at for at in places if (at + 1) % every]), self.take(places[every - 1 :: every])

    def batch(self, chosen: Sequence[int]) -> Batch:
        """The examples at these places, as one batch. Raises ValueError if one is longer than `pad_to`."""
        fillers = {"input_ids": self.pad_id}
        inputs = {name: self._stacked(column, chosen, fillers.get(name, 0)) for name, column in self.inputs.items()}
        if self.pad_to is not None and "attention_mask" not in inputs:
            lengths = np.array([len(self.inputs["input_ids"][at]) for at in chosen])
            inputs["attention_mask"] = (np.arange(self.pad_to) < lengths[:, None]).astype(np.int64)
        return Batch(
            inputs,
            self._stacked(self.labels, chosen, IGNORED_LABEL),
            {name: np.stack([np.asarray(column[at]) for at in chosen]) for name, column in self.measures.items()},
        )

    def batches(self, size: int, order: Sequence[int] | None = None) -> Iterator[Batch]:
        """All examples, or those of `order`, `size` at a time; the last batch may be smaller."""
        places = range(len(self)) if order is None else order
        for start in range(0, len(places), size):
            yield self.batch(places[start : start + size])

    def digest(self) -> str:
        """SHA-256 of all that the examples hold."""
        total = hashlib.sha256(f"{len(self)} {self.pad_to} {self.pad_id}".encode())
        columns = {**self.inputs, "labels": self.labels, **self.measures}
        for name in sorted(columns):
            for at in range(len(self)):
                value = np.ascontiguousarray(columns[name][at])
                total.update(f"{name} {value.dtype.str} {value.shape}".encode())
                total.update(value.tobytes())
        return total.hexdigest()

    def _stacked(self, column: Column, chosen: Sequence[int], filler: int) -> Array:
        rows = [np.asarray(column[at]) for at in chosen]
        if self.pad_to is None or rows[0].ndim == 0:
            return np.stack(rows)
        full = np.full((len(rows), self.pad_to), filler, dtype=rows[0].dtype)  # (batch, pad_to)
        for line, row in zip(full, rows, strict=True):
            if len(row) > self.pad_to:
                raise ValueError(f"an example of {len(row)} tokens does not fit into {self.pad_to}")
            line[: len(row)] = row
        return full
