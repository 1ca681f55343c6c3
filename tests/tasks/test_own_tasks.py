"""Laws of the tasks that bring their data and a small model along."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from tokenizers import Tokenizer

from prism_sim import families, tasks
from prism_sim.tasks import metrics, python_docs
from prism_sim.tasks.augmentation import LARGEST_SHIFT, bilinear, redrawn, with_gaps
from prism_sim.tasks.byte_pairs import BERT_SPECIAL, MASK
from prism_sim.tasks.digits import enlarged

OWN = [name for name, task in tasks.catalogue().items() if task.reference is not None]
CLASSIFYING = [name for name in OWN if "accuracy" in tasks.find(name).metrics]
DIGEST = "from prism_sim import tasks; print(*[tasks.find(name).load().digest() for name in {names}])"


def rows(examples) -> list[str]:
    """A digest of each example's input."""
    (name,) = examples.inputs
    column = examples.inputs[name]
    return [hashlib.sha256(np.ascontiguousarray(column[at]).tobytes()).hexdigest() for at in range(len(examples))]


def parts(name: str):
    splits = tasks.find(name).load()
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


@pytest.mark.parametrize("name", OWN)
def test_no_example_is_in_two_parts(name):
    found = {part: set(rows(examples)) for part, examples in parts(name).items()}
    assert all(found.values())
    assert not found["train"] & found["validation"]
    assert not found["train"] & found["test"]
    assert not found["validation"] & found["test"]


@pytest.mark.parametrize("name", CLASSIFYING)
def test_every_part_has_the_classes_in_the_same_proportions(name):
    task = tasks.find(name)
    classes = len(task.load().classes)
    shares = {
        part: np.bincount(np.asarray(examples.labels), minlength=classes) / len(examples)
        for part, examples in parts(name).items()
    }
    for part in ("train", "validation"):
        # a class is dealt by whole pictures or documents, so it may be off by one of them
        assert np.abs(shares[part] - shares["test"]).max() < 0.04, part
    assert shares["test"].max() < 2 * shares["test"].min()


@pytest.mark.parametrize("name", OWN)
def test_the_model_fits_the_examples(name):
    task = tasks.find(name)
    splits, config = task.load(), task.reference.config
    sizes = families.find(task.family).dimensions(config)
    batch = splits.test.batch([0, 1])
    main = batch.inputs[families.find(task.family).input_name]
    assert config["model_type"] == task.family
    assert sizes.n_blocks >= 4
    assert sizes.max_tokens >= 65  # enough for compression to matter
    assert task.head in [head.name for head in families.find(task.family).heads]
    assert len(splits.classes) == (sizes.n_labels if splits.classes else 0)
    if task.family != "vit":
        assert main.shape[1] == sizes.max_tokens
        for examples in parts(name).values():
            assert max(int(np.max(row)) for row in examples.inputs["input_ids"]) < sizes.vocabulary
        assert Tokenizer.from_str(splits.tokenizer).get_vocab_size() == sizes.vocabulary


@pytest.mark.parametrize("name", tasks.catalogue())
def test_metrics_are_of_the_catalogue(name):
    for metric in tasks.find(name).metrics:
        assert metrics.find(metric).name == metric


def test_half_of_the_digits_of_each_class_are_for_testing():
    splits = tasks.find("digits").load()
    tested = np.bincount(splits.test.labels)
    others = np.bincount(splits.train.labels) + np.bincount(splits.validation.labels)
    assert len(splits.test) + others.sum() == 1797
    assert set(tested - others) <= {0, 1}


@pytest.mark.slow
def test_examples_are_the_same_in_another_process():
    code = DIGEST.format(names=OWN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [tasks.find(name).load().digest() for name in OWN]


def test_no_docstring_and_no_definition_is_in_two_parts():
    dealt = python_docs.split(python_docs.documents(), {"train": 0.6, "validation": 0.1, "test": 0.3})
    names = [(one.place, one.name, one.text) for part in dealt.values() for one in part]
    assert len(names) == len(python_docs.documents()) == len(set(names))
    paragraphs = {name: {one.text for one in part} for name, part in dealt.items()}
    assert not paragraphs["train"] & paragraphs["test"]
    whole = sum(len(one.text) for part in dealt.values() for one in part)
    assert sum(len(one.text) for one in dealt["test"]) / whole == pytest.approx(0.3, abs=0.02)


def test_characters_of_a_text_are_those_of_its_predicted_tokens():
    splits = tasks.find("python-text").load()
    tokenizer = Tokenizer.from_str(splits.tokenizer)
    for row, characters in zip(splits.test.inputs["input_ids"], splits.test.measures["characters"], strict=True):
        text = tokenizer.decode(row[1:].tolist(), skip_special_tokens=True)
        assert abs(len(text) - characters) <= 2  # a character may be cut at either end


def test_enlarging_keeps_what_is_linear():
    slope = np.add.outer(np.arange(8.0), 2 * np.arange(8.0))[None]
    found = enlarged(slope)[0]
    inner = found[2:-2, 2:-2]  # beyond the outermost centres the edge's values go on
    assert np.allclose(np.diff(inner, axis=0), 1 / 4)
    assert np.allclose(np.diff(inner, axis=1), 2 / 4)


def test_a_picture_seen_at_its_own_places_is_itself_and_moved_ones_are_moved():
    pictures = np.random.default_rng(0).normal(size=(2, 1, 6, 7))
    places = np.stack(np.meshgrid(np.arange(6), np.arange(7), indexing="ij"), -1)[None].repeat(2, 0)
    assert (bilinear(pictures, places) == pictures).all()
    assert (bilinear(pictures, places + np.array([1, 2]))[:, :, :-1, :-2] == pictures[:, :, 1:, 2:]).all()
    assert np.allclose(
        bilinear(pictures, places + np.array([0.5, 0]))[:, :, :-1], (pictures[:, :, 1:] + pictures[:, :, :-1]) / 2
    )


def test_a_redrawn_picture_is_drawn_from_the_generator_alone_and_stays_near():
    pictures = np.zeros((20, 1, 32, 32), dtype=np.float32)
    pictures[:, :, 15:17, 15:17] = 1
    once, twice = (redrawn({"pixel_values": pictures}, np.random.default_rng(3))["pixel_values"] for _ in range(2))
    assert (once == twice).all()
    assert once.dtype == np.float32
    assert len(np.unique(once.reshape(20, -1), axis=0)) == 20
    middle = np.abs(np.argwhere(once[:, 0] > 0)[:, 1:] - 15.5).max()
    assert middle <= LARGEST_SHIFT * 1.5 + 2


def test_gaps_hide_words_never_special_tokens():
    ids = np.random.default_rng(0).integers(30, size=(50, 40))
    hidden = with_gaps({"input_ids": ids}, np.random.default_rng(1))["input_ids"]
    assert (hidden[ids < len(BERT_SPECIAL)] == ids[ids < len(BERT_SPECIAL)]).all()
    changed = hidden != ids
    assert (hidden[changed] == MASK).all()
    assert changed.mean() == pytest.approx(0.2, abs=0.04)
