"""Text after a prompt that went through the split: what `evaluate` judges in place of one pass over all of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prism_sim.evaluation.evaluate import tensors
from prism_sim.evaluation.spread import Spread, job_of
from prism_sim.numeric.codebooks import Codebooks
from prism_sim.numeric.continuation import continuation
from prism_sim.numeric.infer import main_output, plain
from prism_sim.tasks.examples import Batch


def after_prompt(model: nn.Module, batch: Batch, spread: Spread | None, codebooks: Codebooks | None) -> Tensor:
    """Logits (batch, 1 + new tokens, vocabulary) of the given continuation, as the ranks would generate it.

    batch: of `tasks.continuations`. The prompt is one pass; the continuation goes through the strategy's step, against
    what that keeps of the prompt. spread: None: the undistributed model. Raises ValueError where it has no step.
    """
    inputs = tensors(model, batch.inputs)
    new = tensors(model, {"new": batch.labels[:, 1:]})["new"]
    if spread is None:
        ids = torch.cat((inputs["input_ids"], new), dim=1)
        alone: Tensor = main_output(model(**plain(model, {"input_ids": ids, "logits_to_keep": 1 + new.shape[1]})))
        return alone
    prompt = job_of(model, inputs, spread).prompt(new.shape[1])
    return continuation(model, inputs, new, prompt, codebooks=codebooks).logits
