"""Tiny models with random weights and tasks made up for them: pictures, sentences of any length, and a language."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from prism_sim.numeric.loading import ModelSource, load
from prism_sim.tasks import Task
from prism_sim.tasks.base import Recipe, Reference, Splits
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.scoring import classification, language_modelling

CONFIGS: dict[str, dict[str, Any]] = {
    "vit": {
        "model_type": "vit", "image_size": 12, "patch_size": 4, "num_channels": 1, "hidden_size": 16,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "num_labels": 3,
        "initializer_range": 0.3,
    },
    "bert": {
        "model_type": "bert", "vocab_size": 40, "max_position_embeddings": 16, "hidden_size": 16,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "num_labels": 3,
        "initializer_range": 0.3,
    },
    "gpt2": {
        "model_type": "gpt2", "vocab_size": 40, "n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2,
        "initializer_range": 0.3,
    },
}  # fmt: skip
HEADS = {"vit": "image_classification", "bert": "sequence_classification", "gpt2": "lm"}


def model(family: str, dtype: str = "float64") -> nn.Module:
    return load(ModelSource(CONFIGS[family], None, HEADS[family], dtype, 0)).eval()


def examples(family: str, n: int = 13) -> Examples:
    """Pictures all of one size; sentences of 1 to 16 tokens; sequences of 16."""
    draw = np.random.default_rng(5)
    labels = draw.integers(0, 3, n)
    if family == "vit":
        return Examples({"pixel_values": draw.normal(size=(n, 1, 12, 12)).astype(np.float32)}, labels)
    if family == "bert":
        sentences = tuple(draw.integers(1, 40, 1 + int(length)) for length in draw.integers(0, 16, n))
        return Examples({"input_ids": sentences}, labels, pad_to=16)
    ids = draw.integers(0, 40, (n, 16))
    return Examples({"input_ids": ids}, ids)


def task(family: str, n: int = 13) -> Task:
    """Its three splits are the same examples, which no task of the catalogue would do."""
    one = examples(family, n)
    lm = family == "gpt2"
    return Task(
        name=f"toy-{family}",
        summary="made up",
        source="made up",
        family=family,
        head=HEADS[family],
        metrics=("perplexity",) if lm else ("accuracy",),
        load=lambda: Splits(one, one, one, () if lm else ("a", "b", "c")),
        score=language_modelling if lm else classification,
        reference=Reference(CONFIGS[family], Recipe(20, 4, 1e-3, 2, 0.0)),
    )


def nll(outcomes: Any) -> np.ndarray:
    return np.asarray(outcomes["nll"])
