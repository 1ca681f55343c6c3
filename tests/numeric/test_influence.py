"""What must not be felt is not felt at all: gradients are exactly zero, outputs the same to the bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import VOCABULARY, every_variant, inputs_of, mask_of, model_of, named
from torch import Tensor, nn

from prism_sim import infer


def gradient_at_embeddings(model: nn.Module, inputs: dict[str, Any], row: int, **how: Any) -> Tensor:
    """(tokens,): how much each token's embedding moves what comes out at `row`, over all samples."""
    embedded: list[Tensor] = []
    hook = model.get_input_embeddings().register_forward_hook(lambda module, args, output: embedded.append(output))
    try:
        output = infer(model, inputs, **how).output
    finally:
        hook.remove()
    weights = torch.linspace(-1, 1, output.shape[-1], dtype=output.dtype)  # a plain sum is constant after a norm
    (gradient,) = torch.autograd.grad((output[:, row] * weights).sum(), embedded[-1])  # earlier ones: calibration
    return gradient.abs().amax((0, 2))


@pytest.mark.parametrize(
    ("variant", "ranks", "padding"),
    [
        (variant, ranks, padding)
        for variant in every_variant()
        for ranks, padding in ((3, "none"), (2, "left"), (3, "right"))
        if padding == "none" or not variant[1]  # what an option changes, it changes without padding too
    ],
    ids=named,
)
def test_no_token_moves_an_earlier_one(variant: tuple[str, dict[str, Any]], ranks: int, padding: str) -> None:
    strategy, options = variant
    n_tokens = 11
    inputs = inputs_of("gpt2", 2, n_tokens, padding=padding)
    first = 3 if padding == "left" else 0  # a padded query sees nothing: what it gives is not read
    for row in range(first, n_tokens):
        gradient = gradient_at_embeddings(
            model_of("gpt2"), inputs, row, ranks=ranks, segments=2, strategy=strategy, **options
        )
        assert gradient[row + 1 :].eq(0).all()
        assert gradient[first : min(row + 1, 8)].gt(0).all()  # and every earlier one does


@pytest.mark.parametrize(
    ("variant", "padding"),
    [
        (variant, padding)
        for variant in every_variant()
        for padding in ("left", "right", "holes")
        if padding == "holes" or not variant[1]
    ],
    ids=named,
)
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_a_padded_token_moves_no_real_one(family: str, variant: tuple[str, dict[str, Any]], padding: str) -> None:
    strategy, options = variant
    inputs = inputs_of(family, 2, 11, padding=padding)
    real = mask_of(2, 11, padding).bool()
    other = torch.where(real, inputs["input_ids"], (inputs["input_ids"] + 7) % VOCABULARY)
    how = {"ranks": 3, "segments": 2, "strategy": strategy, **options}
    with torch.no_grad():
        before = infer(model_of(family), inputs, **how).output[real]
        after = infer(model_of(family), {**inputs, "input_ids": other}, **how).output[real]
    assert torch.equal(before, after)


@pytest.mark.parametrize("variant", every_variant(), ids=named)
def test_a_sample_moves_no_other_sample(variant: tuple[str, dict[str, Any]]) -> None:
    strategy, options = variant
    ids = inputs_of("bert", 3, 11)["input_ids"]
    other = torch.cat([ids[:2], (ids[2:] + 7) % VOCABULARY])
    how = {"ranks": 3, "segments": 2, "strategy": strategy, **options}
    with torch.no_grad():
        before, after = (infer(model_of("bert"), {"input_ids": given}, **how).output for given in (ids, other))
    assert torch.equal(before[:2], after[:2])
    assert not torch.equal(before[2], after[2])


def test_every_token_moves_every_other_where_attention_looks_both_ways() -> None:
    for row in range(9):
        gradient = gradient_at_embeddings(model_of("bert"), inputs_of("bert"), row, ranks=3, segments=2)
        assert gradient.gt(0).all()
