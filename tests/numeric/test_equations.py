"""PRISM's equations, each against an oracle that is written another way."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from small_models import FAMILIES, TEXT_MODELS, inputs_of, mask_of, model_of, named, reference, relative_error
from torch import Tensor, nn

from prism_sim import families, infer
from prism_sim.numeric.equations import (
    attention_bias,
    partition_aware_causal_mask,
    scaling_aware_attention,
    segment_means,
)
from prism_sim.partition import Keys, split

ROUNDING = 1e-13  # sums of some hundred float64 terms of order one
# tokens, segments: even, uneven, one, all
CUTS = [(12, 3), (13, 4), (7, 5), (9, 1), (6, 6), (1, 1)]


def noise(*shape: int, seed: int = 0, **how: Any) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64, **how)


def mask(batch: int, n_tokens: int, seed: int = 5) -> Tensor:
    """(batch, tokens), true at about two tokens in three."""
    return torch.rand(batch, n_tokens, generator=torch.Generator().manual_seed(seed)) < 2 / 3


def means_by_hand(x: Tensor, n_segments: int, real: Tensor) -> tuple[Tensor, Tensor]:
    """Sample by sample, segment by segment, token by token."""
    means, counts = torch.zeros(len(x), n_segments, x.shape[2], dtype=x.dtype), torch.zeros(len(x), n_segments)
    for sample in range(len(x)):
        for segment, run in enumerate(np.array_split(np.arange(x.shape[1]), n_segments)):
            rows = [x[sample, token] for token in run if real[sample, token]]
            counts[sample, segment] = len(rows)
            if rows:
                means[sample, segment] = torch.stack(rows).mean(0)
    return means, counts


# --- segment means


@pytest.mark.parametrize(("n_tokens", "n_segments"), CUTS)
def test_segments_are_cut_as_numpy_cuts_arrays(n_tokens: int, n_segments: int) -> None:
    x = noise(3, n_tokens, 4)
    means, counts = segment_means(x, n_segments)
    runs = np.array_split(x.numpy(), n_segments, axis=1)
    np.testing.assert_allclose(means.numpy(), np.stack([run.mean(1) for run in runs], 1), atol=ROUNDING)
    assert counts.tolist() == [[run.shape[1] for run in runs]] * 3


@pytest.mark.parametrize(("n_tokens", "n_segments"), CUTS)
def test_a_padded_token_enters_no_mean_and_no_count(n_tokens: int, n_segments: int) -> None:
    x, real = noise(3, n_tokens, 4), mask(3, n_tokens)
    means, counts = segment_means(x, n_segments, real)
    wanted_means, wanted_counts = means_by_hand(x, n_segments, real)
    torch.testing.assert_close(means, wanted_means, rtol=0, atol=ROUNDING)
    assert counts.tolist() == wanted_counts.tolist()


def test_padding_does_not_enter_however_large_it_is() -> None:
    x, real = noise(1, 6, 4), torch.tensor([[True, True, False, True, False, False]])
    loud = torch.where(real[..., None], x, 1e300)
    assert torch.equal(segment_means(loud, 2, real)[0], segment_means(x, 2, real)[0])


def test_a_segment_of_padding_alone_is_zero_and_counts_for_nothing() -> None:
    real = torch.tensor([[True] * 3 + [False] * 3])
    means, counts = segment_means(noise(1, 6, 4), 2, real)
    assert counts.tolist() == [[3, 0]]
    assert means[0, 1].tolist() == [0.0] * 4


def test_a_mask_without_padding_is_no_mask() -> None:
    x = noise(2, 7, 4)
    with_mask, without = segment_means(x, 3, torch.ones(2, 7, dtype=torch.bool)), segment_means(x, 3)
    assert all(torch.equal(a, b) for a, b in zip(with_mask, without, strict=True))


def test_means_of_single_tokens_are_the_tokens() -> None:
    x = noise(2, 5, 4)
    assert torch.equal(segment_means(x, 5)[0], x)


@pytest.mark.parametrize("n_segments", [0, -1, 8])
def test_a_number_of_segments_that_cannot_be_is_refused(n_segments: int) -> None:
    with pytest.raises(ValueError, match=rf"n_segments\(={n_segments}\) must be between 1 and the 7 tokens"):
        segment_means(noise(1, 7, 4), n_segments)


# --- attention


@pytest.mark.parametrize("counts", [[1, 1, 1], [3, 1, 5], [7], [2, 2]], ids=str)
def test_a_mean_of_c_tokens_attends_like_c_copies(counts: list[int]) -> None:
    q, k, v = noise(2, 3, 5, 4, seed=1), noise(2, 3, len(counts), 4, seed=2), noise(2, 3, len(counts), 4, seed=3)
    copies = torch.tensor(counts)
    once = scaling_aware_attention(q, k, v, attention_bias(copies[None].double()), 0.5)
    logits = q @ k.repeat_interleave(copies, 2).transpose(2, 3) * 0.5  # (B, heads, Q, tokens)
    repeated = logits.softmax(-1) @ v.repeat_interleave(copies, 2)
    torch.testing.assert_close(once, repeated, rtol=0, atol=ROUNDING)


def test_attention_weighs_as_the_equation_says() -> None:
    """A_ij = g_j exp(q_i.k_j / sqrt(d)) / sum_m g_m exp(q_i.k_m / sqrt(d)), with values that read the weights out."""
    q, k, g = noise(1, 1, 3, 4, seed=1), noise(1, 1, 5, 4, seed=2), torch.tensor([1.0, 4, 2, 1, 9]).double()
    weights = scaling_aware_attention(q, k, torch.eye(5).double()[None, None], attention_bias(g[None]), 4**-0.5)
    unscaled = g * (q @ k.transpose(2, 3) / 2).exp()
    torch.testing.assert_close(weights, unscaled / unscaled.sum(-1, keepdim=True), rtol=0, atol=ROUNDING)


def test_a_count_of_one_biases_nothing() -> None:
    assert attention_bias(torch.ones(2, 4)).abs().max() == 0


@pytest.mark.parametrize(
    ("batch", "visible", "shape"),
    [(1, None, (1, 1, 1, 6)), (3, None, (3, 1, 1, 6)), (1, (5, 6), (1, 1, 5, 6)), (3, (5, 6), (3, 1, 5, 6))],
    ids=str,
)
def test_a_bias_has_a_place_for_sample_head_query_and_key(
    batch: int, visible: tuple[int, int] | None, shape: tuple[int, ...]
) -> None:
    seen = None if visible is None else torch.ones(visible, dtype=torch.bool)
    assert attention_bias(torch.ones(batch, 6), seen).shape == shape


def test_a_key_of_no_tokens_weighs_exactly_nothing() -> None:
    q, k, v = noise(1, 2, 3, 4, seed=1), noise(1, 2, 4, 4, seed=2), noise(1, 2, 4, 4, seed=3)
    bias = attention_bias(torch.tensor([[3.0, 0, 1, 0]]).double())
    kept = [0, 2]
    without = scaling_aware_attention(q, k[:, :, kept], v[:, :, kept], bias[..., kept], 0.5)
    torch.testing.assert_close(scaling_aware_attention(q, k, v, bias, 0.5), without, rtol=0, atol=ROUNDING)
    louder = v.clone()
    louder[:, :, [1, 3]] = 1e300
    assert torch.equal(scaling_aware_attention(q, k, louder, bias, 0.5), scaling_aware_attention(q, k, v, bias, 0.5))


def test_a_query_that_sees_nothing_gets_numbers_all_the_same() -> None:
    bias = attention_bias(torch.zeros(1, 3).double(), torch.zeros(2, 3, dtype=torch.bool))
    assert scaling_aware_attention(noise(1, 1, 2, 4), noise(1, 1, 3, 4), noise(1, 1, 3, 4), bias, 0.5).isfinite().all()


# --- causality


def test_own_rows_are_lower_triangular() -> None:
    rows = torch.arange(4, 9)
    assert torch.equal(partition_aware_causal_mask(rows, rows), torch.ones(5, 5).tril().bool())


def test_means_of_earlier_ranks_are_seen_and_of_later_ranks_are_not() -> None:
    parts = split(13, 3)
    for rank, own in enumerate(parts):
        for other, part in enumerate(parts):
            if other != rank:
                last_tokens = torch.tensor(Keys(part, 2).last_tokens)
                seen = partition_aware_causal_mask(torch.arange(own.start, own.stop), last_tokens)
                assert bool(seen.all() if other < rank else (~seen).all())


# --- the whole


class ReplacedByMeans(nn.Module):
    """A Hugging Face layer run once a rank, on all rows, with the others' rows replaced by their segments' means.

    That is PRISM without its shortcut: each mean stands there once for every token that it stands for, and, where a
    model turns queries and keys by their positions, at the mean of those.
    """

    def __init__(self, trunk: nn.Module, layer: nn.Module, parts: tuple[range, ...], segments: int, real: Tensor):
        super().__init__()
        self.layer, self.parts, self.segments, self.real = layer, parts, segments, real
        self.rotary = getattr(trunk, "rotary_emb", None)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        outputs = []
        positions = torch.arange(x.shape[1]).double().expand(len(x), -1)[..., None]
        for own in self.parts:
            rows, stand = (
                torch.cat([old[:, part] if part == own else self.replaced(old, part) for part in self.parts], 1)
                for old in (x, positions)
            )
            if self.rotary is not None:
                kwargs["position_embeddings"] = self.rotary(x, stand[..., 0])
            outputs.append(self.layer(rows, *args, **kwargs)[:, own.start : own.stop])
        return torch.cat(outputs, 1)

    def replaced(self, x: Tensor, part: range) -> Tensor:
        segments = min(self.segments, len(part))
        means, _ = means_by_hand(x[:, part], segments, self.real[:, part])
        lengths = [len(run) for run in np.array_split(np.arange(len(part)), segments)]
        return means.repeat_interleave(torch.tensor(lengths), 1)


PADDED = [("vit", "none")] + [
    (family, side) for family in dict(TEXT_MODELS) for side in ("none", "right", "left", "holes")
]


@pytest.mark.parametrize(("ranks", "segments"), [(2, 1), (2, 3), (3, 2), (5, 1)])
@pytest.mark.parametrize(("family", "padding"), PADDED, ids=named)
def test_prism_is_the_model_with_the_others_rows_replaced_by_means(
    family: str, padding: str, ranks: int, segments: int
) -> None:
    n_tokens = 13
    built, inputs = model_of(family, n_tokens=n_tokens), inputs_of(family, 2, n_tokens, padding=padding)
    real = inputs.get("attention_mask", torch.ones(2, n_tokens)).bool()
    oracle = copy.deepcopy(built)
    layers = oracle.get_submodule(families.find(family).layer_list)
    for index, layer in enumerate(layers):
        layers[index] = ReplacedByMeans(built, layer, split(n_tokens, ranks), segments, real)
    with torch.no_grad():
        found, wanted = infer(built, inputs, ranks=ranks, segments=segments).output, reference(oracle, inputs)
    assert relative_error(found[real], wanted[real]) < 1e-10  # some hundred roundings, three blocks


@pytest.mark.parametrize("family", FAMILIES)
def test_each_block_sees_means_of_as_many_segments_as_its_own_number_says(family: str) -> None:
    n_tokens, listed = 13, (1, 5, 2)
    built, inputs = model_of(family, n_tokens=n_tokens), inputs_of(family, 2, n_tokens)
    oracle = copy.deepcopy(built)
    layers = oracle.get_submodule(families.find(family).layer_list)
    real = torch.ones(2, n_tokens).bool()
    for index, segments in enumerate(listed):
        layers[index] = ReplacedByMeans(built, layers[index], split(n_tokens, 3), segments, real)
    with torch.no_grad():
        found, wanted = infer(built, inputs, ranks=3, segments=listed).output, reference(oracle, inputs)
    assert relative_error(found, wanted) < 1e-10


# --- gradients and precisions


def test_gradients_of_segment_means_are_their_finite_differences() -> None:
    real = mask(2, 7)
    for given in (None, real):
        assert torch.autograd.gradcheck(
            lambda x, given=given: segment_means(x, 3, given)[0], noise(2, 7, 3, requires_grad=True)
        )


def test_gradients_of_attention_are_their_finite_differences() -> None:
    counts, seen = torch.tensor([[1.0, 1, 4, 0]]).double(), torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]]).bool()
    bias = attention_bias(counts, seen)
    q, k, v = (noise(1, 2, n, 3, seed=n, requires_grad=True) for n in (2, 4, 4))
    assert torch.autograd.gradcheck(lambda q, k, v: scaling_aware_attention(q, k, v, bias, 0.5), (q, k, v))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_lower_precision_costs_only_rounding(family: str, dtype: torch.dtype) -> None:
    exact, inputs = model_of(family), inputs_of(family, padding="none" if family == "vit" else "right")
    rounded = {name: x.to(dtype) if x.is_floating_point() else x for name, x in inputs.items()}
    real = inputs.get("attention_mask", mask_of(2, 9, "right") * 0 + 1).bool()
    with torch.no_grad():
        found = infer(copy.deepcopy(exact).to(dtype), rounded, ranks=2, segments=2).output
        wanted = infer(exact, inputs, ranks=2, segments=2).output
    assert found.dtype == dtype
    # three blocks of some ten roundings each, of which each may be felt in full
    assert relative_error(found.double()[real], wanted[real]) < 30 * torch.finfo(dtype).eps
