"""A data set's labels in the order of a model's outputs: checkpoints number classes as they like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prism_sim.tasks.base import DataError
from prism_sim.tasks.examples import Array

UNNAMED = re.compile(r"(label|class)?[ _-]?\d+", re.IGNORECASE)  # what transformers calls a class without a name


@dataclass(frozen=True, slots=True)
class LabelOrder:
    """index: the model's output for each of the data's classes. classes: names in the model's order.

    notes: why it is the data's own order, where names did not decide.
    """

    index: tuple[int, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def mapped(self, labels: Array) -> Array:
        """Classes as the data numbers them -> as the model does."""
        return np.asarray(self.index, dtype=np.int64)[labels]


def order(classes: Sequence[str], config: Mapping[str, Any], task: str) -> LabelOrder:
    """Matches names where the model has real ones, whatever their case and punctuation.

    Without names, or where none matches, classes keep the data's order, and a note says so. Raises DataError where the
    numbers of classes differ, or where only some names match and those are in another order.
    """
    same = LabelOrder(tuple(range(len(classes))), tuple(classes))
    names, n_outputs = _names(config)
    if n_outputs is not None and n_outputs != len(classes):
        wrong = f"the model tells {n_outputs} classes apart, but {task} has {len(classes)}"
        raise DataError(f"{wrong} ({_listed(classes)}); give a model that was fine-tuned on it")
    if names is None:
        note = f"the model does not name its classes: they are taken in the order of {task}: {_listed(classes)}"
        return same if n_outputs is None else LabelOrder(same.index, same.classes, (note,))
    ours, theirs = [_plain(name) for name in classes], [_plain(name) for name in names]
    if ours == theirs:
        return same
    if len(set(ours)) == len(ours) and set(ours) == set(theirs):
        return LabelOrder(tuple(theirs.index(name) for name in ours), tuple(names))
    displaced = [
        name for at, name in enumerate(ours) if name in theirs and theirs[at] != name and ours.count(name) == 1
    ]
    differ = f"the model's classes ({_listed(names)}) cannot be matched to those of {task} ({_listed(classes)})"
    if displaced:
        raise DataError(f"{differ}: {displaced[0]!r} stands elsewhere; correct id2label in the model's config.json")
    return LabelOrder(same.index, same.classes, (f"{differ}: they are taken in the same order",))


def _names(config: Mapping[str, Any]) -> tuple[list[str] | None, int | None]:
    """Names of a model's outputs by index, None where it has none; and how many outputs, None where it is not said."""
    if (labels := config.get("id2label")) is not None:
        by_index = {int(index): str(name) for index, name in labels.items()}
        if sorted(by_index) != list(range(len(by_index))):
            raise DataError(f"id2label of the model numbers {sorted(by_index)[:5]}..., but must number from 0 on")
        names = [by_index[index] for index in range(len(by_index))]
        return (None if all(UNNAMED.fullmatch(name) for name in names) else names), len(names)
    n_labels = config.get("num_labels")
    return None, None if n_labels is None else int(n_labels)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
