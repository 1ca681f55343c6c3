"""Which chapter of Python's library manual a passage is about: docstrings of the standard library, held out whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from prism_sim.tasks import byte_pairs, python_docs
from prism_sim.tasks.augmentation import with_gaps
from prism_sim.tasks.base import Recipe, Reference, Splits, Task, labels
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.scoring import classification

CLASSES = tuple(python_docs.CHAPTERS)
SHARES = {"train": 0.6, "validation": 0.1, "test": 0.3}
WORDS, FEWEST_WORDS = 70, 30  # of a passage
TOKENS, VOCABULARY = 128, 2048


@cache
def load() -> Splits:
    """Passages of up to 70 words. A definition with all that is in it goes to one part; no docstring is in two."""
    parts = {
        name: python_docs.passages(part, WORDS, FEWEST_WORDS)
        for name, part in python_docs.split(python_docs.documents(), SHARES).items()
    }
    tokenizer = byte_pairs.classifying([text for text, _ in parts["train"]], VOCABULARY, TOKENS)

    def examples(passages: Sequence[tuple[str, str]]) -> Examples:
        rows = [np.array(one.ids, dtype=np.int64) for one in tokenizer.encode_batch([text for text, _ in passages])]
        classes = np.array([CLASSES.index(chapter) for _, chapter in passages], dtype=np.int64)
        return Examples({"input_ids": rows}, classes, pad_to=TOKENS, pad_id=byte_pairs.PAD)

    made = {name: examples(passages) for name, passages in parts.items()}
    return Splits(made["train"], made["validation"], made["test"], CLASSES, tokenizer.to_str())


TASK = Task(
    name="python-manual",
    summary=f"which of {len(CLASSES)} chapters of Python's library manual a passage of docstrings belongs to",
    source="docstrings of the standard library of the Python that runs",
    family="bert",
    head="sequence_classification",
    metrics=("accuracy",),
    load=load,
    score=classification,
    reference=Reference(
        config={
            "model_type": "bert",
            "vocab_size": VOCABULARY,
            "hidden_size": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "intermediate_size": 256,
            "max_position_embeddings": TOKENS,
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
)
