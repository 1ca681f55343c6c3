"""What a model answers to examples, one outcome each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from prism_sim.numeric.threads import fixed_threads
from prism_sim.tasks import Task, metrics
from prism_sim.tasks.examples import Array, Examples
from prism_sim.tasks.scoring import joined
from prism_sim.training.loop import tensors

Answer: TypeAlias = Callable[[nn.Module, Mapping[str, Tensor]], Tensor]


def own_logits(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """Logits of the model's own forward pass."""
    logits: Tensor = model(**inputs).logits
    return logits


@torch.no_grad()
def outcomes(
    model: nn.Module, task: Task, examples: Examples, batch: int = 64, answer: Answer = own_logits
) -> dict[str, Array]:
    """Outcomes of all examples, in their order. answer: logits of a batch's inputs, without labels."""
    parts = []
    with fixed_threads():
        for one in examples.batches(batch):
            inputs = {name: values for name, values in tensors(one).items() if name != "labels"}
            parts.append(task.score(answer(model, inputs).numpy(), one))
    return joined(parts)


def measured(task: Task, found: Mapping[str, Any]) -> dict[str, float]:
    """All metrics of the task, the main one first."""
    return {name: metrics.find(name).compute(found) for name in task.metrics}
