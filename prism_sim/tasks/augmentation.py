"""Random changes of training batches that leave the labels true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prism_sim.tasks import byte_pairs
from prism_sim.tasks.examples import Array

LARGEST_SHIFT = 3.0  # pixels
LARGEST_SCALE = 1.2
LARGEST_TURN = np.radians(15)
LARGEST_SHEAR = 0.25
HIDDEN = 0.2  # of the tokens of a text


def redrawn(inputs: Mapping[str, Array], generator: np.random.Generator) -> dict[str, Array]:
    """Each picture of pixel_values (batch, channels, height, width) shifted, scaled, turned and sheared a little."""
    pixels = inputs["pixel_values"]
    batch, _, height, width = pixels.shape
    matrices, shifts = _drawn(batch, generator)
    middle = np.array([height - 1, width - 1]) / 2
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1) - middle  # (h, w, 2)
    seen = grid.reshape(-1, 2) @ matrices.swapaxes(1, 2) + (shifts + middle)[:, None]  # (batch, h * w, 2)
    return {**inputs, "pixel_values": bilinear(pixels, seen.reshape(batch, height, width, 2))}


def bilinear(pixels: Array, seen: Array) -> Array:
    """The values of pixels (batch, channels, height, width) at the places `seen` (batch, rows, columns, 2).

    Places are counted in pixels from the upper left one's centre; beyond the edge, the edge's values go on.
    """
    last = np.array(pixels.shape[2:]) - 1
    inside = np.clip(seen, 0, last)
    low = np.minimum(inside.astype(np.int64), last - 1)
    down, right = np.moveaxis((inside - low).astype(pixels.dtype)[:, None], -1, 0)  # (batch, 1, rows, columns)
    row, column = np.moveaxis(low, -1, 0)
    samples = np.arange(len(pixels))[:, None, None]

    def at(below: int, beside: int) -> Array:
        found: Array = np.moveaxis(pixels[samples, :, row + below, column + beside], -1, 1)
        return found

    upper = at(0, 0) * (1 - right) + at(0, 1) * right
    lower = at(1, 0) * (1 - right) + at(1, 1) * right
    mixed: Array = upper * (1 - down) + lower * down
    return mixed


def _drawn(batch: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Matrices (batch, 2, 2) and shifts (batch, 2) from a new picture's places to the old one's."""
    scale = LARGEST_SCALE ** generator.uniform(-1, 1, batch)
    turn = generator.uniform(-LARGEST_TURN, LARGEST_TURN, batch)
    shear = generator.uniform(-LARGEST_SHEAR, LARGEST_SHEAR, batch)
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = np.stack([cosine, -sine, sine, cosine], -1).reshape(batch, 2, 2) * scale[:, None, None]
    sheared = np.stack([np.ones(batch), np.zeros(batch), shear, np.ones(batch)], -1).reshape(batch, 2, 2)
    shifts = generator.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, (batch, 2))
    return turned @ sheared, shifts


def with_gaps(inputs: Mapping[str, Array], generator: np.random.Generator) -> dict[str, Array]:
    """A part of the tokens of input_ids (batch, tokens) hidden by [MASK]; special tokens stay."""
    ids = inputs["input_ids"]
    hidden = (generator.random(ids.shape) < HIDDEN) & (ids >= len(byte_pairs.BERT_SPECIAL))
    return {**inputs, "input_ids": np.where(hidden, byte_pairs.MASK, ids)}
