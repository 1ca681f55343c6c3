"""Handwritten digits as scikit-learn ships them: 1,797 pictures of 8 x 8 pixels, enlarged to 32 x 32, 65 tokens."""

from __future__ import annotations

from functools import cache

import numpy as np

from prism_sim.tasks.augmentation import redrawn
from prism_sim.tasks.base import Recipe, Reference, Splits, Task, labels
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.scoring import classification

DRAWN_SIDE, SIDE, PATCH = 8, 32, 4  # pixels: of the data set, of our pictures, of a token
WHITE = 16.0  # the data set's brightest value
CLASSES = tuple("0123456789")
VALIDATION = 10  # one of so many of the pictures of a class that are not for testing


@cache
def load() -> Splits:
    """Every second picture of a class is for testing, of the others every tenth for validation.

    The data set lists its writers one after another, so each of them is in all three.
    """
    from sklearn.datasets import load_digits

    found = load_digits()
    pictures = enlarged(found.images.astype(np.float32) / WHITE * 2 - 1)  # in -1..1, as ViT's image processor
    place = np.zeros(len(pictures), dtype=np.int64)  # of a picture among those of its class
    for digit in range(len(CLASSES)):
        (same,) = np.nonzero(found.target == digit)
        place[same] = np.arange(len(same))
    tested = place % 2 == 0
    validated = ~tested & (place // 2 % VALIDATION == 0)

    def chosen(which: Array) -> Examples:
        return Examples({"pixel_values": pictures[which, None]}, found.target[which].astype(np.int64))

    return Splits(chosen(~tested & ~validated), chosen(validated), chosen(tested), CLASSES)


def enlarged(pictures: Array) -> Array:
    """Bilinear: (pictures, 8, 8) -> (pictures, 32, 32), centres of pixels kept in place."""
    centres = np.clip((np.arange(SIDE) + 0.5) * DRAWN_SIDE / SIDE - 0.5, 0, DRAWN_SIDE - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(DRAWN_SIDE))).astype(pictures.dtype)  # (32, 8)
    found: Array = weights @ pictures @ weights.T
    return found


TASK = Task(
    name="digits",
    summary="which digit was written by hand; 1,797 pictures",
    source="Alpaydin and Kaynak (1998), Optical recognition of handwritten digits, UCI, as scikit-learn ships it",
    family="vit",
    head="image_classification",
    metrics=("accuracy",),
    load=load,
    score=classification,
    reference=Reference(
        config={
            "model_type": "vit",
            "image_size": SIDE,
            "patch_size": PATCH,
            "num_channels": 1,
            "hidden_size": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "intermediate_size": 256,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "initializer_range": 0.1,  # of so narrow a model; with the usual 0.02 it learns half as fast
            **labels(CLASSES),
        },
        recipe=Recipe(steps=1000, batch=64, learning_rate=2e-3, warmup_steps=100, weight_decay=0.05, augment=redrawn),
    ),
)
