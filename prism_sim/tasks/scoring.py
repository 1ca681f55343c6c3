"""From logits to what a metric needs of each example, so that intervals and paired comparisons can be taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from prism_sim.tasks.examples import IGNORED_LABEL, Array, Batch

Outcomes: TypeAlias = Mapping[str, Array]
"""Arrays (examples,) by name; entry i of each is about example i. A metric is a function of them."""


def classification(logits: Array, batch: Batch) -> dict[str, Array]:
    """From logits (batch, classes): prediction, target and nll (nats) of each example."""
    nll = _nll(logits, batch.labels)
    return {"prediction": logits.argmax(-1), "target": batch.labels, "nll": nll}


def language_modelling(logits: Array, batch: Batch) -> dict[str, Array]:
    """From logits (batch, tokens, vocabulary): summed nll (nats) and number of predicted tokens of each example.

    Token t is predicted from those before it; the first of an example, and ignored labels, are not counted. Measures
    of the batch (characters behind the predicted tokens) go along.
    """
    targets = batch.labels[:, 1:]
    counted = targets != IGNORED_LABEL
    nll = _nll(logits[:, :-1], np.where(counted, targets, 0))
    return {"nll": (nll * counted).sum(-1), "tokens": counted.sum(-1), **batch.measures}


def regression(logits: Array, batch: Batch) -> dict[str, Array]:
    """From logits (batch, 1): prediction and target, both scores, of each example."""
    return {"prediction": logits[:, 0].astype(np.float64), "target": batch.labels}


def cloze(logits: Array, batch: Batch) -> dict[str, Array]:
    """From logits (sequences, tokens, vocabulary): of each question the chosen candidate and the right one.

    Each question's candidates are that many sequences, one after another. The candidate is chosen whose sentence, all
    tokens from place `begins` on, is the most likely given what comes before (Radford et al., 2019, section 3.2).
    """
    ids, lengths = batch.inputs["input_ids"], batch.inputs["attention_mask"].sum(-1)
    ends = np.cumsum(batch.measures["candidates"])
    chosen = []
    for begin, end, first in zip(ends - batch.measures["candidates"], ends, batch.measures["begins"], strict=True):
        nll = [_nll(logits[at, first - 1 : lengths[at] - 1], ids[at, first : lengths[at]]) for at in range(begin, end)]
        chosen.append(int(np.argmin([tokens.sum() for tokens in nll])))
    return {"prediction": np.array(chosen, dtype=np.int64), "target": batch.labels}


def joined(parts: Iterable[Outcomes]) -> dict[str, Array]:
    """The outcomes of batches, one after another."""
    found = list(parts)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _nll(logits: Array, targets: Array) -> Array:
    """-log softmax(logits)[target] in float64, over the last axis. logits (..., classes), targets (...)."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(-1, keepdims=True)
    chosen = np.take_along_axis(shifted, targets[..., None].astype(np.int64), -1)[..., 0]
    found: Array = np.log(np.exp(shifted).sum(-1)) - chosen
    return found
