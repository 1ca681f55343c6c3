"""How far two outputs are apart, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from prism_sim.numeric.measure import fidelity


def logs(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64).log()


@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_equal_outputs_are_no_distance_apart(shape, dtype):
    output = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    found = fidelity(output, output.clone(), logits=True)
    assert found.max_abs_error == 0
    assert found.cosine == pytest.approx(1, abs=1e-12)
    assert found.kl == 0
    assert found.top1_agreement == 1


def test_divergence_is_of_the_undistributed_from_the_distributed():
    p, q = [0.5, 0.5], [0.25, 0.75]
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    found = fidelity(output=logs(q), reference=logs(p), logits=True)
    assert found.kl == pytest.approx(expected, rel=1e-12)
    backwards = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert fidelity(logs(p), logs(q), logits=True).kl == pytest.approx(backwards, rel=1e-12)


def test_divergence_and_cosine_are_means_over_rows():
    output, reference = logs([0.25, 0.75], [0.5, 0.5]), logs([0.5, 0.5], [0.5, 0.5])
    one = fidelity(output[:1], reference[:1], logits=True)
    both = fidelity(output, reference, logits=True)
    assert both.kl == pytest.approx(one.kl / 2)
    assert 1 - both.cosine == pytest.approx((1 - one.cosine) / 2)


def test_a_constant_added_to_all_logits_changes_no_probability():
    logits = torch.randn(4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = fidelity(logits + 3, logits, logits=True)
    assert found.kl == pytest.approx(0, abs=1e-12)
    assert found.top1_agreement == 1
    assert found.max_abs_error == pytest.approx(3)


def test_agreement_is_the_part_of_rows_with_the_same_first_class():
    reference = torch.eye(4, dtype=torch.float64)
    output = reference.clone()
    output[0] = torch.tensor([0.0, 9.0, 0.0, 0.0])
    assert fidelity(output, reference, logits=True).top1_agreement == 0.75


def test_cosine_does_not_see_length_and_the_error_does():
    reference = torch.randn(3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = fidelity(2 * reference, reference, logits=False)
    assert found.cosine == pytest.approx(1, abs=1e-12)
    assert found.max_abs_error == float(reference.abs().max())
    assert fidelity(-reference, reference, logits=False).cosine == pytest.approx(-1, abs=1e-12)


def test_hidden_states_have_neither_divergence_nor_classes():
    states = torch.ones(2, 3, 4)
    found = fidelity(states, states, logits=False)
    assert found.kl is None
    assert found.top1_agreement is None


def test_shapes_must_be_one():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        fidelity(torch.zeros(2, 3), torch.zeros(3, 2), logits=True)
    with pytest.raises(ValueError, match="one shape"):
        fidelity(torch.zeros(1, 3), torch.zeros(2, 3), logits=False)  # never broadcast


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("which", ["distributed", "undistributed"])
def test_an_output_that_overflowed_is_refused_not_called_exact(value, which):
    whole, spoilt = torch.ones(2, 3), torch.ones(2, 3)
    spoilt[0, 0] = value
    pair = (spoilt, whole) if which == "distributed" else (whole, spoilt)
    with pytest.raises(ValueError, match=f"the {which} model's output is not finite in float32"):
        fidelity(*pair, logits=True)
