"""What models and caches weigh in memory is what their tensors weigh, in every family and element type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from small_models import EVERY_MODEL, build, inputs_of
from torch import Tensor, nn

from prism_sim import families, generate
from prism_sim.element_types import ELEMENT_TYPES, head_type
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.numeric.loading import token_tables
from prism_sim.numeric.quantised import packed
from prism_sim.shapes.interpreter import cache_bytes, predict
from prism_sim.strategies.base import Placement

# rows of whole groups, under each family's own names
SIZES: dict[str, dict[str, int]] = {
    "gpt2": {"n_embd": 32, "n_head": 2, "n_inner": 64},
    "distilbert": {"dim": 32, "n_heads": 2, "hidden_dim": 64},
    "qwen3_moe": {"head_dim": 16, "num_attention_heads": 4, "moe_intermediate_size": 32},
    **{name: {"head_dim": 16, "num_attention_heads": 4} for name in ("llama", "mistral", "qwen2", "qwen3")},
}
WIDTH = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}


def model_of(family: str, head: str, dtype: torch.dtype) -> nn.Module:
    own = SIZES.get(family, {})
    return build(family, head, 10, **(own if family in ("gpt2", "distilbert") else WIDTH | own)).to(dtype)


def tensors_bytes(model: nn.Module, family: str, kept: str | None) -> int:
    """Of all parameters: as they are; or matrices and tables packed in groups, and all else in float32.

    So files of the GGUF format have it (llama.cpp, convert_hf_to_gguf.py: what has one dimension, norms, routers,
    positions and token types are F32), whatever the type in which is computed.
    """
    if kept is None:
        return sum(one.nbytes for one in model.parameters())
    n_bytes, in_groups = 0, 0
    for weight, name in matrices(model, family, kept):
        n_bytes += packed(weight, name).nbytes
        in_groups += weight.numel()
    return n_bytes + 4 * (sum(one.numel() for one in model.parameters()) - in_groups)


def matrices(model: nn.Module, family: str, kept: str) -> Iterator[tuple[Tensor, str]]:
    found = families.find(family)
    for layer in found.layers(model):
        yield from ((affine.weight, kept) for affine in found.parts(layer).matrices)
    for table, is_head in token_tables(model, found):
        yield table, (head_type(ELEMENT_TYPES[kept]) if is_head else ELEMENT_TYPES[kept]).name


TYPES = [(torch.float32, None), (torch.float16, None), (torch.bfloat16, "q8_0"), (torch.float16, "q4_0")]


@pytest.mark.parametrize(("dtype", "kept"), TYPES)
@pytest.mark.parametrize(("family", "head"), EVERY_MODEL)
def test_a_whole_model_weighs_what_its_tensors_do(family: str, head: str, dtype: torch.dtype, kept: str | None) -> None:
    model = model_of(family, head, dtype)
    job = job_for(model, inputs_of(family, 1, 10), 1, "single", options_of("single", 10, None, {}), Placement())
    assert sum(predict(replace(job, weight_dtype=kept)).weight_bytes) == tensors_bytes(model, family, kept)


SPREAD: list[tuple[str, dict[str, Any]]] = [
    ("single", {}),
    ("tensor_parallel", {}),
    ("pipeline", {}),
    ("voltage", {}),
    ("prism", {"segments": 3}),
]


@pytest.mark.parametrize("variant", SPREAD, ids=lambda one: one[0])
@pytest.mark.parametrize("family", [name for name, found in families.catalogue().items() if found.causal])
def test_a_cache_weighs_what_its_tensors_do(family: str, variant: tuple[str, dict[str, Any]]) -> None:
    """In the type that is computed in."""
    name, options = variant
    model, inputs = model_of(family, "lm", torch.bfloat16), inputs_of(family, 2, 10)
    found = generate(model, inputs, 4, 2, name, end_of_text=[], **options)
    chosen = options_of(name, options.get("segments", 10), None, {})
    job = job_for(model, inputs, 2, name, chosen, Placement()).prompt(4)
    assert found.cache_bytes == cache_bytes(job.step(job.step_pasts[-1]))
    assert sum(found.cache_bytes) > 0
