"""Text that is given, after a prompt: what `generate` would pick it by, and what one pass over all of it gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import build, inputs_of, named, relative_error
from torch import Tensor, nn

from prism_sim import generate, infer
from prism_sim.numeric.continuation import Continuation, continuation
from prism_sim.numeric.generate import padded_before
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement

N_PROMPT, N_NEW = 9, 7
ALIKE: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("tensor_parallel", {}),
    ("galaxy", {}),
    ("pipeline", {}),
    ("replicas", {}),
    ("voltage", {}),
    ("voltage", {"cache": "whole"}),
    ("prism", {"segments": 3}),  # of 3 ranks' 3 rows each
]


def new_tokens(batch: int = 2) -> Tensor:
    return inputs_of("gpt2", batch, N_NEW, seed=2)["input_ids"]


def by_hugging_face(model: nn.Module, given: dict[str, Any]) -> Tensor:
    """The undistributed model's logits of the same places, by one pass over the prompt and what follows."""
    ids = torch.cat([given["input_ids"], new_tokens()], dim=1)
    mask = given.get("attention_mask", torch.ones_like(given["input_ids"]))
    mask = torch.nn.functional.pad(mask, (0, N_NEW), value=1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    found = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
    return found[:, -N_NEW - 1 :]


def job_of(model: nn.Module, inputs: dict[str, Any], strategy: str, new: int = N_NEW, **options: Any) -> Job:
    kind = options_of(strategy, options.pop("segments", 10), options.pop("shares", None), options)
    return job_for(model, padded_before(inputs), 3, strategy, kind, Placement()).prompt(new)


def through(model: nn.Module, inputs: dict[str, Any], strategy: str, **options: Any) -> Continuation:
    """By the prompt's pass and one step, both observed to be what sizes predict."""
    job = job_of(model, inputs, strategy, **options)
    found = continuation(model, inputs, new_tokens(), job, observe=True)
    step = job.step(job.n_tokens, N_NEW)
    assert (found.prompt.observable(), found.step.observable()) == (
        predict(job).observable(),
        predict(step).observable(),
    )
    return found


@pytest.mark.parametrize("padding", ["none", "right", "left"])
@pytest.mark.parametrize("variant", ALIKE, ids=named)
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_where_nothing_is_lost_it_is_what_the_undistributed_model_says(
    family: str, variant: tuple[str, dict[str, Any]], padding: str
) -> None:
    model, name = build(family, "lm"), variant[0]
    inputs = inputs_of(family, 2, N_PROMPT, padding=padding)
    found = through(model, inputs, name, **variant[1])
    assert relative_error(found.logits, by_hugging_face(model, padded_before(inputs))) < 1e-10


@pytest.mark.parametrize("padding", ["none", "left"])
@pytest.mark.parametrize("segments", [1, 2])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_rows_at_once_are_picked_by_what_generate_picks_one_by_one_by(family: str, segments: int, padding: str) -> None:
    model, inputs = build(family, "lm"), inputs_of(family, 2, N_PROMPT, padding=padding)
    one_by_one = generate(model, inputs, N_NEW + 1, 3, "prism", segments, end_of_text=[])
    job = job_of(model, inputs, "prism", segments=segments)
    found = continuation(model, inputs, one_by_one.tokens[:, :-1], job)
    assert relative_error(found.logits, one_by_one.logits) < 1e-10


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_prompt_and_what_follows_are_one_pass_in_which_the_last_rank_owns_all_new_rows(family: str) -> None:
    model, inputs = build(family, "lm"), inputs_of(family, 2, N_PROMPT)
    n_tokens = N_PROMPT + N_NEW
    shares = [3 / n_tokens, 3 / n_tokens, (3 + N_NEW) / n_tokens]
    whole = {"input_ids": torch.cat([inputs["input_ids"], new_tokens()], dim=1)}
    wanted = infer(model, whole, 3, "prism", 2, shares=shares).output[:, N_PROMPT - 1 :]
    assert relative_error(through(model, inputs, "prism", segments=2).logits, wanted) < 1e-10


def test_a_loss_that_is_real_is_not_zero() -> None:
    model, inputs = build("llama", "lm"), inputs_of("llama", 2, N_PROMPT)
    exact = through(model, inputs, "single").logits
    assert relative_error(through(model, inputs, "prism", segments=1).logits, exact) > 1e-3


def test_tokens_that_do_not_fit_are_refused() -> None:
    model, inputs = build("gpt2", "lm"), inputs_of("gpt2", 2, N_PROMPT)
    job = job_of(model, inputs, "prism", N_NEW - 1)
    with pytest.raises(ValueError, match=r"new tokens \(2, 7\) must be \(batch, tokens\), here \(2, 1 to 6\)"):
        continuation(model, inputs, new_tokens(), job)
