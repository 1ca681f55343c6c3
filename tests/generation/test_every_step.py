"""Predicted and observed are one Plan in the prompt and in each of 32 steps after it, not only in the first few."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from prism_sim import generate
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.shapes.interpreter import cache_bytes, predict
from prism_sim.strategies.base import Placement

N_STEPS, N_TOKENS, RANKS = 32, 7, 2
SIZES: dict[str, Any] = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
}
WAYS: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("tensor_parallel", {}),
    ("galaxy", {}),
    ("pipeline", {"micro_batches": 2}),
    ("replicas", {}),
    ("voltage", {}),
    ("voltage", {"cache": "whole"}),
    ("prism", {"segments": 2}),
]


@pytest.mark.parametrize(("name", "options"), WAYS, ids=lambda one: one if isinstance(one, str) else "-".join(one))
def test_every_step_is_as_predicted(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SIZES)).eval()
    inputs = {"input_ids": torch.randint(0, SIZES["vocab_size"], (2, N_TOKENS))}
    found = generate(model, inputs, N_STEPS + 1, RANKS, name, observe=True, end_of_text=[], **options)
    chosen = options_of(name, options.pop("segments", 10), None, options)
    prompt = job_for(model, inputs, RANKS, name, chosen, Placement()).prompt(N_STEPS + 1)
    jobs = [prompt, *map(prompt.step, prompt.step_pasts)]
    assert len(jobs) == len(found.steps) + 1 == N_STEPS + 1
    for plan, job in zip((found.prompt, *found.steps), jobs, strict=True):
        assert plan.observable() == predict(job).observable()
        assert plan.exchanges == predict(job).exchanges
    assert found.cache_bytes == cache_bytes(jobs[-1])
