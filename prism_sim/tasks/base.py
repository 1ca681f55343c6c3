"""What a task is: real examples with labels, how answers are scored, and the small reference model trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from prism_sim.tasks.examples import Array, Batch, Examples


@dataclass(frozen=True, slots=True)
class Splits:
    """No example is in two of them. Choices are made on `validation`; `test` is for the last figure alone.

    classes: names of the labels, in their order; empty where labels are no classes.
    tokenizer: the text of the tokenizer.json that made the tokens; None for pictures.
    stated_digest: of data that is too large to read through, as its files' digest.
    """

    train: Examples
    validation: Examples
    test: Examples
    classes: tuple[str, ...] = ()
    tokenizer: str | None = None
    stated_digest: str | None = None

    def digest(self) -> str:
        """SHA-256 of all examples: results of different data must not be compared."""
        if self.stated_digest is not None:
            return self.stated_digest
        parts = [part.digest() for part in (self.train, self.validation, self.test)]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained: AdamW, linear warm-up and cosine decay to zero, gradients clipped to norm 1.

    augment: changes a training batch at random; sees only inputs and the generator to draw from.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    augment: Callable[[Mapping[str, Array], np.random.Generator], Mapping[str, Array]] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The small model that `prism-sim train` makes. config: as in its config.json, with model_type."""

    config: Mapping[str, Any]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Task:
    """A task in the catalogue.

    family, head: whose models solve it, by the names of `families`. metrics: names of `tasks.metrics`, the main one
    first. load: the examples, the same on every call; raises ValueError that says what to do where data is missing.
    score(logits, batch): outcomes of each example, see `scoring`. reference: None where a model is always given.
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
