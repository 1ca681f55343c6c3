"""Mixtures of experts: what a row goes through, what is counted, held and read for it, and by which rank."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest
import torch
from small_models import CONFIGS, build, inputs_of, model_of, reference, relative_error, without_cache
from torch import Tensor, nn

from prism_sim import families, infer, strategies
from prism_sim.families import Dimensions
from prism_sim.numeric.block import TensorBlock
from prism_sim.numeric.infer import describe
from prism_sim.numeric.loading import ModelSource, load, round_to_int8
from prism_sim.partition import even_split
from prism_sim.plan import Kernel, Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job

WIDTH, EXPERTS, K, INNER = 24, 5, 2, 11  # of the small model
TOLERANCE = 1e-12  # sums of a few dozen products in float64
FAMILY = families.find("qwen3_moe")
SIZES = FAMILY.dimensions(CONFIGS["qwen3_moe"])
SPLIT = ("tensor_parallel", "galaxy")


def block_of(model: nn.Module, number: int = 0) -> TensorBlock:
    return TensorBlock(FAMILY.parts(FAMILY.layers(model)[number]), training=False)


def rows(batch: int = 2, n_tokens: int = 7) -> Tensor:
    return torch.randn(batch, n_tokens, WIDTH, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def by_hand(layer: Any, row: Tensor, normed: bool) -> Tensor:
    """Row by row and expert by expert, from the layer's own weights."""
    odds = (layer.mlp.gate.weight @ row).softmax(0)
    chosen = odds.argsort(descending=True)[:K].tolist()
    whole = sum(float(odds[expert]) for expert in chosen) if normed else 1.0
    found = torch.zeros_like(row)
    for expert in chosen:
        both = layer.mlp.experts.gate_up_proj[expert] @ row
        gate, up = both[:INNER], both[INNER:]
        found += float(odds[expert]) / whole * (layer.mlp.experts.down_proj[expert] @ (gate * gate.sigmoid() * up))
    return found


@pytest.mark.parametrize("normed", [True, False])
@torch.no_grad()
def test_a_row_is_the_weighed_sum_of_its_experts(normed: bool) -> None:
    model, h = build("qwen3_moe", norm_topk_prob=normed), rows()
    found = block_of(model).feed_forward(h)
    wanted = torch.stack([by_hand(FAMILY.layers(model)[0], row, normed) for row in h.flatten(0, 1)]).view_as(h)
    assert relative_error(found, wanted) < 1e-6  # the router's softmax is in float32


@torch.no_grad()
def test_ranges_of_columns_sum_to_the_whole_whoever_is_hit() -> None:
    block, h = block_of(model_of("qwen3_moe")), rows()
    parts = [block.feed_forward(h, columns) for columns in (range(4), range(4, 5), range(5, INNER))]
    assert relative_error(sum(parts[1:], parts[0]), block.feed_forward(h)) < TOLERANCE


@torch.no_grad()
def test_rows_alone_are_what_they_are_among_others() -> None:
    block, h = block_of(model_of("qwen3_moe")), rows()
    alone = torch.cat([block.feed_forward(h[:, token : token + 1]) for token in range(h.shape[1])], dim=1)
    assert relative_error(alone, block.feed_forward(h)) < TOLERANCE


@pytest.mark.parametrize("strategy", ["single", *SPLIT, "pipeline", "voltage"])
def test_gradients_reach_routers_and_experts_as_in_the_undistributed_model(strategy: str) -> None:
    model, inputs = model_of("qwen3_moe", "lm"), inputs_of("qwen3_moe")
    inputs = {**inputs, "labels": inputs["input_ids"]}
    named_weights = dict(model.named_parameters())
    losses = infer(model, inputs, 3, strategy).hf_output.loss, model(**inputs, **without_cache(model)).loss
    found, wanted = (torch.autograd.grad(loss, list(named_weights.values())) for loss in losses)
    for name, one, other in zip(named_weights, found, wanted, strict=True):
        assert relative_error(one, other) < 1e-6, name  # through a softmax in float32
    routers = [one for name, one in zip(named_weights, found, strict=True) if name.endswith("mlp.gate.weight")]
    assert len(routers) == 3
    assert all(bool(one.any()) for one in routers)


# --- what is counted


def job(
    strategy: str = "single", n_ranks: int = 1, batch: int = 1, n_tokens: int = 9, sizes: Dimensions = SIZES
) -> Job:
    options = strategies.find(strategy).options()
    return Job(sizes, FAMILY.head("lm"), batch, n_tokens, range(n_tokens), n_ranks, strategy, options)


def kernels(plan: Plan, name: str, rank: int = 0) -> list[Kernel]:
    return [kernel for step in plan.computes(rank) for kernel in step.kernels if kernel.name == name]  # type: ignore[arg-type]


def test_a_row_costs_its_router_and_k_experts() -> None:
    plan = predict(job(batch=2, n_tokens=7))
    for name, flops in [("router", 2 * WIDTH * EXPERTS), *((one, 2 * K * WIDTH * INNER) for one in ("expand", "gate"))]:
        assert [kernel.flops for kernel in kernels(plan, name)] == [14 * flops] * SIZES.n_blocks
    assert [kernel.flops for kernel in kernels(plan, "contract")] == [14 * 2 * K * WIDTH * INNER] * SIZES.n_blocks


