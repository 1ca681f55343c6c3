"""Models of real size, with random weights: the papers' tables from counted FLOPs, and weights to the byte."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
import transformers
from small_models import EVERY_MODEL, MODELS, build, inputs_of, named, reference
from torch import nn
from transformers import BertConfig, BertModel, ViTConfig, ViTForImageClassification

from prism_sim import families, infer, strategies
from prism_sim.numeric.meter import flop_counter
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement
from prism_sim.syntax import presets

# arXiv 2605.25682, Table 3: ViT-B/16, N = 197: strategy, options, GFLOPs per device, computation cut in percent
VIT_SINGLE_GFLOPS = 35.15
VIT_TABLE: list[tuple[str, dict[str, Any], float, float]] = [
    ("voltage", {}, 20.37, 42.05),
    ("prism", {"segments": 10}, 17.54, 50.11),
    ("prism", {"segments": 20}, 17.86, 49.20),
    ("prism", {"segments": 30}, 18.18, 48.29),
]
BERT_CUT = 51.24  # arXiv 2507.12145, abstract: BERT-base, N = 256, P = 2, CR = 128
GFLOPS_TOLERANCE = 2e-3  # the papers' counter adds LayerNorm, softmax and GELU
POINTS = 0.02  # of a percentage with two decimals, from GFLOPs with two


@cache
def vit_base() -> tuple[nn.Module, dict[str, Any]]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ViTForImageClassification(ViTConfig()).eval(), {"pixel_values": torch.randn(1, 3, 224, 224)}


@cache
def bert_base() -> tuple[nn.Module, dict[str, Any]]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return BertModel(BertConfig()).eval(), {"input_ids": torch.randint(30522, (1, 256))}


def observed(model: nn.Module, inputs: dict[str, Any], **how: Any) -> Plan:
    with torch.no_grad():
        return infer(model, inputs, observe=True, **how).plan


def gflops_per_device(plan: Plan) -> float:
    """The papers': the mean over the ranks of the blocks' FLOPs, plus the patch embedding over the ranks."""
    counted = sum(
        step.flops
        for participant in range(plan.n_ranks + 1)
        for step in plan.computes(participant)
        if step.label.startswith("block") or step.label == "embedding"
    )
    return counted / plan.n_ranks / 1e9


@cache
def single_gflops(name: str) -> float:
    model, inputs = {"vit": vit_base, "bert": bert_base}[name]()
    return gflops_per_device(observed(model, inputs, strategy="single"))


def test_vit_base_takes_the_papers_flops() -> None:
    assert single_gflops("vit") == pytest.approx(VIT_SINGLE_GFLOPS, rel=GFLOPS_TOLERANCE)


@pytest.mark.parametrize(("strategy", "options", "gflops", "cut"), VIT_TABLE)
def test_vit_base_on_two_ranks_really_computes_what_the_paper_says(
    strategy: str, options: dict[str, Any], gflops: float, cut: float
) -> None:
    found = gflops_per_device(observed(*vit_base(), ranks=2, strategy=strategy, **options))
    assert found == pytest.approx(gflops, rel=GFLOPS_TOLERANCE)
    assert 100 * (1 - found / single_gflops("vit")) == pytest.approx(cut, abs=POINTS)


def test_vit_base_takes_as_many_flops_where_every_rank_embeds_its_own_patches() -> None:
    how = {"ranks": 2, "strategy": "prism", "segments": 10}
    spread = observed(*vit_base(), placement=Placement("replicated", "in_place"), **how)
    assert gflops_per_device(spread) == gflops_per_device(observed(*vit_base(), **how))


def test_bert_base_on_two_ranks_really_computes_what_the_paper_says() -> None:
    found = gflops_per_device(observed(*bert_base(), ranks=2, segments=1))
    assert 100 * (1 - found / single_gflops("bert")) == pytest.approx(BERT_CUT, abs=POINTS)


@pytest.mark.parametrize("model", EVERY_MODEL, ids=named)
def test_one_device_is_predicted_the_flops_of_hugging_faces_own_forward(model: tuple[str, str]) -> None:
    built, inputs = build(*model), inputs_of(model[0])
    with torch.no_grad(), flop_counter() as counter:
        reference(built, inputs)
    plan = infer(built, inputs, strategy="single").plan
    assert sum(step.flops for one in (0, plan.terminal) for step in plan.computes(one)) == counter.get_total_flops()


# --- weights


def parameter_bytes(model: nn.Module) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())  # tied ones once


def block_bytes(model: nn.Module) -> int:
    family = families.find(str(model.config.model_type))
    trunk = getattr(model, family.trunk, model)
    return parameter_bytes(trunk.get_submodule(family.layer_list))


UNUSUAL: list[tuple[tuple[str, str], dict[str, Any]]] = [
    (("vit", "image_classification"), {"qkv_bias": False}),
    (("vit", "image_classification"), {"num_labels": 0}),
    (("vit", "none"), {"pooler_output_size": 7}),
    (("gpt2", "lm"), {"tie_word_embeddings": False}),
    (("llama", "lm"), {"tie_word_embeddings": True}),
    (("llama", "none"), {"attention_bias": False}),
    (("llama", "none"), {"mlp_bias": False}),
    (("distilbert", "masked_lm"), {"tie_word_embeddings": False}),
    (("roberta", "masked_lm"), {"tie_word_embeddings": False}),
    (("dinov2", "none"), {"use_mask_token": False}),
    (("dinov2", "none"), {"use_swiglu_ffn": True}),
]


@pytest.mark.parametrize(("model", "changes"), [*((model, {}) for model in EVERY_MODEL), *UNUSUAL], ids=named)
def test_one_rank_holds_the_blocks_and_the_terminal_all_else(model: tuple[str, str], changes: dict[str, Any]) -> None:
    built = build(*model, **changes)
    plan = infer(built, inputs_of(model[0]), strategy="single").plan
    assert plan.weight_bytes[0] == block_bytes(built)
    assert plan.weight_bytes[plan.terminal] == parameter_bytes(built) - block_bytes(built)


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model in MODELS for name in strategies.catalogue() if model[1] == "none" or name == "pipeline"],
    ids=named,
)
def test_between_them_the_ranks_hold_every_weight(model: tuple[str, str], name: str) -> None:
    built = build(*model)
    plan = infer(built, inputs_of(model[0]), ranks=3, strategy=name, segments=2).plan
    ranks = plan.weight_bytes[: plan.n_ranks]
    assert sum(ranks) >= block_bytes(built)
    assert max(ranks) <= block_bytes(built)


@pytest.mark.parametrize("name", strategies.catalogue())
def test_ranks_that_have_the_input_hold_its_embedding(name: str) -> None:
    built = build("vit")
    at_terminal, spread = (
        infer(built, inputs_of("vit"), ranks=2, strategy=name, placement=Placement(given)).plan  # type: ignore[arg-type]
        for given in ("terminal", "replicated")
    )
    embedding = parameter_bytes(built.embeddings)
    assert spread.weight_bytes[0] == at_terminal.weight_bytes[0] + embedding
    assert spread.weight_bytes[-1] == at_terminal.weight_bytes[-1] - embedding


# --- ready models

# of Hugging Face's model cards (2024, 2025), without heads that are not the language model's
PUBLISHED = {
    "smollm2-135m": 134_515_008,
    "smollm2-360m": 361_821_120,
    "tinyllama-1.1b": 1_100_048_384,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-1.5b": 1_543_714_304,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-0.6b": 596_049_920,
    "qwen3-8b": 8_190_735_360,
    "qwen3-30b-a3b": 30_532_122_624,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-3-8b": 8_030_261_248,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "mistral-7b": 7_241_732_096,
    "dinov2-base": 86_580_480,
}


@pytest.mark.parametrize("name", presets.names("models"))
def test_a_ready_model_has_as_many_parameters_as_hugging_faces_own(name: str) -> None:
    preset = presets.model(name)
    family = families.find(preset.config["model_type"])
    sizes, head = family.dimensions(preset.config), family.head(preset.head)
    n_tokens = family.fixed_tokens(sizes) or 16
    single = strategies.find("single")
    plan = predict(Job(sizes, head, 1, n_tokens, head.tokens(n_tokens), 1, single.name, single.options()))
    with torch.device("meta"):
        made = getattr(transformers, head.hf_class)(transformers.AutoConfig.for_model(**preset.config))
    assert sum(plan.weight_bytes) == parameter_bytes(made)
    assert PUBLISHED.get(name, sum(plan.weight_bytes) // 4) == sum(plan.weight_bytes) // 4
