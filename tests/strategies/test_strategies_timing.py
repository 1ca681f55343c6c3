"""What a strategy's order of work is for: laws of its latency on ideal devices (products cost time, nothing else)."""

from __future__ import annotations

import pytest
from strategy_plans import BATCH, ROW_BYTES, D, plan_of

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.strategies.base import Placement
from prism_sim.timing import play_once
from prism_sim.timing.media.switch import Switch

FLOPS_PER_S = 1e9


def latency_s(plan: Plan, bits_per_s: float, collective: str = "ring") -> float:
    """On one device a participant, around a switch."""
    devices = [Device(str(number), FLOPS_PER_S, 1e30) for number in range(plan.n_ranks + 1)]
    switch = Switch(bits_per_s, bits_per_s, collective=collective)
    return play_once(plan, devices, range(len(devices)), switch).latency_s


@pytest.mark.parametrize("n_ranks", [2, 4])
@pytest.mark.parametrize("micro_batches", [1, 2, 4, 8])
def test_a_pipeline_of_m_micro_batches_takes_m_plus_p_minus_1_turns(n_ranks: int, micro_batches: int) -> None:
    """Eight blocks, a batch of 8, and a network that costs nothing: a turn is a micro-batch in a stage."""
    plan = plan_of("pipeline", n_ranks, batch=8, micro_batches=micro_batches)
    head_s = plan.computes(plan.terminal)[-1].flops / FLOPS_PER_S
    all_s = sum(work.flops for rank in range(n_ranks) for work in plan.computes(rank)) / FLOPS_PER_S
    turns_s = latency_s(plan, bits_per_s=1e30) - head_s
    assert turns_s == pytest.approx(all_s * (micro_batches + n_ranks - 1) / (n_ranks * micro_batches), rel=1e-9)


@pytest.mark.parametrize("name", ["voltage", "prism"])
@pytest.mark.parametrize("bits_per_s", [1e6, 1e8, 1e10])
def test_overlap_saves_time_on_any_network(name: str, bits_per_s: float) -> None:
    plain, overlapped = (plan_of(name, 4, n_tokens=96, overlap=overlap) for overlap in (False, True))
    assert latency_s(overlapped, bits_per_s) < latency_s(plain, bits_per_s)


@pytest.mark.parametrize("bits_per_s", [1e6, 1e7, 1e8, 1e9])
def test_galaxy_hides_what_tensor_parallel_waits_for(bits_per_s: float) -> None:
    """Even parts and a ring in both: the same bytes and products, but in Galaxy side by side."""
    galaxy, tensor_parallel = (plan_of(name, 4, n_tokens=96) for name in ("galaxy", "tensor_parallel"))
    assert latency_s(galaxy, bits_per_s) < latency_s(tensor_parallel, bits_per_s)


@pytest.mark.parametrize(("share_of_product", "hidden"), [(0.5, True), (0.99, True), (1.01, False)])
def test_galaxy_s_exchanges_are_hidden_iff_a_tile_travels_faster_than_the_shortest_product(
    share_of_product: float, hidden: bool
) -> None:
    plan = plan_of("galaxy", 4, n_tokens=96, placement=Placement(input="replicated", output="in_place"))
    tile_bytes = 24 * ROW_BYTES
    product_s = 2 * BATCH * 24 * D * (D // 4) / FLOPS_PER_S  # a tile's partial attention output
    found_s = latency_s(plan, 8 * tile_bytes / (share_of_product * product_s))
    computing_s = sum(work.flops for work in plan.computes(0)) / FLOPS_PER_S
    assert (found_s == pytest.approx(computing_s, rel=1e-9)) == hidden
