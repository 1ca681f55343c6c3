"""A task that a model learns in a second: which half of a picture is bright."""

from __future__ import annotations

from functools import cache

import numpy as np

from prism_sim.tasks.base import Recipe, Reference, Splits, Task, labels
from prism_sim.tasks.examples import Examples
from prism_sim.tasks.scoring import classification

CLASSES = ("left", "right")
STEPS = 24


def pictures(n: int, seed: int) -> Examples:
    """(n, 1, 8, 8): noise, with one half brighter."""
    generator = np.random.default_rng(seed)
    bright = generator.integers(2, size=n)
    drawn = generator.normal(size=(n, 1, 8, 8)).astype(np.float32)
    for picture, side in zip(drawn, bright, strict=True):
        picture[:, :, side * 4 : side * 4 + 4] += 2
    return Examples({"pixel_values": drawn}, bright.astype(np.int64))


@cache
def load() -> Splits:
    return Splits(pictures(60, 0), pictures(20, 1), pictures(40, 2), CLASSES)


HALVES = Task(
    name="halves",
    summary="which half of a picture is bright",
    source="made up",
    family="vit",
    head="image_classification",
    metrics=("accuracy",),
    load=load,
    score=classification,
    reference=Reference(
        config={
            "model_type": "vit",
            "image_size": 8,
            "patch_size": 4,
            "num_channels": 1,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "hidden_dropout_prob": 0.1,  # what is drawn in the model must go on as it was, too
            **labels(CLASSES),
        },
        recipe=Recipe(steps=STEPS, batch=16, learning_rate=1e-2, warmup_steps=4, weight_decay=0.1),
    ),
)
