"""A head split over the ranks by vocabulary: its output, bytes and weights, where it cannot be, and what it leaves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import build, inputs_of, named, reference, relative_error

from prism_sim import infer
from prism_sim.numeric.infer import job_for, options_of
from prism_sim.partition import split
from prism_sim.plan import Plan
from prism_sim.shapes.interpreter import predict
from prism_sim.strategies.base import Placement

RANKS = 3
STRATEGIES = ["tensor_parallel", "galaxy"]


def predicted(model: Any, inputs: Any, name: str, **options: Any) -> Plan:
    """Of a single pass."""
    chosen = options_of(name, 10, options.pop("shares", None), options)
    return predict(job_for(model, inputs, RANKS, name, chosen, Placement()))


@pytest.mark.parametrize("shares", [None, (0.5, 0.2, 0.3)], ids=["even", "uneven"])
@pytest.mark.parametrize("more", [{}, {"logits_to_keep": 2}], ids=["all", "last"])
@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_pass_is_the_undistributed_one_and_as_predicted(
    family: str, name: str, more: dict[str, int], shares: tuple[float, ...] | None
) -> None:
    """A vocabulary that three do not divide; all rows, or the last two, of prompts that are padded before."""
    model, inputs = build(family, "lm"), inputs_of(family, 2, 11, padding="left") | more
    assert model.config.vocab_size % RANKS
    found = infer(model, inputs, RANKS, name, shares=shares, head="split", observe=True)
    plan = predicted(model, inputs, name, shares=shares, head="split")
    assert found.plan.observable() == plan.observable()
    assert found.plan.exchanges == plan.exchanges
    parts = split(model.config.vocab_size, RANKS, shares)
    rows = 2 * (2 if more else 11)
    gathered = next(one for one in plan.exchanges if one.label == "logits")
    assert gathered.bytes_by_rank == (*(8 * rows * len(part) for part in parts), 0)
    real = inputs["attention_mask"].bool()[:, -found.output.shape[1] :]
    with torch.no_grad():
        assert relative_error(found.output[real], reference(model, inputs)[real]) < 1e-10


@pytest.mark.parametrize("name", STRATEGIES)
def test_gradients_reach_the_head_as_they_do_without(name: str) -> None:
    model, inputs = build("llama", "lm", tie_word_embeddings=False), inputs_of("llama", 2, 7)
    gradients = []
    for forward in (lambda: infer(model, inputs, RANKS, name, head="split").output, lambda: reference(model, inputs)):
        model.zero_grad()
        forward().square().sum().backward()
        gradients.append([model.lm_head.weight.grad.clone(), model.model.norm.weight.grad.clone()])
    for found, wanted in zip(*gradients, strict=True):
        assert relative_error(found, wanted) < 1e-10


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("tied", [True, False])
def test_each_rank_holds_its_part_and_the_terminal_the_embedding(name: str, tied: bool) -> None:
    model, inputs = build("llama", "lm", tie_word_embeddings=tied), inputs_of("llama", 2, 9)
    whole, parted = (predicted(model, inputs, name, head=head) for head in ("terminal", "split"))
    width, vocabulary = model.config.hidden_size, model.config.vocab_size
    own = [8 * width * (1 + len(part)) for part in split(vocabulary, RANKS)]  # the last norm, and rows of the matrix
    assert [b - a for a, b in zip(whole.weight_bytes, parted.weight_bytes, strict=True)][:RANKS] == own
    assert parted.weight_bytes[-1] == 8 * width * vocabulary
    assert whole.weight_bytes[-1] == parted.weight_bytes[-1] + 8 * width * (1 if tied else 1 + vocabulary)


def test_a_single_pass_leaves_the_head_at_the_terminal_unless_asked() -> None:
    model, inputs = build("gpt2", "lm"), inputs_of("gpt2", 2, 9)
    silent, whole = (infer(model, inputs, RANKS, "tensor_parallel", **how).plan for how in ({}, {"head": "terminal"}))
    assert silent == whole
    assert "logits" not in {one.label for one in silent.exchanges}


REFUSED: list[tuple[tuple[str, str], Placement, str]] = [
    (("bert", "masked_lm"), Placement(), "needs a language model's head, lm.*write head: terminal"),
    (("gpt2", "none"), Placement(), "needs a language model's head, lm"),
    (("llama", "lm"), Placement(output="in_place"), "has nothing to split, since output in_place runs no head"),
]


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize(("model", "placement", "reason"), REFUSED, ids=named)
def test_what_has_no_such_head_is_refused(model: tuple[str, str], placement: Placement, reason: str, name: str) -> None:
    with pytest.raises(ValueError, match=rf"head\(=split\) {reason}"):
        infer(build(*model), inputs_of(model[0], 2, 9), RANKS, name, head="split", placement=placement)
