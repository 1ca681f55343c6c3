"""Tasks of the text that every Python brings along: the chapter that a passage is about, and the next token.

Passages are of docstrings of the standard library, held out whole; a language model also reads the language manual.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from prism_sim.tasks import byte_pairs, python_docs
from prism_sim.tasks.augmentation import with_gaps
from prism_sim.tasks.base import Recipe, Reference, Splits, Task, labels
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.scoring import classification, language_modelling

CLASSES = tuple(python_docs.CHAPTERS)
PASSAGE_SHARES = {"train": 0.6, "validation": 0.1, "test": 0.3}
WORDS, FEWEST_WORDS = 70, 30  # of a passage
PASSAGE_TOKENS, PASSAGE_VOCABULARY = 128, 2048
RUN_SHARES = {"train": 0.85, "validation": 0.05, "test": 0.1}
RUN_TOKENS, RUN_VOCABULARY = 256, 1024
TRAIN_STRIDE = 128  # tokens from one run to train on to the next: they overlap
RUNS_RECIPE = Recipe(steps=800, batch=16, learning_rate=3e-3, warmup_steps=50, weight_decay=0.05)


@cache
def passages() -> Splits:
    """Passages of up to 70 words. A definition with all that is in it goes to one part; no docstring is in two."""
    parts = {
        name: python_docs.passages(part, WORDS, FEWEST_WORDS)
        for name, part in python_docs.split(python_docs.documents(), PASSAGE_SHARES).items()
    }
    tokenizer = byte_pairs.classifying([text for text, _ in parts["train"]], PASSAGE_VOCABULARY, PASSAGE_TOKENS)

    def examples(found: Sequence[tuple[str, str]]) -> Examples:
        rows = [np.array(one.ids, dtype=np.int64) for one in tokenizer.encode_batch([text for text, _ in found])]
        classes = np.array([CLASSES.index(chapter) for _, chapter in found], dtype=np.int64)
        return Examples({"input_ids": rows}, classes, pad_to=PASSAGE_TOKENS, pad_id=byte_pairs.PAD)

    made = {name: examples(part) for name, part in parts.items()}
    return Splits(made["train"], made["validation"], made["test"], CLASSES, tokenizer.to_str())


@cache
def runs() -> Splits:
    """Runs of 256 tokens of whole documents, one after another, each closed by <|endoftext|>."""
    parts = python_docs.split((*python_docs.topics(), *python_docs.documents()), RUN_SHARES)
    texts = [document.text for document in parts["train"]]
    tokenizer = byte_pairs.learnt(texts, RUN_VOCABULARY, byte_pairs.GPT2_SPECIAL)
    strides = {"train": TRAIN_STRIDE, "validation": RUN_TOKENS, "test": RUN_TOKENS}
    made = {name: _runs(tokenizer, part, strides[name]) for name, part in parts.items()}
    return Splits(made["train"], made["validation"], made["test"], tokenizer=tokenizer.to_str())


def _runs(tokenizer: Any, part: Sequence[python_docs.Document], stride: int) -> Examples:
    """characters: of a run's tokens without the first, which is not predicted."""
    ids, characters = _stream(tokenizer, part)
    starts = range(0, len(ids) - RUN_TOKENS + 1, stride)
    rows = np.stack([ids[start : start + RUN_TOKENS] for start in starts])
    behind = np.array([characters[start + 1 : start + RUN_TOKENS].sum() for start in starts])
    return Examples({"input_ids": rows}, rows, {"characters": behind})


def _stream(tokenizer: Any, part: Sequence[python_docs.Document]) -> tuple[Array, Array]:
    """Tokens of all documents, (tokens,), and how many characters end with each."""
    ids: list[int] = []
    characters: list[int] = []
    for one in tokenizer.encode_batch([document.text for document in part]):
        ids += [*one.ids, byte_pairs.END]
        ends = np.array([end for _, end in one.offsets])
        characters += [*np.diff(ends, prepend=0).tolist(), 0]
    return np.array(ids, dtype=np.int64), np.array(characters, dtype=np.int64)


TASKS = (
    Task(
        name="python-manual",
        summary=f"which of {len(CLASSES)} chapters of Python's library manual a passage of docstrings belongs to",
        source="docstrings of the standard library of the Python that runs",
        family="bert",
        head="sequence_classification",
        metrics=("accuracy",),
        load=passages,
        score=classification,
        reference=Reference(
            config={
                "model_type": "bert",
                "vocab_size": PASSAGE_VOCABULARY,
                "hidden_size": 64,
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "intermediate_size": 256,
                "max_position_embeddings": PASSAGE_TOKENS,
                "type_vocab_size": 2,
                "initializer_range": 0.05,
                "pad_token_id": byte_pairs.PAD,
                "hidden_dropout_prob": 0.1,
                "attention_probs_dropout_prob": 0.1,
                **labels(CLASSES),
            },
            recipe=Recipe(
                steps=1000,
                batch=32,
                learning_rate=1e-3,
                warmup_steps=100,
                weight_decay=0.05,
                augment=with_gaps,
            ),
        ),
    ),
    Task(
        name="python-text",
        summary="the next token of Python's language manual and docstrings",
        source="pydoc_data.topics and docstrings of the standard library of the Python that runs",
        family="gpt2",
        head="lm",
        metrics=("bits_per_character", "perplexity"),
        load=runs,
        score=language_modelling,
        reference=Reference(
            config={
                "model_type": "gpt2",
                "vocab_size": RUN_VOCABULARY,
                "n_positions": RUN_TOKENS,
                "n_embd": 96,
                "n_layer": 4,
                "n_head": 4,
                "resid_pdrop": 0.0,
                "embd_pdrop": 0.0,
                "attn_pdrop": 0.0,
                "bos_token_id": byte_pairs.END,
                "eos_token_id": byte_pairs.END,
            },
            recipe=RUNS_RECIPE,
        ),
    ),
    Task(
        name="python-text-llama",
        summary="the same next token, by a small Llama: rotary positions, two heads to each of keys and values",
        source="as python-text",
        family="llama",
        head="lm",
        metrics=("bits_per_character", "perplexity"),
        load=runs,
        score=language_modelling,
        reference=Reference(
            config={
                "model_type": "llama",
                "vocab_size": RUN_VOCABULARY,
                "max_position_embeddings": RUN_TOKENS,
                "hidden_size": 96,
                "intermediate_size": 256,  # of three matrices: about the parameters of GPT-2's two of 384
                "num_hidden_layers": 4,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "tie_word_embeddings": True,
                "bos_token_id": byte_pairs.END,
                "eos_token_id": byte_pairs.END,
            },
            recipe=RUNS_RECIPE,
        ),
    ),
)
