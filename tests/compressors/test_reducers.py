"""Which tokens a content compressor puts together: against obvious groups, and against contiguous segments."""

from __future__ import annotations

import pytest
import torch
from compressor_cases import crossed, make, rows, some_real
from torch import Tensor

from prism_sim.compressors.cluster_means import clusters
from prism_sim.compressors.groups import group_means
from prism_sim.compressors.token_merging import merged
from prism_sim.partition import Keys

BY_CONTENT = {"cluster_means": clusters, "token_merging": merged}


def spread(x: Tensor, group_of: Tensor, n_groups: int) -> float:
    """Sum of the squared distances of tokens to their group's mean."""
    means, _ = group_means(x, group_of, n_groups, None)
    return float((x - means.gather(1, group_of[..., None].expand_as(x))).square().sum())


@pytest.mark.parametrize("n_segments", [1, 2, 5, 9])
def test_clusters_are_tighter_than_the_segments_that_they_begin_with(n_segments: int) -> None:
    """No step of k-means makes them less tight; here each makes them tighter, but for one cluster."""
    x = rows(4, 23, 6)
    sizes = torch.tensor(Keys(range(23), n_segments).counts)
    segments = torch.arange(n_segments).repeat_interleave(sizes).repeat(4, 1)
    found, contiguous = spread(x, clusters(x, n_segments, None), n_segments), spread(x, segments, n_segments)
    assert found == pytest.approx(contiguous, rel=1e-12) if n_segments == 1 else found < contiguous


@pytest.mark.parametrize("name", BY_CONTENT)
def test_tokens_far_apart_in_two_groups_are_told_apart(name: str) -> None:
    """Every third token is of the one kind, so contiguous segments would mix them."""
    kind = torch.arange(12) % 3 == 0
    directions = torch.tensor([[5.0, 0, 0, 0], [0, 5, 0, 0]]).double()
    x = directions[kind.long()][None] + 0.1 * rows(2, 12, 4)
    found = BY_CONTENT[name](x, 2, None)
    for sample in range(2):
        assert found[sample][kind].unique().numel() == 1
        assert found[sample][~kind].unique().numel() == 1
        assert found[sample].unique().numel() == 2


def test_equal_neighbours_merge_exactly() -> None:
    x = rows(2, 6, 4)
    twice = x.repeat_interleave(2, 1)
    found, counts, _ = crossed(make("token_merging", 6), twice)
    assert counts is not None
    assert counts.eq(2).all()
    torch.testing.assert_close(found, x, rtol=0, atol=0)


@pytest.mark.parametrize(("n_tokens", "n_rows", "n_steps"), [(12, 6, 1), (12, 5, 2), (13, 1, 4), (9, 8, 1), (2, 1, 1)])
def test_a_step_merges_at_most_half_of_the_rows(n_tokens: int, n_rows: int, n_steps: int) -> None:
    work = make("token_merging", n_rows).compress_work(1, n_tokens, 4)
    assert sum(step.name == "similarities" for step in work) == n_steps
    assert merged(rows(1, n_tokens, 4), n_rows, None).unique().tolist() == list(range(n_rows))


@pytest.mark.parametrize("name", BY_CONTENT)
def test_rows_are_the_means_of_their_tokens(name: str) -> None:
    x, real = rows(3, 13, 5), some_real(3, 13)
    group_of = BY_CONTENT[name](x, 4, real)
    found, counts, _ = crossed(make(name, 4), x, real)
    assert counts is not None
    for sample in range(3):
        for group in range(4):
            tokens = x[sample][real[sample] & (group_of[sample] == group)]
            assert counts[sample, group] == len(tokens)
            mean = tokens.mean(0) if len(tokens) else torch.zeros(5).double()
            torch.testing.assert_close(found[sample, group], mean)


def test_padding_is_merged_away_before_any_token_is() -> None:
    """Half of the tokens are padding and as many rows remain as there are real ones: each keeps a row to itself."""
    x, real = rows(2, 12, 4), torch.tensor([[True] * 6 + [False] * 6, [True, False] * 6])
    found, counts, _ = crossed(make("token_merging", 6), x, real)
    assert counts is not None
    assert counts.eq(1).all()
    for sample in range(2):
        assert sorted(found[sample].tolist()) == sorted(x[sample][real[sample]].tolist())


def test_keys_by_content_may_stand_for_any_token_of_their_partition() -> None:
    assert Keys(range(4, 13), 3, by_content=True).last_tokens == (12, 12, 12)
    assert Keys(range(4, 13), 3).last_tokens == (6, 9, 12)


@pytest.mark.parametrize("name", ["segment_means", *BY_CONTENT])
def test_no_row_is_no_summary(name: str) -> None:
    with pytest.raises(ValueError, match=r"segments\(=0\) must be >= 1"):
        make(name, 0)
