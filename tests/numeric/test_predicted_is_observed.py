"""Law 2: the Plan that sizes predict is the Plan that real tensors follow, to the byte and the FLOP."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from small_models import (
    FAMILIES,
    KIN,
    MODELS,
    PICTURES,
    TEXT_MODELS,
    build,
    every_variant,
    inputs_of,
    mask_of,
    model_of,
    named,
    reference,
    relative_error,
)
from torch import nn

from prism_sim import infer, strategies
from prism_sim.numeric.infer import describe, job_for
from prism_sim.partition import split
from prism_sim.plan import Compute, Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.strategies.base import Placement
from prism_sim.strategies.model_split import ModelSplit

# batch, tokens N, ranks P, segments L
EVEN = (1, 12, 2, 3)  # P divides N
UNEVEN = (2, 13, 3, 4)  # P does not divide N, nor L the partitions
SIZES = [
    EVEN,
    UNEVEN,
    (2, 7, 3, 10),  # more segments than a partition has tokens
    (2, 9, 1, 3),  # one rank
    (2, 5, 5, 1),  # one token a rank; more ranks than heads or blocks
]
PLACEMENTS = [
    Placement(given, wanted)
    for given in ("terminal", "replicated")  # type: ignore[arg-type]
    for wanted in ("terminal", "in_place")  # type: ignore[arg-type]
]
SHARES = [(0.7, 0.3), (0.2, 0.3, 0.5)]


def predicted(model: nn.Module, inputs: dict[str, Any], strategy: str, ranks: int, **how: Any) -> Plan:
    """The Plan by sizes alone, without a forward pass."""
    placement = how.pop("placement", Placement())
    kind = strategies.find(strategy).options
    options = kind(**{name: value for name, value in how.items() if name in kind.__dataclass_fields__})
    return predict(job_for(model, inputs, ranks, strategy, options, placement))


def models_and_variants(models: list[tuple[str, str]]) -> list[tuple[tuple[str, str], tuple[str, dict[str, Any]]]]:
    """Every variant on each family's bare model; a head, which only asks for other rows, under each strategy."""
    pairs = product(models, every_variant())
    return [(model, variant) for model, variant in pairs if model[1] == "none" or not variant[1]]


def models_variants_and_sizes() -> list[tuple[Any, Any, tuple[int, int, int, int]]]:
    """Every size on bare models, where blocks differ, the easiest of the defaults alone.

    A head only asks for other rows, which parts that are not equal tell apart.
    """
    return [
        (model, variant, sizes)
        for (model, variant), sizes in product(models_and_variants(MODELS), SIZES)
        if sizes == UNEVEN or (model[1] == "none" and (sizes != EVEN or not variant[1]))
    ]


def assert_same(model: nn.Module, inputs: dict[str, Any], **how: Any) -> None:
    observed = infer(model, inputs, observe=True, **how).plan
    expected = predicted(model, inputs, **how)
    assert observed.exchanges == expected.exchanges
    assert observed.observable() == expected.observable()
    assert any(step.flops for program in observed.programs for step in program if isinstance(step, Compute))


def assert_both_refuse(model: nn.Module, inputs: dict[str, Any], **how: Any) -> None:
    with pytest.raises(ValueError, match=r"but the model has 3|batch of 1") as by_sizes:
        predicted(model, inputs, **how)
    with pytest.raises(ValueError, match=r"but the model has 3|batch of 1") as by_tensors:
        infer(model, inputs, **how)
    assert str(by_sizes.value) == str(by_tensors.value)


@pytest.mark.parametrize(("model", "variant", "sizes"), models_variants_and_sizes(), ids=named)
def test_whatever_the_model_the_strategy_and_the_sizes(
    model: tuple[str, str], variant: tuple[str, dict[str, Any]], sizes: tuple[int, int, int, int]
) -> None:
    (batch, n_tokens, ranks, segments), (strategy, options) = sizes, variant
    built, inputs = model_of(*model, n_tokens), inputs_of(model[0], batch, n_tokens)
    how = {"ranks": ranks, "segments": segments, "strategy": strategy, **options}
    sizes_of_model, options_kind = describe(built)[1], strategies.find(strategy).options
    n_items = sizes_of_model.n_blocks if strategy == "pipeline" else sizes_of_model.n_heads
    too_few = issubclass(options_kind, ModelSplit) and ranks > n_items
    if too_few or options.get("micro_batches", 1) > batch:
        assert_both_refuse(built, inputs, **how)
    else:
        assert_same(built, inputs, **how)


OF_KIN = [(model, side) for model in KIN for side in ("none", "left") if side == "none" or model[0] not in PICTURES]


