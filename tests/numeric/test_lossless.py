"""Law 3: a lossless strategy reproduces Hugging Face's own output; a lossy one does once nothing is left out.

Everything is computed in float64: three to five blocks of sums over some 40 terms round to a few parts in 1e15.
"""

from __future__ import annotations

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
    model_of,
    named,
    reference,
    relative_error,
)
from torch import Tensor

from prism_sim import compressors, infer, strategies
from prism_sim.strategies.base import Placement

TOLERANCE = 1e-10
RANKS = [1, 2, 3, 5]
BARE = [(family, "none") for family in FAMILIES]
# a head only asks for other rows, which three uneven parts tell apart
MODELS_AND_RANKS = [(model, ranks) for model in MODELS for ranks in RANKS if ranks == 3 or model in BARE]
SIDES = ("none", "right", "left")
PADDED = [
    (model, ranks, side)
    for model, ranks in MODELS_AND_RANKS
    for side in SIDES
    if side == "none" or (model in TEXT_MODELS and ranks == 3)
]
N_TOKENS = 11  # 2, 3 and 5 ranks share them unevenly


def is_lossless(strategy: str, options: dict[str, Any]) -> bool:
    found = strategies.find(strategy)
    return found.lossless(found.options(**options))


LOSSLESS = [variant for variant in every_variant() if is_lossless(*variant)]
LOSSLESS_COMPRESSORS = [name for name, entry in compressors.catalogue().items() if entry.lossless]


def at_real_tokens(rows: Tensor, inputs: dict[str, Any]) -> Tensor:
    """Rows of padded tokens say nothing; outputs of one row a sample stay as they are."""
    mask = inputs.get("attention_mask")
    if mask is None or rows.dim() == 2:
        return rows
    return (rows.transpose(1, 2) if rows.shape[1] != mask.shape[1] else rows)[mask.bool()]  # of answers, (2, tokens)


@pytest.mark.parametrize("variant", LOSSLESS, ids=named)
@pytest.mark.parametrize(("model", "ranks"), MODELS_AND_RANKS, ids=named)
def test_a_lossless_strategy_gives_the_models_own_output(
    model: tuple[str, str], variant: tuple[str, dict[str, Any]], ranks: int
) -> None:
    strategy, options = variant
    built, inputs = model_of(*model, N_TOKENS, five=True), inputs_of(model[0], 2, N_TOKENS)
    with torch.no_grad():
        found = infer(built, inputs, ranks=ranks, strategy=strategy, **options).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize(
    ("model", "padding"),
    [(model, side) for model in TEXT_MODELS for side in ("right", "left", "holes") if side == "holes" or model in BARE],
    ids=named,
)
@pytest.mark.parametrize("variant", LOSSLESS, ids=named)
def test_padding_changes_nothing_at_real_tokens(
    model: tuple[str, str], variant: tuple[str, dict[str, Any]], padding: str
) -> None:
    strategy, options = variant
    built, inputs = model_of(*model), inputs_of(model[0], 2, N_TOKENS, padding=padding)
    with torch.no_grad():
        found = at_real_tokens(infer(built, inputs, ranks=3, strategy=strategy, **options).output, inputs)
        assert relative_error(found, at_real_tokens(reference(built, inputs), inputs)) < TOLERANCE


OF_KIN = [(model, side) for model in KIN for side in ("none", "left") if side == "none" or model[0] not in PICTURES]


@pytest.mark.parametrize(("model", "padding"), OF_KIN, ids=named)
def test_nor_does_it_matter_which_kin_of_a_family_it_is(model: tuple[str, str], padding: str) -> None:
    built, inputs = model_of(*model, N_TOKENS), inputs_of(model[0], 2, N_TOKENS, padding=padding)
    with torch.no_grad():
        wanted = at_real_tokens(reference(built, inputs), inputs)
        whole = model[1] == "none" and padding == "none"  # heads and padding, a kin's own borders, once a strategy
        for strategy, options in [*LOSSLESS, ("prism", {"segments": N_TOKENS})]:
            if options and not whole and strategy != "prism":
                continue
            found = infer(built, inputs, ranks=3, strategy=strategy, **options).output
            assert relative_error(at_real_tokens(found, inputs), wanted) < TOLERANCE, (strategy, options)


@pytest.mark.parametrize("variant", LOSSLESS, ids=named)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("wanted", ["terminal", "in_place"])
def test_neither_does_the_placement(family: str, variant: tuple[str, dict[str, Any]], wanted: str) -> None:
    strategy, options = variant
    built, inputs = model_of(family, n_tokens=N_TOKENS), inputs_of(family, 2, N_TOKENS)
    placement = Placement("replicated", wanted)  # type: ignore[arg-type]
    with torch.no_grad():
        found = infer(built, inputs, ranks=3, strategy=strategy, placement=placement, **options).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize("name", [name for name, _ in LOSSLESS if not strategies.find(name).one_rank])
@pytest.mark.parametrize("family", FAMILIES)
def test_nor_do_uneven_shares(family: str, name: str) -> None:
    built, inputs = model_of(family, n_tokens=N_TOKENS), inputs_of(family, 2, N_TOKENS)
    options = {"compressor": "identity"} if name == "prism" else {}
    with torch.no_grad():
        found = infer(built, inputs, ranks=3, strategy=name, shares=(0.5, 0.2, 0.3), **options).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize("family", FAMILIES)
def test_nor_does_an_embedding_on_every_rank_of_one_token_each(family: str) -> None:
    built, inputs = model_of(family, n_tokens=5), inputs_of(family, 2, 5)  # of a ViT, rank 0 owns CLS and no patch
    found = infer(built, inputs, ranks=5, strategy="voltage", placement=Placement(input="replicated")).output
    assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize(("model", "ranks", "padding"), PADDED, ids=named)
