"""Laws of every lossless strategy: it gives what the undistributed model gives, and does what its Plan predicts."""

from __future__ import annotations

import pytest
import torch
from strategy_cases import FAMILIES, Case, inputs_of, passed, relative_error, tiny_model

from prism_sim.numeric.infer import infer
from prism_sim.strategies.base import Placement

LOSSLESS = (
    ("voltage", ()),
    ("voltage", (("overlap", True),)),
    ("prism", (("compressor", "identity"), ("overlap", True))),
    ("tensor_parallel", ()),
    ("galaxy", ()),
    ("pipeline", ()),
    ("pipeline", (("micro_batches", 2),)),
    ("replicas", ()),
)
UNEVEN = (("shares", (0.6, 0.15, 0.25)),)  # of three samples: two, none and one
EVERYWHERE = Placement(input="replicated", output="in_place")

CASES = [  # what the laws of the numbers do not meet: uneven shares of each option, placements and padding, few heads
    *(Case(family, strategy, 3, options + UNEVEN) for family in FAMILIES for strategy, options in LOSSLESS),
    *(
        Case(family, strategy, 3, options, placement=EVERYWHERE, padding="right" if family == "bert" else None)
        for family in FAMILIES
        for strategy, options in LOSSLESS
    ),
    *(
        Case("vit", "replicas", 2, placement=Placement(given, wanted))  # type: ignore[arg-type]
        for given, wanted in (("replicated", "terminal"), ("terminal", "in_place"))
    ),
    *(
        Case(family, strategy, ranks, n_heads=n_heads, width=width)
        for family in FAMILIES
        for strategy in ("tensor_parallel", "galaxy")
        for n_heads, width, ranks in ((3, 30, 2), (12, 24, 5))
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_lossless_strategy_gives_the_undistributed_model_s_output(case: Case) -> None:
    found = passed(case)
    assert relative_error(found.output, found.expected) < 1e-10


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_predicted_is_what_is_observed(case: Case) -> None:
    found = passed(case)
    assert found.predicted.observable() == found.observed.observable()
    assert any(compute.flops for compute in found.observed.computes(0))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("segments", [1, 2])
@pytest.mark.parametrize("padding", [None, "right"])
def test_overlapping_the_exchange_changes_neither_the_output_nor_the_work(
    family: str, segments: int, padding: str | None
) -> None:
    options = (("segments", segments),)
    plain = passed(Case(family, "prism", 3, options, padding if family == "bert" else None))
    overlapped = passed(Case(family, "prism", 3, (*options, ("overlap", True)), padding if family == "bert" else None))
    assert relative_error(overlapped.output, plain.output) < 1e-12
    assert overlapped.predicted.observable() == overlapped.observed.observable()
    assert overlapped.predicted.exchanges == plain.predicted.exchanges
    for rank in range(3):
        assert sum(work.flops for work in overlapped.observed.computes(rank)) == sum(
            work.flops for work in plain.observed.computes(rank)
        )


@pytest.mark.parametrize("strategy", ["voltage", "tensor_parallel", "galaxy", "pipeline", "replicas"])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_every_weight_as_in_the_undistributed_model(family: str, strategy: str) -> None:
    case = Case(family, strategy, 3)
    model, inputs = tiny_model(family, case.n_heads, case.width, case.n_blocks), inputs_of(case)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    expected = torch.autograd.grad(model(**inputs).logits.square().mean(), weights)
    found = torch.autograd.grad(infer(model, inputs, 3, strategy).output.square().mean(), weights)
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)