@pytest.mark.parametrize(("model", "padding"), OF_KIN, ids=named)
def test_whichever_kin_of_a_family_it_is(model: tuple[str, str], padding: str) -> None:
    """Every option on the bare one; heads and padding, which are a kin's own borders, under each strategy."""
    inputs, is_bare = inputs_of(model[0], 2, 13, padding=padding), model[1] == "none" and padding == "none"
    for strategy, options in every_variant():
        if not options or (is_bare and "compressor" not in options):  # compressors meet the families above
            assert_same(model_of(*model, 13), inputs, ranks=3, segments=4, strategy=strategy, **options)


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5), (0.1, 0.2, 0.3, 0.4), (1 / 6,) * 6], ids=lambda shares: str(len(shares))
)
@pytest.mark.parametrize("name", ["tensor_parallel", "galaxy"])
@pytest.mark.parametrize("n_key_heads", [1, 2, 3, 6])
def test_however_heads_that_share_keys_and_values_are_split(
    n_key_heads: int, name: str, shares: tuple[float, ...]
) -> None:
    """Six heads: the keys and values of a group are computed on every rank that has heads of it, and held there."""
    model, inputs = build("llama", num_key_value_heads=n_key_heads), inputs_of("llama", 2, 12)
    assert_same(model, inputs, ranks=len(shares), strategy=name, shares=shares)
    with torch.no_grad():
        found = infer(model, inputs, ranks=len(shares), strategy=name, shares=shares).output
        assert relative_error(found, reference(model, inputs)) < 1e-10
    sizes, n_ranks = describe(model)[1], len(shares)
    groups = [{head * n_key_heads // 6 for head in own} for own in split(6, n_ranks, shares, "heads")]
    whole = predicted(model, inputs, "single", 1).weight_bytes[0]
    held = predicted(model, inputs, name, n_ranks, shares=shares).weight_bytes[:n_ranks]
    again = sum(map(len, groups)) - n_key_heads  # key/value heads that more than one rank computes
    of_a_head = 2 * (sizes.width + 1) * sizes.head_width  # key and value, with their biases
    norms_and_biases = 2 * sizes.width + 2 * sizes.width
    assert sum(held) - whole == 8 * sizes.n_blocks * (again * of_a_head + (n_ranks - 1) * norms_and_biases)


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("name", [name for name, found in strategies.catalogue().items() if not found.splits_tokens])
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_of_one_token_where_tokens_are_not_split(family: str, name: str, batch: int) -> None:
    model, inputs = model_of(family), inputs_of(family, batch, 1)
    assert_same(model, inputs, ranks=3, strategy=name)
    with torch.no_grad():
        found = infer(model, inputs, ranks=3, strategy=name).output
        assert relative_error(found, reference(model, inputs)) < 1e-10


@pytest.mark.parametrize(
    ("family", "variant", "placement"),
    [
        (family, variant, placement)
        for family, variant, placement in product(FAMILIES, every_variant(), PLACEMENTS)
        if placement != Placement()  # which sizes and models meet above
        and (family == FAMILIES[0] or (placement == PLACEMENTS[-1] and not variant[1]))
    ],
    ids=named,
)
def test_wherever_the_input_lies_and_the_output_is_wanted(
    family: str, variant: tuple[str, dict[str, Any]], placement: Placement
) -> None:
    strategy, options = variant
    model, inputs = model_of(family, n_tokens=10), inputs_of(family, 2, 10)
    assert_same(model, inputs, ranks=3, strategy=strategy, segments=2, placement=placement, **options)


@pytest.mark.parametrize(
    ("model", "variant", "padding"),
    [
        (model, variant, padding)
        for (model, variant), padding in product(models_and_variants(TEXT_MODELS), ("right", "left", "holes"))
        if padding == "holes" or (model[1] == "none" and not variant[1])  # of all kinds in one
    ],
    ids=named,
)
def test_with_padding(model: tuple[str, str], variant: tuple[str, dict[str, Any]], padding: str) -> None:
    strategy, options = variant
    inputs = inputs_of(model[0], 2, 11, padding=padding)
    assert_same(model_of(*model), inputs, ranks=3, strategy=strategy, segments=2, **options)


@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda where: f"{where.input}-{where.output}")
@pytest.mark.parametrize("name", strategies.catalogue())
def test_the_mask_travels_where_the_input_does(name: str, placement: Placement) -> None:
    inputs = inputs_of("bert", 2, 11, padding="right")
    how = {"ranks": 3, "strategy": name, "placement": placement}
    assert_same(model_of("bert"), inputs, **how)
    bare = {"input_ids": inputs["input_ids"]}
    more = _moved(predicted(model_of("bert"), inputs, **how)) - _moved(predicted(model_of("bert"), bare, **how))
    if placement.input == "replicated":
        assert more == 0
    else:  # one byte a token, at least once
        assert more > 0
        assert more % inputs["input_ids"].numel() == 0


@pytest.mark.parametrize("shares", SHARES, ids=str)
@pytest.mark.parametrize("name", [name for name, found in strategies.catalogue().items() if not found.one_rank])
@pytest.mark.parametrize("family", FAMILIES)
def test_with_uneven_shares(family: str, name: str, shares: tuple[float, ...]) -> None:
    model, inputs = model_of(family, n_tokens=12), inputs_of(family, 2, 12)
    assert_same(model, inputs, ranks=len(shares), strategy=name, segments=2, shares=shares)


@pytest.mark.parametrize("padding", ["none", "holes"])
@pytest.mark.parametrize("family", FAMILIES)
def test_with_segments_block_by_block(family: str, padding: str) -> None:
    if padding == "none" or family != "vit":
        model, inputs = model_of(family, n_tokens=11), inputs_of(family, 2, 11, padding=padding)
        assert_same(model, inputs, ranks=3, strategy="prism", segments=(4, 1, 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", strategies.catalogue())
def test_in_every_precision(name: str, dtype: torch.dtype) -> None:
    model, inputs = build("vit", "image_classification").to(dtype), inputs_of("vit")
    assert_same(model, {"pixel_values": inputs["pixel_values"].to(dtype)}, ranks=2, strategy=name, segments=2)


@pytest.mark.parametrize("name", strategies.catalogue())
@pytest.mark.parametrize("family", FAMILIES)
def test_while_training(family: str, name: str) -> None:
    assert_same(build(family).train(), inputs_of(family), ranks=2, strategy=name, segments=2)


@pytest.mark.parametrize("name", strategies.catalogue())
def test_without_gradients(name: str) -> None:
    with torch.inference_mode():  # torch may choose other attention kernels
        assert_same(build("bert"), inputs_of("bert"), ranks=2, strategy=name, segments=2)


@pytest.mark.parametrize("kept", [1, 4, 99])
@pytest.mark.parametrize("name", strategies.catalogue())
def test_where_a_language_model_keeps_the_last_logits_only(name: str, kept: int) -> None:
    inputs = {**inputs_of("gpt2", 2, 11), "logits_to_keep": kept}
    assert_same(model_of("gpt2", "lm"), inputs, ranks=3, strategy=name, segments=2)


@pytest.mark.parametrize(
    ("head", "changes"),
    [
        ("image_classification", {"qkv_bias": False}),
        ("image_classification", {"num_labels": 0}),
        ("none", {"pooler_output_size": 7}),
        ("none", {"num_channels": 1}),
        ("none", {"image_size": (10, 15), "patch_size": (4, 3)}),  # two rows of patches are left over at the bottom
    ],
    ids=named,
)
def test_of_unusual_vits(head: str, changes: dict[str, Any]) -> None:
    model = build("vit", head, **changes)
    config = model.config
    height, width = config.image_size
    generator = torch.Generator().manual_seed(3)
    shape = (2, config.num_channels, height, width)
    inputs = {"pixel_values": torch.randn(shape, generator=generator, dtype=torch.float64)}
    for given in ("terminal", "replicated"):
        placement = Placement(input=given)  # type: ignore[arg-type]
        assert_same(model, inputs, ranks=2, strategy="prism", segments=2, placement=placement)


def test_a_mask_without_padding_is_no_padding() -> None:
    inputs = inputs_of("bert")
    masked = {**inputs, "attention_mask": torch.ones_like(mask_of(2, 9, "right"))}
    assert infer(model_of("bert"), masked).plan == infer(model_of("bert"), inputs).plan


def test_what_infer_gives_without_observing_is_the_prediction() -> None:
    model, inputs = model_of("gpt2", "lm"), inputs_of("gpt2")
    assert infer(model, inputs, ranks=3, segments=2).plan == predicted(model, inputs, "prism", 3, segments=2)


def _moved(plan: Plan) -> int:
    return sum(sum(exchange.bytes_by_rank) for exchange in plan.exchanges)


@pytest.mark.parametrize("padding", ["none", "left", "right"])
@pytest.mark.parametrize("how", [{"chunks": 2}, {"chunks": 13}, {"chunks": 3, "micro_batches": 2}], ids=named)
@pytest.mark.parametrize("model", [("gpt2", "lm"), ("llama", "none")], ids=named)
def test_a_causal_models_tokens_in_chunks(model: tuple[str, str], how: dict[str, Any], padding: str) -> None:
    built, inputs = model_of(*model), inputs_of(model[0], 2, 13, padding=padding)
    assert_same(built, inputs, ranks=3, strategy="pipeline", **how)
    with torch.no_grad():
        found = infer(built, inputs, ranks=3, strategy="pipeline", **how).output
        real = torch.ones(2, 13, dtype=torch.bool) if padding == "none" else inputs["attention_mask"].bool()
        assert relative_error(found[real], reference(built, inputs)[real]) < 1e-10


def test_what_cannot_be_cut_into_chunks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"chunks\(=2\) need a causal model"):
        infer(model_of("bert"), inputs_of("bert"), ranks=2, strategy="pipeline", chunks=2)
    with pytest.raises(ValueError, match=r"chunks\(=10\) must be at most the 9 tokens"):
        infer(model_of("gpt2"), inputs_of("gpt2"), ranks=2, strategy="pipeline", chunks=10)
