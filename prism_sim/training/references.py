"""The reference model of a task: found, or trained, measured and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prism_sim.kept.cache import cache_folder
from prism_sim.progress import SILENT, Progress
from prism_sim.tasks.base import Recipe, Splits, Task
from prism_sim.training import checkpoint
from prism_sim.training.checkpoint import CheckpointIdentity, TrainingError, identity

if TYPE_CHECKING:
    from torch import nn

    from prism_sim.training.loop import Watch
    from prism_sim.training.state import TrainingPoint

STATE = ".unfinished.safetensors"  # what a training's folder is called while it is none, beside it
SPECIAL_TOKENS = {
    "unk_token": "[UNK]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
    "eos_token": "<|endoftext|>",
}  # Hugging Face's names of what a tokenizer may have
HASH_DIGITS = 12  # of the identity, in the names of folders in the cache


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What is asked for. steps: None: as many as the task's recipe has. folder: None: one in the user's cache.

    again: train also if it was done before.
    """

    task: Task
    seed: int = 0
    steps: int | None = None
    folder: Path | None = None
    again: bool = False

    @property
    def recipe(self) -> Recipe:
        """Raises TrainingError for a task that has no reference model."""
        if self.task.reference is None:
            raise TrainingError(f"{self.task.name} has no small model of its own; give a model that was trained on it")
        recipe = self.task.reference.recipe
        if self.steps is None:
            return recipe
        return replace(recipe, steps=self.steps, warmup_steps=min(recipe.warmup_steps, self.steps // 2))


@dataclass(frozen=True, slots=True)
class Obtained:
    """record: what training.json says. new: it was trained now."""

    folder: Path
    record: Mapping[str, Any]
    new: bool


def obtain(order: TrainingRequest, progress: Progress = SILENT) -> Obtained:
    """The trained model's folder; see `reference`. progress: told before a training, and of every step."""
    recipe, splits = order.recipe, order.task.load()
    wanted = identity(order.task, recipe, order.seed, splits.digest())
    folder = (
        order.folder or cache_folder("references") / f"{order.task.name}-{order.seed}-{wanted.digest[:HASH_DIGITS]}"
    )
    state = folder.with_name(folder.name + STATE)
    if order.again:
        checkpoint.check_replaceable(folder)
        state.unlink(missing_ok=True)
    elif (record := checkpoint.finished(folder, wanted)) is not None:
        return Obtained(folder, record, new=False)
    progress.line(f"{'going on with' if state.exists() else 'training'} the small model for {order.task.name}, once")
    record = _trained(order, splits, wanted, folder, progress)
    state.unlink(missing_ok=True)
    return Obtained(folder, record, new=True)


def _trained(
    order: TrainingRequest, splits: Splits, wanted: CheckpointIdentity, folder: Path, progress: Progress
) -> Mapping[str, Any]:
    """Trains, measures and writes. Imports torch."""
    from prism_sim.evaluation import evaluate
    from prism_sim.training.loop import Training, train
    from prism_sim.training.state import Keep

    task, recipe = order.task, order.recipe
    model = fresh_model(task, order.seed)

    def validate(now: nn.Module) -> float:
        return evaluate(now, task, splits.validation).values[task.metrics[0]]

    keep = Keep(folder.with_name(folder.name + STATE), wanted.digest)
    training = Training(splits.train, recipe, order.seed, validate=validate)
    history = train(model, training, keep, steps_of(f"training {task.name}, seed {order.seed}", task, progress))
    record = {
        "task": task.name,
        "seed": order.seed,
        "steps": recipe.steps,
        "examples": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        "validation": dict(evaluate(model, task, splits.validation).values),
        "test": dict(evaluate(model, task, splits.test).values),
        "history": [asdict(point) for point in history],
        **wanted.described(),
    }
    checkpoint.write(folder, lambda place: save_model(model, splits.tokenizer, place), record)
    return record


def fresh_model(task: Task, seed: int) -> nn.Module:
    """The task's reference model with random weights. Imports torch."""
    from prism_sim.numeric.loading import ModelSource, load

    assert task.reference is not None
    return load(ModelSource(task.reference.config, None, task.head, "float32", seed))


def save_model(model: Any, tokenizer: str | None, folder: Path) -> None:
    """As Hugging Face keeps it: config.json, model.safetensors and, for text, its tokenizer. Imports torch."""
    import transformers
    from tokenizers import Tokenizer

    from prism_sim.numeric.loading import quiet

    with quiet():
        model.save_pretrained(folder)
        if tokenizer is not None:
            made = Tokenizer.from_str(tokenizer)
            known = {name: token for name, token in SPECIAL_TOKENS.items() if made.token_to_id(token) is not None}
            kind: Any = transformers.PreTrainedTokenizerFast
            kind(tokenizer_object=made, **known).save_pretrained(folder)


def steps_of(what: str, task: Task, progress: Progress) -> Watch:
    """Shows a training's steps, its mean loss of late, and the main metric on validation examples."""
    metric = task.metrics[0].replace("_", " ")

    def watch(done: int, steps: int, point: TrainingPoint) -> None:
        validated = "" if point.validation is None else f", {metric} {point.validation:.4g}"
        progress.watch(what, done, steps, f"loss {point.loss:.3f}{validated}")

    return watch
