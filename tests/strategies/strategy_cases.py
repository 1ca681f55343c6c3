"""Tiny models of each family in float64, and one distributed pass with all that there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    ViTConfig,
    ViTForImageClassification,
)

from prism_sim import strategies
from prism_sim.numeric.infer import infer, job_for
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.strategies.base import Placement

FAMILIES = ("vit", "bert", "gpt2")
N_COLUMNS, N_TEXT_TOKENS, BATCH = 37, 11, 3


@dataclass(frozen=True)
class Case:
    """padding: None, or the side on which texts are padded. options: of the strategy, as pairs."""

    family: str
    strategy: str
    ranks: int
    options: tuple[tuple[str, Any], ...] = ()
    padding: str | None = None
    n_heads: int = 5
    width: int = 30
    placement: Placement = field(default_factory=Placement)

    @property
    def n_blocks(self) -> int:
        return max(3, self.ranks) if self.strategy == "pipeline" else 3

    def __str__(self) -> str:
        return "-".join(f"{part}" for part in (self.family, self.strategy, self.ranks, *sum(self.options, ())))


@dataclass(frozen=True)
class Passed:
    """expected, output: of Hugging Face's own forward and of the distributed one, at real tokens."""

    expected: torch.Tensor
    output: torch.Tensor
    predicted: Plan
    observed: Plan


@cache
def tiny_model(family: str, n_heads: int, width: int, n_blocks: int) -> torch.nn.Module:
    torch.manual_seed(7)
    if family == "vit":
        config = ViTConfig(
            image_size=24,
            patch_size=8,
            hidden_size=width,
            num_hidden_layers=n_blocks,
            num_attention_heads=n_heads,
            intermediate_size=N_COLUMNS,
            num_labels=4,
        )
        return _scrambled(ViTForImageClassification(config))
    if family == "bert":
        config = BertConfig(
            vocab_size=41,
            hidden_size=width,
            num_hidden_layers=n_blocks,
            num_attention_heads=n_heads,
            intermediate_size=N_COLUMNS,
            max_position_embeddings=16,
        )
        return _scrambled(BertForMaskedLM(config))
    config = GPT2Config(
        vocab_size=41, n_embd=width, n_layer=n_blocks, n_head=n_heads, n_inner=N_COLUMNS, n_positions=16
    )
    return _scrambled(GPT2LMHeadModel(config))


def _scrambled(model: torch.nn.Module) -> torch.nn.Module:
    """In float64 and with no bias left at zero: a bias that is forgotten, or added P times, must show."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model.double().eval()


def inputs_of(case: Case) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    if case.family == "vit":
        return {"pixel_values": torch.randn(BATCH, 3, 24, 24, generator=generator, dtype=torch.float64)}
    inputs = {"input_ids": torch.randint(41, (BATCH, N_TEXT_TOKENS), generator=generator)}
    if case.padding:
        real = torch.ones(BATCH, N_TEXT_TOKENS, dtype=torch.long)
        for sample, n_padded in enumerate((4, 0, 1)):
            if n_padded:
                real[sample, -n_padded:] = 0
        inputs["attention_mask"] = real if case.padding == "right" else real.flip(1)
    return inputs


@cache
def passed(case: Case) -> Passed:
    """One forward pass of a case, watched; cached, so that several laws can be read from it."""
    model, inputs = tiny_model(case.family, case.n_heads, case.width, case.n_blocks), inputs_of(case)
    options = strategies.find(case.strategy).options(**dict(case.options))
    job = job_for(model, inputs, case.ranks, case.strategy, options, case.placement)
    with torch.no_grad():
        expected = model(**inputs).logits
        found = infer(
            model, inputs, case.ranks, case.strategy, observe=True, placement=case.placement, **dict(case.options)
        )
    real = inputs.get("attention_mask", torch.ones(expected.shape[:-1])).bool()
    return Passed(expected[real], found.output[real], predict(job), found.plan)


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())
