"""Laws of the activations that a Plan says each participant holds at its peak."""

from __future__ import annotations

import pytest
from strategy_plans import NAMES, ROW_BYTES, N, plan_of


@pytest.mark.parametrize("name", ["single", *NAMES])
def test_alone_every_strategy_peaks_in_the_feed_forward_layer(name: str) -> None:
    rows, columns, contracted = 1, 4, 1  # in widths of the model; a post-norm family has no normalised rows beside
    assert plan_of(name, 1).activation_bytes[0] == (rows + columns + contracted) * N * ROW_BYTES


@pytest.mark.parametrize("n_ranks", [2, 4, 8])
def test_ranks_with_equal_parts_hold_equally_much(n_ranks: int) -> None:
    for name in ("tensor_parallel", "voltage", "prism"):
        held = plan_of(name, n_ranks, n_tokens=96).activation_bytes[:-1]
        assert len(set(held)) == 1, name


@pytest.mark.parametrize("n_ranks", [2, 4, 8])
def test_what_is_received_is_held(n_ranks: int) -> None:
    """Voltage's ranks hold all rows, and keys and values of all; those of PRISM far less."""
    voltage, prism = (plan_of(name, n_ranks).activation_bytes[0] for name in ("voltage", "prism"))
    assert voltage >= 3 * N * ROW_BYTES
    assert prism < voltage


@pytest.mark.parametrize("n_ranks", [2, 4, 8])
def test_splitting_the_connective_parts_too_saves_memory(n_ranks: int) -> None:
    tensor_parallel, galaxy = (plan_of(name, n_ranks).activation_bytes[0] for name in ("tensor_parallel", "galaxy"))
    assert tensor_parallel < plan_of("single", 1).activation_bytes[0]
    if n_ranks > 2:
        assert galaxy < tensor_parallel


def test_a_stage_needs_memory_for_one_micro_batch_and_what_it_has_not_got_rid_of() -> None:
    whole = plan_of("pipeline", 4).activation_bytes[1]
    parts = plan_of("pipeline", 4, micro_batches=3).activation_bytes[1]
    assert parts <= whole / 3 + N * ROW_BYTES