def test_prism_is_exact_once_every_token_is_a_segment(model: tuple[str, str], ranks: int, padding: str) -> None:
    built, inputs = model_of(*model, N_TOKENS), inputs_of(model[0], 2, N_TOKENS, padding=padding)
    with torch.no_grad():
        found = infer(built, inputs, ranks=ranks, segments=N_TOKENS).output
        wanted = reference(built, inputs)
    assert relative_error(at_real_tokens(found, inputs), at_real_tokens(wanted, inputs)) < TOLERANCE


@pytest.mark.parametrize("compressor", LOSSLESS_COMPRESSORS)
@pytest.mark.parametrize(("model", "ranks"), MODELS_AND_RANKS, ids=named)
def test_prism_is_exact_with_a_lossless_compressor(model: tuple[str, str], ranks: int, compressor: str) -> None:
    built, inputs = model_of(*model, N_TOKENS), inputs_of(model[0], 2, N_TOKENS)
    with torch.no_grad():
        found = infer(built, inputs, ranks=ranks, segments=2, compressor=compressor).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize("compressor", ["segment_means", "cluster_means"])
@pytest.mark.parametrize("padding", ["none", "holes"])
def test_means_stand_where_they_stood_though_keys_are_computed_apart(padding: str, compressor: str) -> None:
    inputs, how = inputs_of("llama", 2, N_TOKENS, padding=padding), {"segments": 2, "compressor": compressor}
    with torch.no_grad():
        joined, apart = (infer(model_of("llama"), inputs, 3, overlap=late, **how).output for late in (False, True))
        assert relative_error(at_real_tokens(apart, inputs), at_real_tokens(joined, inputs)) < TOLERANCE


@pytest.mark.parametrize("family", FAMILIES)
def test_prism_on_one_rank_has_nothing_to_compress(family: str) -> None:
    built, inputs = model_of(family), inputs_of(family)
    with torch.no_grad():
        found = infer(built, inputs, ranks=1, segments=1).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


@pytest.mark.parametrize("family", FAMILIES)
def test_prism_with_fewer_segments_than_tokens_is_not_exact(family: str) -> None:
    """Else the tests above would not see what they claim to see."""
    built, inputs = model_of(family), inputs_of(family)
    with torch.no_grad():
        found = infer(built, inputs, ranks=2, segments=2).output
        assert relative_error(found, reference(built, inputs)) > 1e-3


# what else a configuration may ask of attention and feed-forward
UNUSUAL = [
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}),
    ("gpt2", {"scale_attn_weights": False}),
    ("gpt2", {"activation_function": "relu"}),
    ("gpt2", {"n_inner": None}),
    ("vit", {"qkv_bias": False}),
    ("vit", {"hidden_act": "relu"}),
    ("bert", {"hidden_act": "relu", "layer_norm_eps": 0.1}),
    ("bert", {"chunk_size_feed_forward": 3}),
    ("llama", {"num_key_value_heads": 1, "head_dim": None}),
    ("llama", {"num_key_value_heads": 6, "hidden_act": "gelu", "attention_bias": False}),
    ("llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100.0}}),
    ("dinov2", {"use_swiglu_ffn": True, "layerscale_value": 0.3}),
]


@pytest.mark.parametrize("variant", LOSSLESS, ids=named)
@pytest.mark.parametrize("case", UNUSUAL, ids=named)
def test_what_a_configuration_asks_for_is_done(
    case: tuple[str, dict[str, Any]], variant: tuple[str, dict[str, Any]]
) -> None:
    (family, changes), (strategy, options) = case, variant
    n_tokens = 9  # a multiple of the chunks
    built, inputs = build(family, **changes), inputs_of(family, 2, n_tokens)
    with torch.no_grad():
        found = infer(built, inputs, ranks=2, strategy=strategy, **options).output
        assert relative_error(found, reference(built, inputs)) < TOLERANCE


# inputs beside the usual ones
TYPES = torch.tensor([[0, 0, 1, 1, 1, 0, 1, 0, 0]] * 2)
MORE_INPUTS = [
    ("bert", {"token_type_ids": TYPES}),
    ("bert", {"position_ids": torch.arange(9).flip(0)[None]}),
    ("gpt2", {"token_type_ids": TYPES}),
    ("gpt2", {"position_ids": torch.arange(3, 12)[None]}),
    ("gpt2", {"position_ids": torch.zeros(2, 9, dtype=torch.long), "attention_mask": torch.ones(2, 9)}),
    ("llama", {"position_ids": torch.arange(3, 12)[None]}),
    ("llama", {"position_ids": torch.tensor([[0, 0, 1, 2, 3, 5, 8, 9, 9]] * 2), "attention_mask": torch.ones(2, 9)}),
    ("gpt2", {"use_cache": True}),
    ("gpt2", {"logits_to_keep": 1}),  # ignored by a bare model
    ("vit", {"attention_mask": torch.tensor([[1] * 7 + [0] * 2] * 2)}),
]


@pytest.mark.parametrize("case", MORE_INPUTS, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")
def test_what_else_a_model_reads_is_read(case: tuple[str, dict[str, Any]]) -> None:
    family, more = case
    built, inputs = model_of(family), {**inputs_of(family), **more}
    plain = {name: value for name, value in inputs.items() if name not in ("use_cache", "logits_to_keep")}
    with torch.no_grad():
        found = infer(built, inputs, ranks=2, strategy="voltage").output
        assert relative_error(found, reference(built, plain)) < TOLERANCE
