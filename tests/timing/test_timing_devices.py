"""Laws of a device's costs."""

from __future__ import annotations

import pytest
from timing_plans import device

from prism_sim.plan import Kernel


@pytest.mark.parametrize(
    ("flops", "moved_bytes", "seconds"), [(2_000, 1, 2.0), (1, 300, 3.0), (1_000, 100, 1.0), (0, 0, 0.0)]
)
def test_a_kernel_takes_the_slower_of_arithmetic_and_memory(flops: int, moved_bytes: int, seconds: float):
    board = device(flops_per_s=1e3, memory_bytes_per_s=1e2)
    assert board.kernel_s(Kernel("product", flops, moved_bytes)) == seconds


def test_launching_costs_the_same_for_every_kernel():
    board = device(flops_per_s=1e3, op_overhead_s=0.5)
    assert board.compute_s([Kernel("a", 1_000, 0), Kernel("b", 0, 0)]) == 1.0 + 2 * 0.5


def test_a_copy_takes_its_latency_and_its_bytes_and_nothing_is_free():
    board = device(staging_latency_s=0.5, staging_bytes_per_s=100)
    assert board.staging_s(200) == 2.5
    assert board.staging_s(0) == 0
    assert device().staging_s(10**9) == 0


@pytest.mark.parametrize("field", ["flops_per_s", "memory_bytes_per_s", "staging_bytes_per_s", "memory_bytes"])
@pytest.mark.parametrize("value", [-1, 0, float("nan")])
def test_a_rate_must_be_above_zero(field: str, value: float):
    with pytest.raises(ValueError, match=rf"{field}\(={value}\) must be > 0"):
        device(**{field: value})


@pytest.mark.parametrize("field", ["op_overhead_s", "staging_latency_s", "idle_w", "busy_w", "radio_w"])
@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_a_cost_must_be_finite_and_not_negative(field: str, value: float):
    with pytest.raises(ValueError, match=rf"{field}\(={value}\) must be finite and >= 0"):
        device(**{field: value})


def test_a_busy_device_draws_no_less_than_an_idle_one():
    with pytest.raises(ValueError, match=r"busy_w\(=1\) must be >= idle_w\(=2\)"):
        device(idle_w=2, busy_w=1)


@pytest.mark.parametrize(("overlap", "seconds"), [(1.0, 3.0), (0.0, 5.0), (0.5, 4.0)])
def test_what_does_not_overlap_of_the_shorter_comes_on_top(overlap: float, seconds: float):
    board = device(flops_per_s=1_000, memory_bytes_per_s=100, memory_overlap=overlap)
    assert board.kernel_s(Kernel("product", 2_000, 300)) == seconds
    assert board.kernel_s(Kernel("product", 3_000, 200)) == seconds


@pytest.mark.parametrize("overlap", [-0.1, 1.1, float("nan")])
def test_an_overlap_is_a_part(overlap: float):
    with pytest.raises(ValueError, match="memory_overlap"):
        device(flops_per_s=1.0, memory_bytes_per_s=1.0, memory_overlap=overlap)


def test_attention_reaches_its_part_of_the_rate_and_other_products_all_of_it():
    board = device(flops_per_s=1_000, memory_bytes_per_s=1e9, attention_efficiency=0.25)
    assert board.work_s(Kernel("attention", 500, 8)) == 2.0
    assert board.work_s(Kernel("queries", 500, 8)) == 0.5


@pytest.mark.parametrize("efficiency", [0.0, -1.0, 1.1])
def test_an_efficiency_is_a_part(efficiency):
    with pytest.raises(ValueError, match="attention_efficiency"):
        device(flops_per_s=1.0, memory_bytes_per_s=1.0, attention_efficiency=efficiency)
