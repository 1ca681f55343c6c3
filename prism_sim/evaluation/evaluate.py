"""A task's examples answered by a model as a strategy spreads it, in batches, on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from prism_sim.evaluation.fitting import check_tokens
from prism_sim.evaluation.spread import Spread, forward, job_of
from prism_sim.numeric.codebooks import Codebooks, fitted, needs_codebooks
from prism_sim.numeric.infer import describe, main_output
from prism_sim.numeric.threads import fixed_threads
from prism_sim.tasks import Task, metrics
from prism_sim.tasks.examples import Array, Batch, Examples
from prism_sim.tasks.scoring import joined

LARGEST_BATCH = 64  # examples
LARGEST_ACTIVATION = 2**25  # elements of the widest row of a batch, 128 MiB in float32
CALIBRATION = 128  # examples
MOST_WORKERS = 8  # each holds the activations of a batch

Watch: TypeAlias = Callable[[int, int], None]  # examples answered, of how many
Answer: TypeAlias = Callable[[nn.Module, Batch, Spread | None, Codebooks | None], Tensor]  # logits


@dataclass(frozen=True, slots=True)
class Evaluation:
    """values: of the task's metrics, the main one first. outcomes: arrays (examples,), see `tasks.scoring`."""

    values: Mapping[str, float]
    outcomes: Mapping[str, Array]

    @property
    def n(self) -> int:
        """How many examples were answered."""
        return len(next(iter(self.outcomes.values())))


def one_pass(model: nn.Module, batch: Batch, spread: Spread | None, codebooks: Codebooks | None) -> Tensor:
    """The logits of one forward pass over a batch's inputs."""
    found: Tensor = main_output(forward(model, tensors(model, batch.inputs), spread, codebooks))
    return found


def evaluate(
    model: nn.Module,
    task: Task,
    examples: Examples,
    spread: Spread | None = None,
    calibration: Examples | None = None,
    batch: int | None = None,
    workers: int | None = None,
    watch: Watch = lambda done, n: None,
    answer: Answer = one_pass,
) -> Evaluation:
    """Answers all examples without dropout, on the GPU if there is one; the model is left as and where it was.

    spread: None for the undistributed model. calibration: examples of another split, of which the first fit codebooks
    where the spread needs some; None: seeded noise fits them. batch: examples at a time; None: as many as memory
    easily holds. workers: batches under way at once; None: a core each. What is answered does not depend on it: a batch
    has one thread. answer: gives the logits that the task scores. Raises ValueError without examples, where model,
    examples and strategy do not fit together, and for logits that are not finite.
    """
    if not len(examples):
        raise ValueError("there is no example to evaluate")
    on_gpu = torch.cuda.is_available()
    size = batch or batch_size(model, examples)
    places = [range(start, min(start + size, len(examples))) for start in range(0, len(examples), size)]
    wanted = 1 if on_gpu else min(workers or n_cores(), MOST_WORKERS, len(places))

    parts: list[dict[str, Array]] = []
    # one thread of torch for each worker: a batch's sums must not depend on how many there are
    with _evaluating(model, "cuda" if on_gpu else "cpu"), fixed_threads(1), ThreadPoolExecutor(wanted) as pool:
        codebooks = None if calibration is None else codebooks_of(model, calibration, spread)

        def scored(chosen: range) -> dict[str, Array]:
            one = examples.batch(chosen)
            return dict(task.score(logits(model, one, spread, codebooks, answer), one))

        futures = [pool.submit(scored, chosen) for chosen in places]
        try:
            for chosen, future in zip(places, futures, strict=True):
                parts.append(future.result())
                watch(chosen.stop, len(examples))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    outcomes = joined(parts)
    return Evaluation({name: metrics.find(name).compute(outcomes) for name in task.metrics}, outcomes)


@torch.no_grad()
def logits(
    model: nn.Module,
    batch: Batch,
    spread: Spread | None,
    codebooks: Codebooks | None = None,
    answer: Answer = one_pass,
) -> Array:
    """Of one batch, in float32 at least. Raises ValueError if they are not finite."""
    if (ids := batch.inputs.get("input_ids")) is not None:
        check_tokens(ids, int(model.config.vocab_size))  # type: ignore[union-attr, arg-type]
    found = answer(model, batch, spread, codebooks)
    if not bool(found.isfinite().all()):
        name = "undistributed" if spread is None else "distributed"
        dtype = str(found.dtype).removeprefix("torch.")
        raise ValueError(f"the {name} model's output is not finite in {dtype}; try float32, or another checkpoint")
    answered: Array = found.to(torch.promote_types(found.dtype, torch.float32)).cpu().numpy()
    return answered


def codebooks_of(model: nn.Module, calibration: Examples, spread: Spread | None) -> Codebooks | None:
    """Fitted to the first of these examples, which must not be those that are answered; None: the spread needs none."""
    inputs = tensors(model, calibration.batch(range(min(CALIBRATION, len(calibration)))).inputs)
    if spread is None or not needs_codebooks(job := job_of(model, inputs, spread)):
        return None
    return fitted(model, [inputs], job)


def tensors(model: nn.Module, inputs: Mapping[str, Array]) -> dict[str, Tensor]:
    """As the model takes them: where it is, and pictures in its element type."""
    like = next(model.parameters())
    found = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in inputs.items()}
    return {name: one.to(like.device, like.dtype if one.is_floating_point() else None) for name, one in found.items()}


def batch_size(model: nn.Module, examples: Examples) -> int:
    """As many examples as keep the widest activation small: the feed-forward layer's, or a language model's head's."""
    _, sizes, head = describe(model)
    n_tokens = examples.pad_to or sizes.max_tokens
    widest = max(sizes.feed_forward_width, sizes.vocabulary if head.reads != "first" else 0)
    return max(1, min(LARGEST_BATCH, LARGEST_ACTIVATION // (n_tokens * widest)))


def n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _evaluating(model: nn.Module, device: str) -> Iterator[None]:
    """Without dropout, on this device; as and where it was afterwards."""
    training, place = model.training, next(model.parameters()).device
    model.eval().to(device)
    try:
        yield
    finally:
        model.to(place).train(training)
