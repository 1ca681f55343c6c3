"""What a task is: real examples with labels, how answers are scored, and the small reference model trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prism_sim.tasks.examples import Array, Batch, Examples


@dataclass(frozen=True, slots=True)
class Splits:
    """No example is in two of them. Choices are made on `validation`; `test` is for the last figure alone.

    classes: names of the labels, in their order; empty where labels are no classes.
    tokenizer: the text of the tokenizer.json that made the tokens; None for pictures.
    stated_digest: of data that is too large to read through, as its files' digest. notes: what a report should say of
    the data, such as labels that could not be matched to the model's by name.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...] = ()
    tokenizer: str | None = None
    stated_digest: str | None = None
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """SHA-256 of all examples: results of different data must not be compared."""
        if self.stated_digest is not None:
            return self.stated_digest
        parts = [part.digest() for part in (self.train, self.validation, self.test)]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


class DataError(ValueError):
    """Data that is missing, in another format, or damaged: says where, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """What a benchmark's examples are read from, and the checkpoint that they are prepared for.

    path: a local copy, file or folder; None: the hub. checkpoint: hub id or folder whose image processor or tokenizer
    prepares them; None: the family's usual image processor. config: the checkpoint's config.json, for picture sizes and
    the order of labels. tokens: the length of every sequence; None: the task's usual.
    """

    path: Path | None = None
    checkpoint: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained: AdamW, linear warm-up and cosine decay to zero, gradients clipped to norm 1.

    augment: changes a training batch at random; sees only inputs and the generator to draw from. threads: of torch, on
    which sums, and so weights, depend; small models are trained about as fast with one, and so several side by side.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    augment: Callable[[Mapping[str, Array], np.random.Generator], Mapping[str, Array]] | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Reference:
    """The small model that `prism-sim train` makes. config: as in its config.json, with model_type."""

    config: Mapping[str, Any]
    recipe: Recipe


def labels(classes: Sequence[str]) -> dict[str, Any]:
    """How a model's configuration names its classes."""
    return {"id2label": dict(enumerate(classes)), "label2id": {name: at for at, name in enumerate(classes)}}


@dataclass(frozen=True, slots=True)
class Task:
    """A task in the catalogue.

    family, head: whose models solve it, by the names of `families`. metrics: names of `tasks.metrics`, the main one
    first. load: the examples, the same on every call; raises ValueError that says what to do where data is missing.
    score(logits, batch): outcomes of each example, see `scoring`. reference: None where a model is always given.
    read: of a benchmark whose data is not ours to ship: the examples from a local copy or the hub, prepared for a
    checkpoint. Raises DataError, which reading an example later may do too. None: `load` knows where its data is.
    """

    name: str
    summary: str
    source: str
    family: str
    head: str
    metrics: tuple[str, ...]
    load: Callable[[], Splits]
    score: Callable[[Array, Batch], Mapping[str, Array]]
    reference: Reference | None = None
    read: Callable[[DataSource], Splits] | None = None

    def splits(self, source: DataSource) -> Splits:
        """The examples, from `source` if the task reads any. Raises DataError for a path that it has no use for."""
        if self.read is not None:
            return self.read(source)
        if source.path is not None:
            raise DataError(f"the task {self.name} brings its own data, not {str(source.path)!r}; remove the line")
        return self.load()
