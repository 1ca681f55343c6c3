"""Texts as a checkpoint's tokenizer takes them apart, when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from prism_sim.tasks.base import DataError, DataSource
from prism_sim.tasks.examples import Array, Column, Mapped

Pair = tuple[str, str | None]  # one sentence, or two


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

    def encoded(output: str, pair: Pair) -> Array:
        given = found(*(text for text in pair if text is not None), truncation=True, max_length=length)
        return np.array(given[output], dtype=np.int64)

    encoded(
        "input_ids", ("", None)
    )  # sets the length once: threads that take texts apart together must not change the tokenizer
    names = [name for name in ("input_ids", "token_type_ids") if name in found.model_input_names]
    return {name: Mapped(texts, partial(encoded, name)) for name in names}


def described(found: Any) -> str:
    """All that determines what a tokenizer gives, for digests: its tokenizer.json where it is one of the fast kind."""
    if found.is_fast:
        return str(found.backend_tokenizer.to_str())
    return f"{type(found).__name__} {sorted(found.get_vocab().items())}"
