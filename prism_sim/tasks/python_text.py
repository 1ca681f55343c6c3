"""Language modelling on the text that every Python brings along: its language manual's topics and its docstrings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from prism_sim.tasks import byte_pairs, python_docs
from prism_sim.tasks.base import Recipe, Reference, Splits, Task
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.python_docs import Document
from prism_sim.tasks.scoring import language_modelling

SHARES = {"train": 0.85, "validation": 0.05, "test": 0.1}
TOKENS, VOCABULARY = 256, 1024
TRAIN_STRIDE = 128  # tokens from one training example to the next: they overlap


@cache
def load() -> Splits:
    """Runs of 256 tokens of whole documents, one after another, each closed by <|endoftext|>."""
    parts = python_docs.split((*python_docs.topics(), *python_docs.documents()), SHARES)
    texts = [document.text for document in parts["train"]]
    tokenizer = byte_pairs.learnt(texts, VOCABULARY, byte_pairs.GPT2_SPECIAL)
    strides = {"train": TRAIN_STRIDE, "validation": TOKENS, "test": TOKENS}
    made = {name: _runs(tokenizer, part, strides[name]) for name, part in parts.items()}
    return Splits(made["train"], made["validation"], made["test"], tokenizer=tokenizer.to_str())


def _runs(tokenizer: Any, part: Sequence[Document], stride: int) -> Examples:
    """characters: of a run's tokens without the first, which is not predicted."""
    ids, characters = _stream(tokenizer, part)
    starts = range(0, len(ids) - TOKENS + 1, stride)
    rows = np.stack([ids[start : start + TOKENS] for start in starts])
    behind = np.array([characters[start + 1 : start + TOKENS].sum() for start in starts])
    return Examples({"input_ids": rows}, rows, {"characters": behind})


def _stream(tokenizer: Any, part: Sequence[Document]) -> tuple[Array, Array]:
    """Tokens of all documents, (tokens,), and how many characters end with each."""
    ids: list[int] = []
    characters: list[int] = []
    for one in tokenizer.encode_batch([document.text for document in part]):
        ids += [*one.ids, byte_pairs.END]
        ends = np.array([end for _, end in one.offsets])
        characters += [*np.diff(ends, prepend=0).tolist(), 0]
    return np.array(ids, dtype=np.int64), np.array(characters, dtype=np.int64)


TASK = Task(
    name="python-text",
    summary="the next token of Python's language manual and docstrings",
    source="pydoc_data.topics and docstrings of the standard library of the Python that runs",
    family="gpt2",
    head="lm",
    metrics=("bits_per_character", "perplexity"),
    load=load,
    score=language_modelling,
    reference=Reference(
        config={
            "model_type": "gpt2",
            "vocab_size": VOCABULARY,
            "n_positions": TOKENS,
            "n_embd": 96,
            "n_layer": 4,
            "n_head": 4,
            "resid_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
            "bos_token_id": byte_pairs.END,
            "eos_token_id": byte_pairs.END,
        },
        recipe=Recipe(steps=800, batch=16, learning_rate=3e-3, warmup_steps=50, weight_decay=0.05),
    ),
)
