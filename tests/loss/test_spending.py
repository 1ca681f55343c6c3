"""A byte budget over blocks: exact against brute force, never exceeded, never worse than equal segments."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_sim.loss import spending
from prism_sim.loss.bench import Measure
from prism_sim.loss.segment_search import ELSEWHERE, STUDENT_T, Spent, spend
from prism_sim.loss.spending import Prices, allocate, improve, interpolated, levels_up_to, measured_levels

LEVELS = (1, 2, 3, 5, 8)
LINEAR = tuple(level - 1 for level in LEVELS)


def prices(n_blocks: int, budget: int, block_bytes: tuple[int, ...] = LINEAR) -> Prices:
    return Prices(n_blocks, LEVELS, block_bytes, budget)


def affordable(chosen: Prices) -> list[tuple[int, ...]]:
    every = product(range(len(chosen.levels)), repeat=chosen.n_blocks)
    return [allocation for allocation in every if chosen.affords(allocation)]


def total(allocation: tuple[int, ...], losses: list[list[float]]) -> float:
    return math.fsum(of_block[place] for of_block, place in zip(losses, allocation, strict=True))


tables = st.lists(
    st.lists(st.floats(0, 10), min_size=len(LEVELS), max_size=len(LEVELS)), min_size=1, max_size=4
)  # of no shape: not even falling
steps = st.lists(st.integers(1, 50), min_size=len(LEVELS) - 1, max_size=len(LEVELS) - 1)


def bytes_of(grown: list[int]) -> tuple[int, ...]:
    return tuple(sum(grown[:place]) for place in range(len(LEVELS)))


# --- the programme


@settings(deadline=None, max_examples=60)
@given(losses=tables, grown=steps, share=st.floats(0, 1.2))
def test_an_allocation_is_the_best_of_all_that_the_budget_allows(losses, grown, share):
    block_bytes = bytes_of(grown)
    chosen = prices(len(losses), round(share * len(losses) * block_bytes[-1]), block_bytes)
    found = allocate(losses, chosen)
    assert chosen.affords(found)
    assert total(found, losses) == pytest.approx(min(total(one, losses) for one in affordable(chosen)), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(losses=tables, grown=steps, share=st.floats(0, 1.2))
def test_a_coarse_programme_exceeds_no_budget_either(losses, grown, share):
    block_bytes = bytes_of(grown)
    chosen = prices(len(losses), round(share * len(losses) * block_bytes[-1]), block_bytes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spending, "MOST_STATES", 7)
        assert chosen.affords(allocate(losses, chosen))


def test_a_budget_for_everything_buys_what_each_block_likes_best():
    losses = [[4.0, 3, 2, 1, 0], [4.0, 3, 2, 1, 0]]
    assert allocate(losses, prices(2, 2 * LINEAR[-1])) == (4, 4)


def test_bytes_that_help_nobody_are_not_spent():
    assert allocate([[1.0] * 5, [1.0] * 5], prices(2, 14)) == (0, 0)


def test_equal_segments_are_as_many_as_the_budget_allows():
    assert prices(3, 6).uniform == (2, 2, 2)
    assert prices(3, 11).uniform == (2, 2, 2)
    assert prices(3, 12).uniform == (3, 3, 3)
    assert prices(3, 12).segments((3, 0, 4)) == (5, 1, 8)
    with pytest.raises(ValueError, match="is less than"):
        prices(3, -1)


# --- levels


@pytest.mark.parametrize("most", [1, 2, 7, 32, 33, 99, 512])
def test_levels_rise_from_one_to_the_most_in_small_steps(most):
    levels = levels_up_to(most, 10, 40, 1000)
    assert levels[0] == 1
    assert levels[-1] == most
    assert list(levels) == sorted(set(levels))
    assert {level for level in (10, 40) if level <= most} <= set(levels)
    assert all(after - before <= max(1, before / 10) for before, after in pairwise(levels))


def test_curves_go_through_what_was_measured_and_stay_between():
    levels = levels_up_to(99)
    chosen = measured_levels(levels, 10)
    assert chosen == (1, 2, 4, 8, 10, 16, 32, 64, 99)
    curve = interpolated({level: 1 / level for level in chosen}, levels)
    assert [curve[levels.index(level)] for level in chosen] == pytest.approx([1 / level for level in chosen])
    assert curve == sorted(curve, reverse=True)


# --- moving on from there


@settings(deadline=None, max_examples=30)
@given(losses=tables, budget=st.integers(0, 40), evaluations=st.integers(0, 12), data=st.data())
def test_moves_stay_within_the_budget_and_are_counted(losses, budget, evaluations, data):
    chosen, asked = prices(len(losses), budget), []
    guess = data.draw(st.permutations(losses))  # a wrong one only takes longer

    def loss(allocation):
        asked.append(allocation)
        return total(allocation, losses)

    found = improve({chosen.uniform: total(chosen.uniform, losses)}, loss, guess, chosen, evaluations)
    assert all(chosen.affords(allocation) for allocation in asked)
    assert len(asked) == len(set(asked)) <= evaluations
    assert set(found) == {chosen.uniform, *asked}
    assert all(found[allocation] == total(allocation, losses) for allocation in found)


def test_moves_lead_on_from_worse_allocations_where_better_ones_lead_nowhere():
    only = (3, 0, 3)
    chosen = prices(3, 9)

    def loss(allocation):
        return 0.0 if allocation == only else 1.0 + allocation[1]

    found = improve({chosen.uniform: loss(chosen.uniform)}, loss, [[0.0] * 5] * 3, chosen, 200)
    assert found[only] == 0


# --- the search


class Additive:
    """Blocks whose errors are c / L, worth a weight each at the output; other inputs differ as `elsewhere` says."""

    n_blocks, has_more_inputs = 3, True

    def __init__(self, measure: Measure = "kl", elsewhere: float = 0.0) -> None:
        self.measure, self.elsewhere = measure, elsewhere
        self.errors, self.weights = (3.0, 1.0, 2.0), (1.0, 8.0, 0.5)
        self.asked: list[tuple[int, ...]] = []

    def added(self, n_segments):
        return tuple(error * (1 / n_segments - 1 / 8) for error in self.errors)

    def loss(self, segments):
        self.asked.append(tuple(segments))
        errors = (self.added(n)[block] for block, n in enumerate(segments))
        squares = (weight * error**2 for weight, error in zip(self.weights, errors, strict=True))
        return math.fsum(squares) ** (1 if self.measure == "kl" else 0.5)

    def losses_elsewhere(self, number, *lists):
        """The second list gains as much as here, or as little as noise."""
        uniform, found = map(self.loss, lists)
        return uniform, found + (uniform - found) * self.elsewhere * (number % 2 * 2)


@pytest.mark.parametrize("measure", ["kl", "residual"])
@pytest.mark.parametrize("budget", [0, 3, 6, 9, 12, 15, 20])
def test_a_search_finds_the_best_list_where_losses_add_up(measure, budget):
    chosen = prices(3, budget)
    found = spend(Additive(measure), chosen, 200)
    best = min(Additive(measure).loss(chosen.segments(one)) for one in affordable(chosen))
    assert found.found_loss == pytest.approx(best)
    assert found.found_loss <= found.uniform_loss


@pytest.mark.parametrize("evaluations", [1, 2, 5])
def test_a_search_computes_no_more_lists_than_it_may(evaluations):
    found = spend(Additive(), prices(3, 9), evaluations)
    assert found.tried <= evaluations
    assert found.found_loss <= found.uniform_loss
    if evaluations == 1:
        assert found.found == found.uniform


def test_a_budget_for_everything_leaves_no_loss_and_nothing_to_search():
    losses = Additive()
    found = spend(losses, prices(3, 3 * LINEAR[-1]))
    assert found.found == found.uniform == (8, 8, 8)
    assert found.found_loss == 0
    assert losses.asked == [(8, 8, 8)]
    assert found.holds is False


def test_a_gain_that_other_inputs_do_not_show_is_noise():
    sure, unsure = spend(Additive(), prices(3, 9)), spend(Additive(elsewhere=1.0), prices(3, 9))
    assert sure.found == unsure.found != sure.uniform
    assert sure.gain == pytest.approx(unsure.gain)
    assert sure.holds is True
    assert unsure.holds is False
    assert sure.gain_elsewhere == (pytest.approx(sure.gain), pytest.approx(0, abs=1e-12))


def test_one_input_alone_cannot_tell():
    losses = Additive()
    losses.has_more_inputs = False
    found = spend(losses, prices(3, 9))
    assert found.elsewhere == ()
    assert found.gain_elsewhere is None
    assert found.holds is None


def test_the_noise_is_that_of_the_mean_of_few_gains():
    pairs = ((1.0, 0.9), (1.0, 0.7), (2.0, 1.8), (4.0, 2.8))
    found = Spent("kl", (1,), (2,), 1.0, 0.8, (0.1,), pairs, 2)
    assert len(pairs) == ELSEWHERE
    mean, error = found.gain_elsewhere
    assert mean == pytest.approx(0.2)
    assert error == pytest.approx(math.sqrt(4 * 0.1**2 / 3) / 2)
    assert found.holds is (mean > STUDENT_T * error) is True
