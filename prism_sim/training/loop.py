"""The training loop: seeded, resumable, and open to any forward pass, a distributed one too.

What is random in a step (order of examples, augmentation, dropout) is drawn from the seed and the step's number alone:
a training that goes on from a saved step ends with the same weights, to the bit, as one that was never interrupted.
"""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from prism_sim.evaluation.evaluate import tensors
from prism_sim.numeric.threads import fixed_threads
from prism_sim.tasks.base import Recipe
from prism_sim.tasks.examples import Batch, Examples
from prism_sim.training.checkpoint import TrainingError
from prism_sim.training.state import Keep, State, TrainingPoint

Forward: TypeAlias = Callable[[nn.Module, Mapping[str, Tensor]], Tensor]
Watch: TypeAlias = Callable[[int, int, TrainingPoint], None]  # steps done, of how many, how it goes

CHECKS = 10  # how often a training is looked at
LARGEST_GRADIENT = 1.0  # norm that gradients are clipped to
ORDER, STEP = 0, 1  # what random numbers are for


def own_loss(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """The loss of the model's own forward pass."""
    loss: Tensor = model(**inputs).loss
    return loss


@dataclass(frozen=True, slots=True)
class Training:
    """What determines, with the model's first weights, those that it ends with.

    forward: loss of a batch, labels among its inputs. validate: a figure of the model as it is now, for the watcher.
    """

    examples: Examples
    recipe: Recipe
    seed: int = 0
    forward: Forward = own_loss
    validate: Callable[[nn.Module], float] | None = None


def train(
    model: nn.Module, training: Training, keep: Keep | None = None, watch: Watch = lambda done, steps, point: None
) -> tuple[TrainingPoint, ...]:
    """Trains all parameters of the model that want gradients, in place, and leaves it in evaluation mode.

    keep: where the state is saved now and then and on Ctrl-C, and gone on from if there is one; None: nowhere.
    Returns how it went. Raises TrainingError for a saved state that is damaged or of another training, and for a loss
    that is not finite; ValueError without examples.
    """
    if not len(training.examples):
        raise ValueError("there is no example to train on")
    recipe = training.recipe
    optimizer = make_optimizer(model, recipe)
    state = State.restored(keep, model, optimizer)
    if keep is not None:
        state.save(keep, model, optimizer)  # a place that cannot be written is told before the work
    check_every = math.ceil(recipe.steps / CHECKS)
    with fixed_threads(recipe.threads), torch.random.fork_rng(devices=[]), interrupt_later() as is_asked:
        model.train()
        for step in range(state.step, recipe.steps):
            state.add(_step(model, training, optimizer, step))
            if (step + 1) % check_every == 0 or step + 1 == recipe.steps:
                state.check(None if training.validate is None else training.validate(model.eval()))
                model.train()
            watch(step + 1, recipe.steps, state.now)
            if keep is not None and (keep.is_due() or is_asked()):
                state.save(keep, model, optimizer)
            if is_asked():
                raise KeyboardInterrupt
    model.eval()
    return state.history


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter, arXiv 1711.05101); biases and norms do not decay."""
    wanted = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in wanted if parameter.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [parameter for parameter in wanted if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then half a cosine down to 0 (Loshchilov and Hutter, arXiv 1608.03983)."""
    if step < recipe.warmup_steps:
        return recipe.learning_rate * (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, recipe.steps - recipe.warmup_steps)
    return recipe.learning_rate * (1 + math.cos(math.pi * done)) / 2


def batch_of(examples: Examples, recipe: Recipe, seed: int, step: int) -> Batch:
    """The batch of a step: every pass over the examples has an order of its own; those that fill no batch wait."""
    size = min(recipe.batch, len(examples))
    passes, place = divmod(step, len(examples) // size)
    order = np.random.default_rng([seed, ORDER, passes]).permutation(len(examples))
    return examples.batch(order[place * size : (place + 1) * size].tolist())


def _step(model: nn.Module, training: Training, optimizer: torch.optim.Optimizer, step: int) -> float:
    recipe = training.recipe
    generator = np.random.default_rng([training.seed, STEP, step])
    batch = batch_of(training.examples, recipe, training.seed, step)
    inputs = recipe.augment(batch.inputs, generator) if recipe.augment else batch.inputs
    torch.manual_seed(int(generator.integers(2**63)))
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, step)
    optimizer.zero_grad()
    loss = training.forward(model, tensors(model, {**inputs, "labels": batch.labels}))
    if not bool(loss.isfinite()):
        raise TrainingError(f"the loss is {loss.item()} at step {step}; choose a smaller learning rate")
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
    optimizer.step()
    return float(loss.detach())


@contextmanager
def interrupt_later() -> Iterator[Callable[[], bool]]:
    """Gives what says whether the user has asked for an end with Ctrl-C, so that nothing of what was done is lost.

    Who asks twice does not wait. Only in the main thread, which is where signals arrive; elsewhere nobody asks.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
