"""Finished trainings: a Hugging Face folder that appears whole, and says what it is and whether it is as written.

No torch here: what was trained before is found without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prism_sim import plugins
from prism_sim.kept.files import digest
from prism_sim.tasks.base import Recipe, Task

SCHEMA = "prism-sim/training/1"
RECORD = "training.json"
LIBRARIES = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
# our own source that the weights come from, beside the task's configuration, recipe and data
DETERMINING = (
    "training/loop.py",
    "training/references.py",
    "tasks/augmentation.py",
    "tasks/examples.py",
    "numeric/loading.py",
    "numeric/threads.py",
)


class TrainingError(ValueError):
    """Says what is wrong with a training, its saved state or its checkpoint, and what would do."""


@dataclass(frozen=True, slots=True)
class CheckpointIdentity:
    """All that determines the weights of a training; equal for equal trainings."""

    task: str
    seed: int
    config: Mapping[str, Any]
    recipe: Mapping[str, Any]
    data_digest: str
    source_digest: str
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, Any]:
        """What a record says of it, at its end."""
        return {
            "identity": self.digest,
            "data_digest": self.data_digest,
            "recipe": self.recipe,
            "versions": {"python": platform.python_version(), **self.versions},
        }


def identity(task: Task, recipe: Recipe, seed: int, data_digest: str) -> CheckpointIdentity:
    """Of a training of the task's reference model."""
    assert task.reference is not None
    root = Path(__file__).parent.parent
    described = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    described["augment"] = recipe.augment and recipe.augment.__qualname__
    return CheckpointIdentity(
        task=task.name,
        seed=seed,
        config=dict(task.reference.config),
        recipe=described,
        data_digest=data_digest,
        source_digest=digest(root / name for name in DETERMINING)
        + plugins.digest(("tasks", "families"), {task.name, task.family}),
        versions={name: version(name) for name in LIBRARIES},
    )


def finished(folder: Path, wanted: CheckpointIdentity) -> Mapping[str, Any] | None:
    """What the folder says of the training that made it; None if there is no folder, or an empty one.

    Raises TrainingError if it holds anything else, or not what was written there.
    """
    if _is_free(folder):
        return None
    record = read_record(folder)
    if record["identity"] != wanted.digest:
        remedy = "give --again to train anew in its place, or name another folder"
        raise TrainingError(f"{folder} holds another training of {record['task']}, seed {record['seed']}; {remedy}")
    for name, expected in record["files"].items():
        path = folder / name
        if not path.is_file() or digest([path]) != expected:
            wrong = "is not as it was written" if path.is_file() else "is missing"
            raise TrainingError(f"the checkpoint {folder} is damaged: {name} {wrong}; train it anew with --again")
    return record


def check_replaceable(folder: Path) -> None:
    """Raises TrainingError if the folder holds anything but a training, whatever its state."""
    if not _is_free(folder) and not (folder / RECORD).is_file():
        raise TrainingError(f"{folder} is no checkpoint of a training (no {RECORD}); name another folder")


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def read_record(folder: Path) -> dict[str, Any]:
    """The folder's training.json. Raises TrainingError if it has none, or none that can be read."""
    check_replaceable(folder)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except ValueError as error:
        raise TrainingError(f"{folder / RECORD} is damaged: {error}; remove the folder {folder}") from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise TrainingError(f"{folder / RECORD} is not of the kind {SCHEMA}; name another folder")
    return record


def write(folder: Path, fill: Callable[[Path], None], record: Mapping[str, Any]) -> None:
    """Makes the folder, whole or not at all, in place of a training that is there. fill: writes its files.

    Raises OSError if it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder.parent, ignore_cleanup_errors=True) as beside:
        made, former = Path(beside) / "made", Path(beside) / "former"
        made.mkdir()
        fill(made)
        files = {path.name: digest([path]) for path in sorted(made.iterdir())}
        text = json.dumps({"schema": SCHEMA, **record, "files": files}, indent=2, allow_nan=False)
        (made / RECORD).write_text(text + "\n", encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            folder.rename(former)
        made.rename(folder)
