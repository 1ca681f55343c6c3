"""Codebooks of vector quantisation: what they are fitted to, by whom they are held, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from small_models import build, inputs_of, model_of, reference, relative_error
from torch import nn

from prism_sim import fit_codebooks, infer
from prism_sim.numeric.codebooks import k_means

VQ = {"compressor": "vector_quantisation", "codebook_size": 32, "codebook_groups": 2}


def loss_of(model: nn.Module, inputs: dict[str, Any], **how: Any) -> float:
    with torch.no_grad():
        found = infer(model, inputs, ranks=2, **{**VQ, **how}).output
    return relative_error(found, reference(model, inputs))


@pytest.mark.parametrize("family", ["vit", "bert", "gpt2"])
def test_codebooks_that_hold_every_row_make_the_output_exact(family: str) -> None:
    """Fitted to the input itself, with a code for every row: each block hands exact rows to the next."""
    model, inputs = model_of(family, n_tokens=9), inputs_of(family, 2, 9)
    codebooks = fit_codebooks(model, [inputs], **VQ)
    assert [tuple(table.shape) for table in codebooks] == [(32, 24)] * 3
    assert loss_of(model, inputs, codebooks=codebooks) < 1e-10
    assert loss_of(model, inputs) > 1e-4  # fitted to noise


def test_the_same_batches_give_the_same_codebooks_to_the_bit() -> None:
    model, batches = model_of("bert"), [inputs_of("bert", 8, 11, seed=seed) for seed in (3, 4)]
    first, second = (fit_codebooks(model, batches, **VQ) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    other = fit_codebooks(model, batches[:1], **VQ)
    assert not torch.equal(first[0], other[0])


def test_more_codes_lose_less() -> None:
    model, batch = model_of("bert"), inputs_of("bert", 16, 11, seed=3)
    losses = []
    for size in (2, 8, 128):
        codebooks = fit_codebooks(model, [batch], **{**VQ, "codebook_size": size})
        losses.append(loss_of(model, inputs_of("bert", 2, 11), codebooks=codebooks, codebook_size=size))
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    "how", [{"segments": 2, "compressor": "segment_means+vector_quantisation"}, {"shares": (0.6, 0.4)}]
)
def test_codebooks_of_a_chain_are_fitted_to_what_it_packs(how: dict[str, Any]) -> None:
    """Else the codebooks of all rows would not hold the means."""
    model, inputs = model_of("bert"), inputs_of("bert", 2, 9)
    codebooks = fit_codebooks(model, [inputs], **{**VQ, **how})
    plain = {name: value for name, value in how.items() if name != "compressor"}
    packed = infer(model, inputs, ranks=2, codebooks=codebooks, **{**VQ, **how}).output
    unpacked = infer(model, inputs, ranks=2, compressor="segment_means", **{"segments": 9, **plain}).output
    if "compressor" in how:  # only the first block's rows are the undistributed model's, so later ones may differ
        codes = infer(model, inputs, ranks=2, codebooks=fit_codebooks(model, [inputs], **VQ), **{**VQ, **how}).output
        assert relative_error(packed, unpacked) < relative_error(codes, unpacked)
    else:
        assert relative_error(packed, unpacked) < 1e-10


def test_padding_is_not_fitted_to() -> None:
    inputs = inputs_of("bert", 2, 9, padding="right")
    real = inputs["attention_mask"].bool()
    other = {**inputs, "input_ids": torch.where(real, inputs["input_ids"], (inputs["input_ids"] + 7) % 37)}
    first, second = (fit_codebooks(model_of("bert"), [given], **VQ) for given in (inputs, other))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_calibration_leaves_the_model_as_it_was() -> None:
    model = build("bert").train()
    model.encoder.layer[1].eval()
    modes = [module.training for module in model.modules()]
    weights = copy.deepcopy(model.state_dict())
    fit_codebooks(model, [inputs_of("bert", 2, 9)], **VQ)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not any(layer._forward_pre_hooks for layer in model.encoder.layer)


def test_by_default_codebooks_follow_the_models_parameters() -> None:
    """A model that has learned is calibrated anew; one that has not gives the same bits."""
    model, inputs = build("bert"), inputs_of("bert", 2, 9)
    with torch.no_grad():
        before = infer(model, inputs, **VQ).output
        assert torch.equal(infer(model, inputs, **VQ).output, before)
        model.encoder.layer[0].attention.output.dense.weight.mul_(1.5)
        after = infer(model, inputs, **VQ).output
        assert torch.equal(after, infer(copy.deepcopy(model), inputs, **VQ).output)
    assert not torch.equal(before, after)


def test_calibration_in_inference_mode_serves_training_later() -> None:
    model, inputs = build("bert"), inputs_of("bert", 2, 9)
    with torch.inference_mode():
        first = infer(model, inputs, **VQ).output
    second = infer(model, inputs, **VQ).output
    second.sum().backward()
    assert torch.equal(first, second.detach())


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"compressor": "int8", "codebook_size": None, "codebook_groups": None}, "needs no codebooks"),
        ({"ranks": 1}, r"prism over 1 rank\(s\) needs no codebooks"),
        ({"strategy": "voltage", "compressor": None, "codebook_size": None, "codebook_groups": None}, "needs no codeb"),
        ({"codebook_size": 1}, r"codebook_size\(=1\) must be >= 2"),
        ({"batches": []}, "at least one batch"),
    ],
)
def test_what_cannot_be_fitted_is_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_codebooks(model_of("bert"), **{"batches": [inputs_of("bert")], **VQ, **how})


def test_codebooks_of_another_shape_are_refused() -> None:
    model, inputs = model_of("bert"), inputs_of("bert")
    codebooks = fit_codebooks(model, [inputs], **VQ)
    with pytest.raises(ValueError, match=r"codebooks have the shapes .*32, 24.*but the blocks need .*64, 24"):
        infer(model, inputs, codebooks=codebooks, **{**VQ, "codebook_size": 64})


# --- k-means


def test_no_more_points_than_centres_are_the_centres() -> None:
    points = torch.tensor([[3.0, 1], [1, 2], [3, 1], [1, 2], [0, 0]]).double()
    found = k_means(points, 5, torch.Generator().manual_seed(0))
    assert sorted(found.unique(dim=0).tolist()) == [[0, 0], [1, 2], [3, 1]]
    assert found.shape == (5, 2)


def test_centres_settle_on_the_means_of_what_they_are_nearest_to() -> None:
    generator = torch.Generator().manual_seed(0)
    kinds = torch.tensor([[0.0, 0], [100, 0], [0, 100]]).double()
    points = kinds.repeat_interleave(torch.tensor([5, 9, 3]), 0) + torch.randn(17, 2, generator=generator).double()
    found = k_means(points, 8, generator)
    nearest_to = torch.cdist(points, found).argmin(1)
    for centre in nearest_to.unique():
        torch.testing.assert_close(found[centre], points[nearest_to == centre].mean(0))
