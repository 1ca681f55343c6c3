"""Logits of text that is given: the prompt by its pass, what follows it by one step over all of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from prism_sim.numeric.cache import Cache
from prism_sim.numeric.generate import padded_before, pass_of, prompt_inputs, prompt_lengths, step_inputs
from prism_sim.plan import Plan
from prism_sim.shapes.job import Job


@dataclass(frozen=True, slots=True)
class Continuation:
    """logits: (batch, 1 + new tokens, vocabulary), by which each of them is judged, and one that would come next.

    prompt, step: the Plans of both passes, predicted or as observed.
    """

    logits: Tensor
    prompt: Plan
    step: Plan


def continuation(
    model: nn.Module,
    inputs: Mapping[str, Any],
    new: Tensor,
    prompt: Job,
    observe: bool = False,
    codebooks: Sequence[Tensor] | None = None,
) -> Continuation:
    """What `generate` picks each token by where those before it are the given ones (teacher forcing).

    inputs: of the prompt, as `generate` takes them. new: tokens (batch, new), at least one. prompt: a job of these
    inputs, `padded_before`, of at least so many new tokens. Each new row attends to what the strategy has kept of the
    prompt, and to the new rows before it. Differentiable. Raises ValueError where the tokens do not fit the job.
    """
    if new.dim() != 2 or len(new) != prompt.batch or not 1 <= new.shape[1] <= prompt.new_tokens:
        most = f"({prompt.batch}, 1 to {prompt.new_tokens})"
        raise ValueError(f"new tokens {tuple(new.shape)} must be (batch, tokens), here {most}")
    given = padded_before(inputs)
    step = prompt.step(prompt.n_tokens, new.shape[1])
    caches = [Cache() for _ in range(prompt.n_ranks + 1)]
    last, of_prompt = pass_of(model, prompt, prompt_inputs(given), observe, codebooks, caches)
    following, of_step = pass_of(model, step, step_inputs(new, prompt_lengths(given)), observe, codebooks, caches)
    return Continuation(torch.cat((last[:, -1:], following), dim=1), of_prompt, of_step)
