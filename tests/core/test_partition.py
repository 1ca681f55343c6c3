"""Laws of sharing out: even as `numpy.array_split`, or in proportion to shares, and always something for everyone."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prism_sim.partition import Keys, even_split, ranges, shared_split, split

# shares, items, sizes by hand: largest remainder, ties to the first
SHARED = [
    ((0.5, 0.5), 10, (5, 5)),
    ((0.5, 0.5), 11, (6, 5)),
    ((0.7, 0.3), 10, (7, 3)),
    ((0.6, 0.3, 0.1), 17, (10, 5, 2)),  # 10.2, 5.1, 1.7: the last has the largest remainder
    ((0.98, 0.02), 10, (9, 1)),  # 9.8, 0.2: one item at least
    ((0.01, 0.01, 0.98), 3, (1, 1, 1)),
    ((0.01, 0.01, 0.01, 0.01, 0.96), 7, (1, 1, 1, 1, 3)),
]
# the same where a part may be empty
SHARED_OR_NONE = [
    ((0.98, 0.02), 10, (10, 0)),
    ((0.5, 0.5), 1, (1, 0)),
    ((0.0, 1.0), 3, (0, 3)),
    ((0.4, 0.3, 0.3), 2, (1, 1, 0)),  # 0.8, 0.6, 0.6: of equals the first
]
REFUSED_SHARES = [
    ((0.5, 0.4), 10, "sum to 0.9, but must sum to 1"),
    ((1.5, -0.5), 10, "must be positive and finite"),
    ((1.0, 0.0), 10, "must be positive and finite"),
    ((math.nan, 1.0), 10, "must be positive and finite"),
    ((math.inf, 1.0), 10, "must be positive and finite"),
    ((0.25,) * 4, 3, "4 shares need at least as many items, but there are 3"),
]


@st.composite
def shares_and_items(draw: st.DrawFn) -> tuple[tuple[float, ...], int]:
    weights = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=12))
    n_items = draw(st.integers(len(weights), 3000))
    return tuple(weight / sum(weights) for weight in weights), n_items


@given(st.integers(0, 2000), st.integers(1, 64))
def test_an_even_split_is_numpys_array_split(n_items: int, n_parts: int) -> None:
    assert even_split(n_items, n_parts) == tuple(map(len, np.array_split(np.arange(n_items), n_parts)))


@given(st.integers(1, 2000), st.data())
def test_ranges_of_a_split_are_contiguous_and_leave_nothing_out(n_items: int, data: st.DataObject) -> None:
    parts = split(n_items, data.draw(st.integers(1, n_items)))
    assert [token for part in parts for token in part] == list(range(n_items))


@pytest.mark.parametrize(("shares", "n_items", "sizes"), SHARED)
def test_shares_are_rounded_by_largest_remainder(
    shares: tuple[float, ...], n_items: int, sizes: tuple[int, ...]
) -> None:
    assert shared_split(n_items, shares) == sizes


@given(shares_and_items())
def test_shares_give_all_items_away_and_everyone_one_at_least(case: tuple[tuple[float, ...], int]) -> None:
    shares, n_items = case
    sizes = shared_split(n_items, shares)
    assert sum(sizes) == n_items
    assert min(sizes) >= 1


@given(shares_and_items())
def test_no_part_is_off_by_an_item_where_none_had_to_be_lifted_to_one(case: tuple[tuple[float, ...], int]) -> None:
    shares, n_items = case
    exact = [n_items * share for share in shares]
    if min(exact) >= 1:
        sizes = shared_split(n_items, shares)
        # n * share may miss a whole number by some ulps
        assert all(abs(size - part) < 1 + 1e-9 * n_items for size, part in zip(sizes, exact, strict=True))


@given(shares_and_items())
def test_a_larger_share_never_gets_fewer_items(case: tuple[tuple[float, ...], int]) -> None:
    shares, n_items = case
    by_share = sorted(zip(shares, shared_split(n_items, shares), strict=True))
    for (small, fewer), (large, more) in pairwise(by_share):
        assert small == large or fewer <= more


@given(st.integers(1, 32), st.integers(0, 500))
def test_equal_shares_are_an_even_split(n_parts: int, more: int) -> None:
    n_items = n_parts + more
    assert sorted(shared_split(n_items, (1 / n_parts,) * n_parts)) == sorted(even_split(n_items, n_parts))


@pytest.mark.parametrize(("shares", "n_items", "message"), REFUSED_SHARES)
def test_shares_that_cannot_be_are_refused_with_value_and_rule(
    shares: tuple[float, ...], n_items: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        shared_split(n_items, shares)


@pytest.mark.parametrize(("shares", "n_items", "sizes"), SHARED_OR_NONE)
def test_a_part_may_be_empty_where_that_is_allowed(
    shares: tuple[float, ...], n_items: int, sizes: tuple[int, ...]
) -> None:
    assert shared_split(n_items, shares, least=0) == sizes
    assert tuple(map(len, split(n_items, len(shares), shares, "samples", least=0))) == sizes


def test_without_shares_the_last_parts_are_the_empty_ones() -> None:
    assert split(2, 3, what="samples", least=0) == (range(1), range(1, 2), range(2, 2))


def test_a_share_below_nothing_is_refused_even_there() -> None:
    with pytest.raises(ValueError, match="must be 0 or more and finite"):
        shared_split(3, (1.5, -0.5), least=0)


def test_more_ranks_than_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match=r"5 ranks cannot share 4 tokens: each needs at least one"):
        split(4, 5)


def test_a_refusal_names_what_is_to_be_shared() -> None:
    with pytest.raises(ValueError, match=r"^5 ranks cannot share 4 blocks: each needs at least one"):
        split(4, 5, what="blocks")


def test_shares_for_another_number_of_ranks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3 shares are given for 2 ranks"):
        split(10, 2, (0.2, 0.3, 0.5))


def test_a_split_into_no_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n_parts\(=0\) must be >= 1"):
        even_split(10, 0)


def test_ranges_start_at_zero_and_follow_each_other() -> None:
    assert ranges((2, 0, 3)) == (range(2), range(2, 2), range(2, 5))


@given(st.integers(0, 100), st.integers(1, 200), st.data())
def test_keys_stand_for_all_their_tokens_and_know_the_last_of_each_run(
    start: int, n_tokens: int, data: st.DataObject
) -> None:
    n_keys = data.draw(st.integers(1, n_tokens))
    keys = Keys(range(start, start + n_tokens), n_keys)
    runs = np.array_split(np.arange(start, start + n_tokens), n_keys)
    assert keys.counts == tuple(map(len, runs))
    assert keys.last_tokens == tuple(int(run[-1]) for run in runs)


def test_as_many_keys_as_tokens_are_the_rows_themselves() -> None:
    keys = Keys(range(3, 7), 4)
    assert keys.counts == (1, 1, 1, 1)
    assert keys.last_tokens == (3, 4, 5, 6)
