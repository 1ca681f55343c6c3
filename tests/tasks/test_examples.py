"""Examples and their batches; scores of each example against PyTorch's own loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from prism_sim.tasks.examples import IGNORED_LABEL, Batch, Examples
from prism_sim.tasks.scoring import classification, joined, language_modelling

TEXTS = [np.array(row) for row in ([5, 6, 7], [8], [9, 10])]


def texts(pad_to: int = 4) -> Examples:
    return Examples({"input_ids": TEXTS}, np.array([0, 1, 1]), pad_to=pad_to, pad_id=2)


def test_sequences_are_filled_up_to_one_length_and_masked_there():
    (batch,) = texts().batches(3)
    assert batch.inputs["input_ids"].tolist() == [[5, 6, 7, 2], [8, 2, 2, 2], [9, 10, 2, 2]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]]


def test_an_example_looks_alike_in_whatever_batch_it_is():
    together, alone = texts().batch([0, 1, 2]), texts().batch([1])
    for name in together.inputs:
        assert (together.inputs[name][1] == alone.inputs[name][0]).all()


def test_labels_of_tokens_are_filled_up_with_what_the_loss_ignores():
    examples = Examples({"input_ids": TEXTS}, TEXTS, pad_to=4)
    assert examples.batch([1]).labels.tolist() == [[8, *[IGNORED_LABEL] * 3]]


def test_batches_hold_every_example_once_in_the_order_asked_for():
    sizes = [len(batch) for batch in texts().batches(2)]
    found = [batch.labels.tolist() for batch in texts().batches(2, order=[2, 0, 1])]
    assert sizes == [2, 1]
    assert found == [[1, 0], [1]]


def test_taken_examples_are_those_asked_for_with_all_their_columns():
    examples = Examples({"x": np.arange(6).reshape(3, 2)}, np.array([0, 1, 0]), {"characters": np.array([7, 8, 9])})
    batch = examples.take([2, 0]).batch([0, 1])
    assert batch.inputs["x"].tolist() == [[4, 5], [0, 1]]
    assert batch.measures["characters"].tolist() == [9, 7]


def test_a_digest_tells_different_examples_apart_and_equal_ones_not():
    same, longer = texts(), texts(pad_to=5)
    changed = Examples({"input_ids": [TEXTS[0], TEXTS[2], TEXTS[1]]}, np.array([0, 1, 1]), pad_to=4, pad_id=2)
    assert texts().digest() == same.digest()
    assert len({one.digest() for one in (same, longer, changed)}) == 3


def test_columns_of_different_lengths_are_refused_by_name():
    with pytest.raises(ValueError, match="'input_ids' has 3 entries, but there are 2 labels"):
        Examples({"input_ids": TEXTS}, np.array([0, 1]))


def test_a_sequence_that_is_too_long_is_told_not_cut():
    with pytest.raises(ValueError, match="an example of 3 tokens does not fit into 2"):
        texts(pad_to=2).batch([0])


def test_nll_of_a_class_is_the_cross_entropy():
    logits = np.random.default_rng(0).normal(size=(4, 3)) * 50
    labels = np.array([0, 2, 1, 1])
    found = classification(logits, Batch({}, labels, {}))
    wanted = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), reduction="none")
    assert np.allclose(found["nll"], wanted.numpy(), rtol=1e-12)
    assert (found["prediction"] == logits.argmax(1)).all()


def test_a_language_models_nll_is_hugging_faces_loss_times_the_tokens_that_are_predicted():
    generator = np.random.default_rng(0)
    logits, ids = generator.normal(size=(2, 5, 7)), generator.integers(7, size=(2, 5))
    ids[1, 3:] = IGNORED_LABEL
    found = language_modelling(logits, Batch({}, ids, {"characters": np.array([9, 4])}))
    wanted = F.cross_entropy(
        torch.from_numpy(logits[:, :-1]).flatten(0, 1), torch.from_numpy(ids[:, 1:]).flatten(), reduction="sum"
    )
    assert found["tokens"].tolist() == [4, 2]
    assert found["nll"].sum() == pytest.approx(float(wanted), rel=1e-12)
    assert found["characters"].tolist() == [9, 4]


def test_outcomes_of_batches_are_those_of_all_examples():
    logits = np.random.default_rng(0).normal(size=(3, 4))
    whole = classification(logits, Batch({}, np.array([0, 1, 2]), {}))
    parts = [classification(logits[at], Batch({}, np.array([0, 1, 2])[at], {})) for at in (slice(0, 2), slice(2, 3))]
    for name, values in joined(parts).items():
        assert (values == whole[name]).all()
