"""How far a training is: saved whole or not at all, in safetensors; a damaged state is told and never used."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from prism_sim.kept.files import write_whole
from prism_sim.training.checkpoint import TrainingError

SCHEMA = "prism-sim/training-state/1"
WEIGHT = "weight"  # beside the names that the optimiser gives to what it keeps of a parameter


@dataclass(slots=True)
class Keep:
    """Where a training's state is saved, and how often. identity: names all that determines the training."""

    path: Path
    identity: str
    every_s: float = 10.0
    saved_at_s: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        return time.monotonic() - self.saved_at_s >= self.every_s


@dataclass(frozen=True, slots=True)
class TrainingPoint:
    """How a training stands after `step` steps. loss: mean since the point before. validation: None if not measured."""

    step: int
    loss: float
    validation: float | None


@dataclass(slots=True)
class State:
    """Steps done, how they went, and the sum of the losses since the last check."""

    step: int = 0
    history: tuple[TrainingPoint, ...] = ()
    loss_sum: float = 0.0

    @property
    def now(self) -> TrainingPoint:
        """The mean loss since the last check, and that check's validation."""
        last = self.history[-1] if self.history else None
        since = self.step - (last.step if last else 0)
        if last is not None and since == 0:
            return last
        return TrainingPoint(self.step, self.loss_sum / max(1, since), last.validation if last else None)

    def add(self, loss: float) -> None:
        self.step += 1
        self.loss_sum += loss

    def check(self, validation: float | None) -> None:
        """Ends a stretch of the history here."""
        self.history += (TrainingPoint(self.step, self.now.loss, validation),)
        self.loss_sum = 0.0

    def save(self, keep: Keep, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Raises OSError if it cannot be written."""
        kept = {name: tensor.detach().contiguous() for name, tensor in _tensors(model, optimizer).items()}
        described = {
            "schema": SCHEMA,
            "identity": keep.identity,
            "sha256": _digest(kept),
            "state": json.dumps(asdict(self)),
        }
        write_whole(keep.path, lambda path: save_file(kept, path, described))
        keep.saved_at_s = time.monotonic()

    @classmethod
    def restored(cls, keep: Keep | None, model: nn.Module, optimizer: torch.optim.Optimizer) -> State:
        """Puts what was saved into model and optimiser; a fresh state where nothing was.

        Raises TrainingError if the file is damaged, or was saved by another training.
        """
        if keep is None or not keep.path.exists():
            return cls()
        described, kept = _read(keep.path)
        if described.get("identity") != keep.identity:
            raise TrainingError(f"{keep.path} is the state of another training; remove it, or choose another folder")
        _put(kept, model, optimizer)
        found = json.loads(described["state"])
        return cls(found["step"], tuple(TrainingPoint(**point) for point in found["history"]), found["loss_sum"])


def _tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Parameters, and what the optimiser keeps of each, by `kind:name`."""
    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        found[f"{WEIGHT}:{name}"] = parameter
        found |= {f"{kind}:{name}": value for kind, value in optimizer.state[parameter].items()}
    return found


def _put(kept: Mapping[str, Tensor], model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for key, tensor in kept.items():
            kind, name = key.split(":", 1)
            if kind == WEIGHT:
                parameters[name].copy_(tensor)
            else:
                optimizer.state[parameters[name]][kind] = tensor


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What the file says of itself, and its tensors. Raises TrainingError unless they are as they were written."""
    try:
        with safe_open(path, framework="pt") as file:
            described = file.metadata() or {}
            kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise _damaged(path, str(error)) from None
    if described.get("schema") != SCHEMA or described.get("sha256") != _digest(kept):
        raise _damaged(path, "it does not hold what was written")
    return described, kept


def _damaged(path: Path, reason: str) -> TrainingError:
    return TrainingError(f"the saved state of a training, {path}, is damaged: {reason}; remove it, or give --again")


def _digest(kept: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256()
    for name in sorted(kept):
        total.update(f"{name} {tuple(kept[name].shape)}".encode())
        total.update(kept[name].numpy().tobytes())
    return total.hexdigest()
