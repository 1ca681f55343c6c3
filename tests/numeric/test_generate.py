"""Text token by token: the tokens and logits of the undistributed model, and the Plans that sizes predict."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import FIVE, build, inputs_of, named, relative_error
from torch import Tensor, nn

from prism_sim import families, generate, infer
from prism_sim.numeric.equations import (
    attention_bias,
    attention_in_part,
    merged_attention,
    scaling_aware_attention,
)
from prism_sim.numeric.generate import padded_before
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.shapes.interpreter import cache_bytes, predict
from prism_sim.strategies.base import Placement

DECODERS = [name for name, family in families.catalogue().items() if family.causal]
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("tensor_parallel", {}),
    ("tensor_parallel", {"head": "terminal"}),
    ("galaxy", {}),
    ("galaxy", {"head": "terminal"}),
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


SEEN = 4  # tokens whose passes are counted


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
    """Tokens and logits, all along; of the first steps, for counting is slow, what they computed, sent and kept."""
    wanted = by_hugging_face(model, inputs, new_tokens)
    found = generate(model, inputs, new_tokens, ranks, strategy, **options)
    assert torch.equal(found.tokens, wanted)
    assert len(wanted.unique()) > 2
    assert relative_error(found.logits, logits_for(model, inputs, wanted)) < 1e-10
    observed = generate(model, inputs, SEEN, ranks, strategy, observe=True, **options)
    kind = options_of(strategy, options.pop("segments", 10), options.pop("shares", None), options)
    prompt = job_for(model, padded_before(inputs), ranks, strategy, kind, Placement()).prompt(new_tokens)
    jobs = [prompt, *(prompt.step(prompt.n_tokens + step) for step in range(new_tokens - 1))]
    for plan, job in zip((observed.prompt, *observed.steps), jobs, strict=False):
        assert plan.observable() == predict(job).observable()
        assert plan.exchanges == predict(job).exchanges
    assert observed.cache_bytes == cache_bytes(jobs[SEEN - 1])
    assert found.cache_bytes == cache_bytes(jobs[-1])


KIN = [("tensor_parallel", {}), ("pipeline", {"chunks": 3}), ("prism", {"segments": 64})]
EACH = [(family, one) for family in DECODERS for one in (EXACT if family in ("gpt2", "llama") else KIN)]


@pytest.mark.parametrize(("family", "variant"), EACH, ids=named)
def test_every_decoder_by_every_exact_strategy(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    name, options = variant
    check(decoder(family), inputs_of(family, 2, 11), 32, name, 3, **options)


@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy", "pipeline", "voltage", "prism"])
@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_over_any_number_of_ranks(name: str, ranks: int) -> None:
    changes = {**FIVE["llama"], "num_key_value_heads": 5}
    check(decoder("llama", **changes), inputs_of("llama", 2, 10), 32, name, ranks, **EXACTLY.get(name, {}))


EXACTLY: dict[str, dict[str, Any]] = {"prism": {"segments": 64}}
PADDED: list[tuple[str, dict[str, Any]]] = [
    ("tensor_parallel", {}),
    ("pipeline", {"micro_batches": 3, "chunks": 2}),
    ("replicas", {}),
    ("voltage", {"shares": [0.5, 0.2, 0.3]}),
    ("prism", {"segments": 64}),
]


@pytest.mark.parametrize("variant", PADDED, ids=named)
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_prompts_of_different_lengths_padded_before(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    name, options = variant
    check(decoder(family), inputs_of(family, 3, 11, padding="left"), 12, name, 3, **options)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_padding_after_a_prompt_is_moved_before_it(family: str) -> None:
    """Each sequence goes on as it would alone; the first two tokens of padding are common to all."""
    model, inputs = decoder(family), inputs_of(family, 3, 11, padding="right")
    found = generate(model, inputs, 6, 3, "tensor_parallel")
    for ids, mask, tokens in zip(inputs["input_ids"], inputs["attention_mask"], found.tokens, strict=True):
        assert torch.equal(tokens[None], by_hugging_face(model, {"input_ids": ids[None, : int(mask.sum())]}, 6))


def test_sequences_end_each_at_its_own_step() -> None:
    model, inputs = decoder("llama"), inputs_of("llama", 3, 11)
    free = generate(model, inputs, 16, 2, "pipeline").tokens
    end = int(free[0, 5])  # somewhere within the first sequence
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = end, 36
    wanted = by_hugging_face(model, inputs, 16)
    found = generate(model, inputs, 16, 2, "pipeline")
    assert torch.equal(found.tokens, wanted)
    assert int(found.tokens[0, -1]) == 36
    assert (found.tokens[0] == end).sum() == 1
    everywhere = generate(model, {"input_ids": inputs["input_ids"][:1]}, 16, 2, "pipeline")
    assert everywhere.tokens.shape[1] == len(everywhere.steps) + 1 < 16  # nobody is left to go on
    assert generate(model, inputs, 16, 2, "pipeline", end_of_text=[]).tokens.tolist() == free.tolist()


def test_sampling_is_seeded_and_greedy_at_one_choice() -> None:
    model, inputs = decoder("gpt2"), inputs_of("gpt2", 2, 9)
    sampled = [generate(model, inputs, 12, temperature=1.5, seed=seed, end_of_text=[]).tokens for seed in (0, 0, 1)]
    assert torch.equal(sampled[0], sampled[1])
    assert not torch.equal(sampled[0], sampled[2])
    greedy = generate(model, inputs, 12, end_of_text=[]).tokens
    assert torch.equal(generate(model, inputs, 12, temperature=1.5, top_k=1, end_of_text=[]).tokens, greedy)


@pytest.mark.parametrize("compressor", ["segment_means", "int8", "segment_means+int8"])
def test_a_prompt_that_lost_something_is_followed_as_predicted(compressor: str) -> None:
    """No rank but the last keeps anything, no step sends a byte between ranks; the first token is that of `infer`."""
    model, inputs = decoder("llama"), inputs_of("llama", 2, 13)
    found = generate(model, inputs, 9, 3, "prism", segments=2, compressor=compressor, observe=True, end_of_text=[])
    kind = options_of("prism", 2, None, {"compressor": compressor})
    prompt = job_for(model, inputs, 3, "prism", kind, Placement()).prompt(9)
    for number, plan in enumerate(found.steps):
        assert plan.observable() == predict(prompt.step(13 + number)).observable()
        assert [exchange.group for exchange in plan.exchanges] == [(3, 2), (2, 3)]
    assert found.cache_bytes[:2] == (0, 0)
    assert found.cache_bytes[2] == cache_bytes(prompt.step(20))[2]
    of_prompt = infer(model, inputs, 3, "prism", segments=2, compressor=compressor).output[:, -1]
    assert relative_error(found.logits[:, 0], of_prompt.detach()) < 1e-10


@pytest.mark.parametrize("masked", [False, True])
def test_partial_attention_fused_is_whole_attention(masked: bool) -> None:
    random = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(2, 3, n, 4, generator=random, dtype=torch.float64) for n in (5, 11, 11))
    counts = torch.randint(0, 4, (2, 11), generator=random).double()
    counts[:, 0] = 1  # somebody is always there, though not in every part
    visible = torch.rand(5, 11, generator=random) < 0.5
    visible[:, 0] = True
    bias = attention_bias(counts, visible if masked else None)
    parts = [
        attention_in_part(q, k[:, :, part], v[:, :, part], bias[..., part], 0.5)
        for part in (slice(0, 1), slice(1, 6), slice(6, 11))
    ]
    fused = merged_attention([(rows.transpose(1, 2), sums) for rows, sums in parts])
    assert relative_error(fused.transpose(1, 2), scaling_aware_attention(q, k, v, bias, 0.5)) < 1e-12


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"new_tokens": 0}, r"new_tokens\(=0\) must be >= 1"),
        ({"new_tokens": 60}, "a prompt of 9 and 60 new: 69 tokens exceed the model's 64 positions"),
        ({"compressor": "token_merging"}, "compressor token_merging has no step"),
        ({"placement": Placement(output="in_place")}, "output in_place cannot generate text"),
        ({"strategy": "galaxy", "head": "splitt"}, r"head\(='splitt'\) is not one of terminal, split"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"strategy": "pipeline", "chunks": 10}, r"chunks\(=10\) must be at most the 9 tokens"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_generated_is_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(decoder("gpt2"), inputs_of("gpt2"), **{"new_tokens": 3, **how})


def test_encoders_and_inputs_that_cannot_go_on_are_refused() -> None:
    with pytest.raises(ValueError, match="bert is an encoder"):
        generate(build("bert"), inputs_of("bert"), 3)
    model, ids = decoder("gpt2"), inputs_of("gpt2")["input_ids"]
    with pytest.raises(ValueError, match="head none cannot generate text"):
        generate(build("gpt2"), {"input_ids": ids}, 3)
    with pytest.raises(ValueError, match="not labels"):
        generate(model, {"input_ids": ids, "labels": ids}, 3)
    mask = torch.ones_like(ids)
    mask[:, 4] = 0
    with pytest.raises(ValueError, match="before or after a prompt"):
        generate(model, {"input_ids": ids, "attention_mask": mask}, 3)
    with pytest.raises(ValueError, match="all padding"):
        generate(model, {"input_ids": ids, "attention_mask": torch.zeros_like(ids)}, 3)
