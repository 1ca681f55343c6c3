"""Where loss arises: the residual stream after each block, accumulated and of each block alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from small_models import FAMILIES, MODELS, build, every_variant, inputs_of, model_of, named, reference, without_cache
from torch import Tensor, nn

from prism_sim import families, infer, strategies
from prism_sim.numeric.deviation import Cell, by, distance_bin, pooled, relative
from prism_sim.numeric.equations import segment_means
from prism_sim.numeric.infer import job_for
from prism_sim.numeric.measure import Undistributed, undistributed
from prism_sim.numeric.residuals import Cut, Held, _held, added_errors, deviations, layout, outcome
from prism_sim.partition import split
from prism_sim.shapes.job import Job
from prism_sim.strategies.base import Placement

EXACT = 1e-12  # roundings of float64 through three blocks
BOTH = range(2)  # samples
PADDINGS = ("none", "right", "left", "holes")
PADDED = [(family, padding) for family in FAMILIES for padding in PADDINGS if family != "vit" or padding == "none"]
LOSSLESS = [
    (name, options)
    for name, options in every_variant()
    if strategies.find(name).lossless(strategies.find(name).options(**options))
]


def case(
    model: nn.Module, inputs: dict[str, Any], strategy: str = "prism", ranks: int = 3, **options: Any
) -> tuple[Undistributed, Job]:
    inputs = {**inputs, **without_cache(model)}
    chosen = strategies.find(strategy).options(**options)
    return undistributed(model, inputs), job_for(model, inputs, ranks, strategy, chosen, Placement())


def of_family(family: str, strategy: str = "prism", padding: str = "none", **options: Any) -> tuple[Undistributed, Job]:
    return case(model_of(family), inputs_of(family, padding=padding), strategy, **options)


def difference(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


# --- what is compared with


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_the_stream_is_the_models_own_hidden_states(model):
    built, inputs = model_of(*model), inputs_of(model[0])
    known, _ = case(built, inputs)
    with torch.no_grad():
        own = built(**inputs, output_hidden_states=True).hidden_states
    last = len(known.stream) - families.find(model[0]).causal  # whose last hidden state is normalised already
    assert len(own) == len(known.stream) + 1
    assert all(torch.equal(mine, its) for mine, its in zip(known.stream[:last], own[1:], strict=False))
    assert torch.equal(known.output, reference(built, inputs).detach())


def test_the_model_keeps_no_hook_not_even_after_an_error():
    model = build("bert")
    case(model, inputs_of("bert"))
    with pytest.raises(IndexError):
        undistributed(model, {"input_ids": torch.full((1, 9), 10_000)})
    assert not any(module._forward_hooks for module in model.modules())


def test_watching_the_stream_changes_no_output():
    model, inputs = model_of("vit", "image_classification"), inputs_of("vit")
    known, job = case(model, inputs, segments=2)
    _, found = outcome(known, job)
    with torch.no_grad():
        plain = infer(model, inputs, ranks=3, segments=2).output
    assert found.max_abs_error == float((plain - known.output).abs().max())


# --- no loss


@pytest.mark.parametrize("variant", LOSSLESS, ids=named)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_lossless_strategy_has_no_error_anywhere(family, variant):
    known, job = of_family(family, variant[0], **variant[1])
    cells, found = deviations(known, job)
    assert {cell.block for cell in cells} == set(range(len(known.stream)))
    for cell in cells:
        one = pooled([cell])
        assert max(one.error, one.added, abs(1 - one.cosine)) <= EXACT
    assert found.max_abs_error <= EXACT


def test_a_causal_models_first_rank_loses_nothing():
    cells, _ = deviations(*of_family("gpt2", segments=1))
    by_rank = by(cells, lambda cell: cell.rank)
    assert pooled(by_rank[0]).error <= EXACT
    assert min(pooled(by_rank[rank]).error for rank in (1, 2)) > 1e-3


# --- what a block adds


@pytest.mark.parametrize("family", ["vit", "bert"])
def test_a_block_adds_what_the_models_own_layer_makes_of_repeated_means(family):
    known, job = of_family(family, segments=2)
    added = added_errors(known, job, layout(known, job))
    parts, layers = split(job.n_tokens, job.n_ranks), families.find(family).layers(known.model)
    for block in range(1, len(layers)):
        x, rows = known.stream[block - 1], []
        for own in parts:
            seen = x.clone()  # others' rows become as many copies of their mean: a mean of c tokens votes c times
            for other in parts:
                if other != own:
                    means, counts = segment_means(x[:, other.start : other.stop], 2)
                    copies = means.repeat_interleave(counts[0].long(), dim=1)
                    seen[:, other.start : other.stop] = copies
            with torch.no_grad():
                rows.append(layers[block](seen)[:, own.start : own.stop])
        assert added[block] == pytest.approx(difference(torch.cat(rows, dim=1), known.stream[block]), rel=1e-9)


@pytest.mark.parametrize(("family", "padding"), PADDED, ids=named)
def test_the_first_block_has_added_all_its_error_and_later_ones_have_not(family, padding):
    cells, _ = deviations(*of_family(family, padding=padding, segments=1))
    first, *later = (pooled(rows) for rows in by(cells, lambda cell: cell.block).values())
    assert first.added == first.error > 0
    assert all(one.added != one.error for one in later)


# --- real positions, and all of them once


@pytest.mark.parametrize("padding", PADDINGS)
def test_the_error_after_the_last_block_is_that_of_the_output_at_real_positions(padding):
    model, inputs = model_of("bert"), inputs_of("bert", padding=padding)  # without head: the last rows are the output
    known, job = case(model, inputs, segments=1)
    error, found = outcome(known, job)
    with torch.no_grad():
        output = infer(model, inputs, ranks=3, segments=1).output
    real = inputs.get("attention_mask", torch.ones(2, 9)).bool()
    assert error == pytest.approx(difference(output[real], known.output[real]), rel=1e-12)
    assert found.max_abs_error == float((output[real] - known.output[real]).abs().max())


@pytest.mark.parametrize("family", FAMILIES)
def test_cells_hold_every_real_row_once(family):
    padding = "none" if family == "vit" else "holes"
    known, job = of_family(family, padding=padding, segments=2)
    cells, _ = deviations(known, job)
    real = torch.ones(2, 9, dtype=torch.bool) if known.real is None else known.real
    for block, rows in by(cells, lambda cell: cell.block).items():
        assert sum(cell.n_rows for cell in rows) == int(real.sum())
        assert math.fsum(cell.squared_norm for cell in rows) == pytest.approx(
            float(known.stream[block][real].norm()) ** 2
        )


def test_pooled_cells_say_what_a_run_of_its_own_says():
    known, job = of_family("gpt2", segments=1)
    cells, _ = deviations(known, job)
    of_blocks = [pooled(rows) for rows in by(cells, lambda cell: cell.block).values()]
    assert [one.added for one in of_blocks] == pytest.approx(added_errors(known, job, layout(known, job)))
    assert of_blocks[-1].error == pytest.approx(outcome(known, job)[0])


# --- whose rows, and how far from the border


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        ("prism", {rank: Held(BOTH, range(3 * rank, 3 * rank + 3)) for rank in range(3)}),
        ("galaxy", {rank: Held(BOTH, range(3 * rank, 3 * rank + 3)) for rank in range(3)}),
        ("tensor_parallel", dict.fromkeys(range(3), Held(BOTH, range(9)))),
        ("pipeline", dict.fromkeys(range(3), Held(BOTH, range(9)))),
        ("replicas", {rank: Held(range(rank, rank + 1), range(9)) for rank in range(2)}),  # nothing for the third
        ("single", {0: Held(BOTH, range(9))}),
    ],
)
def test_ranks_hold_partitions_samples_or_all_rows(strategy, wanted):
    known, job = of_family("bert", strategy)
    assert layout(known, job) == wanted
    cells, _ = deviations(known, job)
    assert all((cell.nearest is None) == (wanted[cell.rank].tokens == range(9)) for cell in cells)


def test_unequal_shares_move_the_borders():
    known, job = of_family("vit", "prism", shares=(0.5, 0.25, 0.25))
    assert layout(known, job) == {rank: Held(BOTH, own) for rank, own in enumerate(split(9, 3, (0.5, 0.25, 0.25)))}


def test_rows_that_part_the_tokens_in_no_known_way_are_refused():
    seen = {(rank, 0): [torch.zeros(2, 4, 24)] for rank in range(3)}
    with pytest.raises(ValueError, match=r"rows of \[4, 4, 4\] tokens, which part no 9 tokens"):
        _held(seen, 2, 9)
    with pytest.raises(ValueError, match=r"rows of \[2, 2, 2\] samples, which part no 5 samples"):
        _held(seen, 5, 4)


def test_the_distance_is_to_the_nearest_token_of_another_rank():
    assert Cut(0, 0, Held(BOTH, range(4))).distances(12) == [4, 3, 2, 1]
    assert Cut(0, 1, Held(BOTH, range(4, 9))).distances(12) == [1, 2, 3, 2, 1]
    assert Cut(0, 2, Held(BOTH, range(9, 12))).distances(12) == [1, 2, 3]
    assert Cut(0, 0, Held(BOTH, range(12))).distances(12) == [None] * 12


def test_distances_are_pooled_in_doubling_steps_without_gaps():
    bins = [distance_bin(distance) for distance in range(1, 65)]
    assert list(dict.fromkeys(bins)) == [(1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 64)]
    assert all(nearest <= distance <= furthest for distance, (nearest, furthest) in enumerate(bins, start=1))
    with pytest.raises(ValueError, match=r"distance\(=0\) must be >= 1"):
        distance_bin(0)


def test_an_error_relative_to_nothing_is_refused():
    assert relative(0.0, 0.0) == 0
    with pytest.raises(ValueError, match="are all 0"):
        relative(1.0, 0.0)
    with pytest.raises(ValueError, match="no rows"):
        pooled([])


def test_pooling_adds_squares_not_errors():
    one = Cell(0, 0, 1, 1, 1, squared_norm=1.0, squared_error=0.25, squared_added=0.0, cosines=0.5)
    other = Cell(0, 1, 1, 1, 3, squared_norm=3.0, squared_error=0.75, squared_added=1.0, cosines=3.0)
    both = pooled([one, other])
    assert both.error == 0.5
    assert both.added == 0.5
    assert both.cosine == 3.5 / 4


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_rows_that_overflowed_are_refused(value):
    model = build("vit")
    with torch.no_grad():
        families.find("vit").parts(families.find("vit").layers(model)[1]).contract.bias.fill_(value)
    with pytest.raises(ValueError, match="rows are not finite in float64"):
        case(model, inputs_of("vit"))
