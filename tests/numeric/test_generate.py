"""Text token by token: the tokens and logits of the undistributed model, and the Plans that sizes predict."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import FIVE, build, inputs_of, named, relative_error
from torch import Tensor, nn

from prism_sim import families, generate, strategies
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.shapes.interpreter import cache_bytes, predict
from prism_sim.strategies.base import Placement

DECODERS = [name for name, family in families.catalogue().items() if family.causal]
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("tensor_parallel", {}),
    ("galaxy", {}),
    ("pipeline", {}),
    ("pipeline", {"chunks": 3}),
    ("pipeline", {"micro_batches": 2, "chunks": 2}),
    ("replicas", {}),
    ("voltage", {}),
    ("voltage", {"cache": "whole"}),
    ("voltage", {"overlap": True}),
    ("prism", {"segments": 64}),
    ("prism", {"compressor": "identity", "overlap": True}),
]


def decoder(family: str, **changes: Any) -> nn.Module:
    """Of 64 positions. What a token is weighs much, and the head is not its table: else it would be said for ever."""
    positions = "n_positions" if family == "gpt2" else "max_position_embeddings"
    model = build(family, "lm", **{positions: 64, "tie_word_embeddings": False, **changes})
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(10)
    return model


def by_hugging_face(model: nn.Module, inputs: dict[str, Any], new_tokens: int) -> Tensor:
    """The new tokens (batch, new) of the undistributed model's own greedy generation."""
    found = model.generate(**inputs, max_new_tokens=new_tokens, do_sample=False)
    return found[:, inputs["input_ids"].shape[1] :]


def logits_for(model: nn.Module, inputs: dict[str, Any], tokens: Tensor) -> Tensor:
    """The undistributed model's logits of each of these new tokens, all in one pass: `generate` rounds to float32."""
    ids = torch.cat([inputs["input_ids"], tokens[:, :-1]], dim=1)
    mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))
    mask = torch.nn.functional.pad(mask, (0, tokens.shape[1] - 1), value=1)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    found = model(input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
    return found[:, -tokens.shape[1] :]


def check(model: nn.Module, inputs: dict[str, Any], new_tokens: int, strategy: str, ranks: int, **options: Any) -> None:
    wanted = by_hugging_face(model, inputs, new_tokens)
    found = generate(model, inputs, new_tokens, ranks, strategy, observe=True, **options)
    n_steps = wanted.shape[1]
    assert torch.equal(found.tokens, wanted) and len(wanted.unique()) > 2
    assert relative_error(found.logits, logits_for(model, inputs, wanted)) < 1e-10
    kind = options_of(strategy, options.pop("segments", 10), options.pop("shares", None), options)
    prompt = job_for(model, inputs, ranks, strategy, kind, Placement()).prompt(new_tokens)
    assert found.prompt.observable() == predict(prompt).observable()
    jobs = [prompt.step(prompt.n_tokens + step) for step in range(n_steps - 1)]
    for plan, job in zip(found.steps, jobs, strict=True):
        assert plan.observable() == predict(job).observable()
        assert plan.exchanges == predict(job).exchanges
    assert found.cache_bytes == cache_bytes(jobs[-1])


@pytest.mark.parametrize("variant", EXACT, ids=named)
@pytest.mark.parametrize("family", DECODERS)
def test_every_decoder_by_every_exact_strategy(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    name, options = variant
    check(decoder(family), inputs_of(family, 2, 11), 32, name, 3, **options)
