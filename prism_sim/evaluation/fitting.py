"""Whether a model can answer a task's examples, said before an index is out of range or figures are nonsense."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prism_sim import families
from prism_sim.families.configuration import n_labels
from prism_sim.tasks import Splits, Task
from prism_sim.tasks.examples import Examples


def check(task: Task, splits: Splits, config: Mapping[str, Any], folder: Path | None = None) -> None:
    """Raises ValueError for a model of another family, of other classes, picture or vocabulary than the examples.

    config: as in the model's config.json. folder: where its tokenizer is, if it has one.
    """
    kind = config.get("model_type")
    if kind != task.family:
        raise ValueError(f"the model is a {kind}, but the task {task.name} is for a {task.family}")
    sizes = families.find(task.family).dimensions(config)
    if splits.classes and n_labels(config) != len(splits.classes):
        raise ValueError(
            f"the model tells {n_labels(config)} classes apart, but the task {task.name} has {len(splits.classes)}; "
            f"give a checkpoint that was trained for it"
        )
    examples = next(part for part in (splits.train, splits.validation, splits.test) if len(part))
    if "pixel_values" in examples.inputs:
        _check_pictures(task, examples, config)
    elif (n_tokens := examples.pad_to) is not None and n_tokens > sizes.max_tokens:
        raise ValueError(
            f"examples of {task.name} have up to {n_tokens} tokens, but the model has {sizes.max_tokens} positions"
        )
    _check_tokenizer(task, splits, folder)


def check_tokens(ids: Any, vocabulary: int) -> None:
    """Raises ValueError for a token that the model does not know. ids: (batch, tokens)."""
    if int(ids.max()) >= vocabulary:
        raise ValueError(
            f"the examples hold token {int(ids.max())}, but the model knows only 0 to {vocabulary - 1}; "
            f"give a checkpoint that was trained with their tokenizer"
        )


def _check_pictures(task: Task, examples: Examples, config: Mapping[str, Any]) -> None:
    side = config.get("image_size", 224)  # Hugging Face's default
    sides = tuple(side) if isinstance(side, (list, tuple)) else (side, side)
    wanted = (config.get("num_channels", 3), *sides)
    found = tuple(examples.inputs["pixel_values"][0].shape)
    if found != wanted:
        has, reads = (" x ".join(map(str, shape)) for shape in (found, wanted))
        raise ValueError(f"pictures of {task.name} have {has} values, but the model reads {reads}")


def _check_tokenizer(task: Task, splits: Splits, folder: Path | None) -> None:
    """Tokens of one tokenizer are noise to a model that was trained with another."""
    file = None if folder is None else folder / "tokenizer.json"
    if splits.tokenizer is None or file is None or not file.is_file():
        return
    if json.loads(file.read_text(encoding="utf-8")).get("model") != json.loads(splits.tokenizer).get("model"):
        raise ValueError(f"{file} is not the tokenizer that made the tokens of {task.name}; give another checkpoint")
