"""Texts as a checkpoint's tokenizer takes them apart, when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prism_sim.tasks.base import DataError, DataSource
from prism_sim.tasks.examples import Array, Column

Pair = tuple[str, str | None]  # one sentence, or two


@dataclass(frozen=True, slots=True)
class Tokens:
    """One of the tokenizer's outputs, `input_ids` or `token_type_ids`, for each text or pair of texts."""

    texts: Sequence[Pair]
    encode: Callable[[Pair], dict[str, Array]]
    output: str

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int, /) -> Array:
        return self.encode(self.texts[index])[self.output]


def tokenizer(source: DataSource) -> Any:
    """The checkpoint's own. Raises DataError where it has none."""
    from prism_sim.numeric.inputs import tokenizer as found_in
    from prism_sim.numeric.loading import LoadError

    try:
        found = found_in(source.checkpoint)
    except LoadError as error:
        raise DataError(str(error)) from error
    if found is None:
        where = f"{source.checkpoint} has none" if source.checkpoint else "no model is given"
        remedy = "give model: {hf: FOLDER}, where save_pretrained of model and tokenizer wrote, or a hub id"
        raise DataError(f"texts need the tokenizer that the model was trained with, but {where}; {remedy}")
    return found


def n_tokens(source: DataSource, usual: int, most: str) -> int:
    """Tokens of every sequence. most: key of config.json that bounds them. Raises DataError if they are too many."""
    bound = source.config.get(most)
    if source.tokens is None:
        return usual if bound is None else min(usual, int(bound))
    if bound is not None and source.tokens > int(bound):
        raise DataError(f"{source.tokens} tokens are more than the model's {bound} positions; ask for at most that")
    return source.tokens


def columns(texts: Sequence[Pair], found: Any, length: int) -> dict[str, Column]:
    """What a model reads of texts, cut to `length` tokens: of a pair the longer one loses first (HF's run_glue)."""
    names = [name for name in ("input_ids", "token_type_ids") if name in found.model_input_names]

    def encode(pair: Pair) -> dict[str, Array]:
        ids = found(*(text for text in pair if text is not None), truncation=True, max_length=length)
        return {name: np.array(ids[name], dtype=np.int64) for name in names}

    encode(("", None))  # sets the length once: threads that take texts apart together must not change the tokenizer
    return {name: Tokens(texts, encode, name) for name in names}


def described(found: Any) -> str:
    """All that determines what a tokenizer gives, for digests: its tokenizer.json where it is one of the fast kind."""
    if found.is_fast:
        return str(found.backend_tokenizer.to_str())
    return f"{type(found).__name__} {sorted(found.get_vocab().items())}"