@pytest.mark.parametrize("strategy", SPLIT)
def test_every_rank_routes_and_has_columns_of_every_expert(strategy: str) -> None:
    prompt = job(strategy, 3, n_tokens=12)
    plan, whole = predict(prompt), predict(job(n_tokens=12))
    assert prompt.sizes.feed_forward_width == INNER
    for rank, columns in enumerate(even_split(INNER, 3)):
        assert sum(kernel.flops for kernel in kernels(plan, "router", rank)) == 3 * 12 * 2 * WIDTH * EXPERTS
        for name in ("expand", "gate", "contract"):
            found = sum(kernel.flops for kernel in kernels(plan, name, rank))
            assert found * INNER == sum(kernel.flops for kernel in kernels(whole, name)) * columns


# --- what is read


def expected_by_enumeration(n_experts: int, k: int, n_rows: int) -> float:
    """The mean, over all choices of k experts by each row, of how many different ones there are."""
    choices = list(combinations(range(n_experts), k))
    found = [len(set().union(*one)) for one in product(choices, repeat=n_rows)]
    return sum(found) / len(found)


def sized(n_experts: int, k: int) -> Dimensions:
    return FAMILY.dimensions({**CONFIGS["qwen3_moe"], "num_experts": n_experts, "num_experts_per_tok": k})


@pytest.mark.parametrize(("n_experts", "k", "n_rows"), [(4, 2, 2), (5, 2, 3), (3, 1, 5), (6, 3, 2), (4, 4, 2)])
def test_the_experts_hit_are_the_mean_over_all_that_rows_may_choose(n_experts: int, k: int, n_rows: int) -> None:
    wanted = expected_by_enumeration(n_experts, k, n_rows)
    assert sized(n_experts, k).experts_hit(n_rows) == pytest.approx(wanted, rel=1e-12)


def test_one_row_hits_k_experts_and_many_rows_all() -> None:
    assert SIZES.experts_hit(1) == pytest.approx(K, rel=1e-15)
    assert sized(128, 8).experts_hit(1) == 8
    assert sized(128, 8).experts_hit(2000) == pytest.approx(128, rel=1e-12)


@pytest.mark.parametrize(("batch", "hit"), [(1, 2), (2, 3.2)])
def test_a_step_reads_the_experts_that_its_rows_hit(batch: int, hit: float) -> None:
    step = predict(job(batch=batch).prompt(4).step(9))
    for name, n_in, n_out in [("expand", WIDTH, INNER), ("gate", WIDTH, INNER), ("contract", INNER, WIDTH)]:
        read = 4 * (batch * K * (n_in + n_out)) + round(hit * 4 * n_in * n_out)
        assert [kernel.moved_bytes for kernel in kernels(step, name)] == [read] * SIZES.n_blocks


def test_all_experts_are_held_whatever_is_hit() -> None:
    mixture = EXPERTS * (3 * WIDTH * INNER + WIDTH)  # router and all
    dense = {**CONFIGS["qwen3"], "intermediate_size": INNER}
    without = predict(job(sizes=families.find("qwen3").dimensions(dense)))
    found = predict(job().prompt(4).step(9)).weight_bytes[0] - without.weight_bytes[0]
    assert found == 4 * SIZES.n_blocks * (mixture - 3 * WIDTH * INNER)


# --- what is rounded


def test_experts_are_rounded_row_by_row_and_routers_are_not() -> None:
    model, exact = build("qwen3_moe"), build("qwen3_moe")
    round_to_int8(model, FAMILY)
    for layer, before in zip(FAMILY.layers(model), FAMILY.layers(exact), strict=True):
        assert torch.equal(layer.mlp.gate.weight, before.mlp.gate.weight)
        for name in ("gate_up_proj", "down_proj"):
            own, was = getattr(layer.mlp.experts, name), getattr(before.mlp.experts, name)
            step = was.abs().amax(-1, keepdim=True) / 127
            assert not torch.equal(own, was)
            assert bool(((own - was).abs() <= step * (0.5 + 1e-9)).all())
            assert torch.allclose((own / step).round(), own / step, rtol=0, atol=1e-9)


@pytest.mark.parametrize("implementation", ["eager", "grouped_mm", "batched_mm"])
def test_it_matters_not_how_hugging_face_multiplies_with_its_experts(implementation: str) -> None:
    # a grouped product takes rows of whole 16 bytes, and no float64
    how: dict[str, Any] = {"experts_implementation": implementation, "moe_intermediate_size": 12}
    model, inputs = build("qwen3_moe", **how).float(), inputs_of("qwen3_moe")
    with torch.no_grad():
        found = infer(model, inputs, 3, "tensor_parallel").output
        assert relative_error(found, reference(model, inputs)) < 1e-5


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_a_loaded_model_computes_alone_whatever_its_experts_width(dtype: str) -> None:
    config = {key: value for key, value in CONFIGS["qwen3_moe"].items() if key != "experts_implementation"}
    model = load(ModelSource({"model_type": "qwen3_moe", **config}, None, "lm", dtype, 0))
    with torch.no_grad():
        assert reference(model, inputs_of("qwen3_moe")).dtype == getattr(torch, dtype)


def test_the_routers_logits_lie_on_several_ranks() -> None:
    with pytest.raises(ValueError, match="output_router_logits is not supported"):
        infer(model_of("qwen3_moe", "lm"), {**inputs_of("qwen3_moe"), "output_router_logits": True})


def test_a_model_has_the_sizes_of_its_configuration() -> None:
    assert describe(model_of("qwen3_moe", "lm"))[1] == SIZES
