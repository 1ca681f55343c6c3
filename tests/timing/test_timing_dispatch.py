"""Laws of a host that feeds its accelerator, and of copies that gather speed."""

from __future__ import annotations

from math import sqrt

import pytest
from timing_plans import device

from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Step, Wait
from prism_sim.timing import Device, Switch, play_once

SECOND = 1_000  # FLOP of a device of 1 kFLOP/s


def board(**fields: float) -> Device:
    return device(flops_per_s=1e3, memory_bytes_per_s=1e9, **fields)


def kernels(*seconds: float) -> tuple[Kernel, ...]:
    return tuple(Kernel("product", round(one * SECOND), 0) for one in seconds)


def alone(*stretches: tuple[Kernel, ...]) -> Plan:
    program = tuple(Compute(f"stretch {number}", one) for number, one in enumerate(stretches))
    return Plan(1, (program, ()), (), (0, 0), (0, 0))


def latency_s(plan: Plan, one: Device) -> float:
    return play_once(plan, [one], (0, 0), Switch(1e9, 1e9)).latency_s


# (seconds of each kernel, seconds of a launch, when all is done)
STRETCHES = [
    ((2.0, 2.0, 2.0), 0.5, 0.5 + 6.0),  # only the first launch shows
    ((1.0, 1.0, 1.0), 3.0, 9.0 + 1.0),  # only the last kernel shows
    ((0.5, 0.5, 5.0), 1.0, 3.0 + 5.0),  # the long kernel waits for its launch
    ((5.0, 0.5, 0.5), 1.0, 1.0 + 6.0),  # behind a long kernel all launches hide
    ((1.0,), 0.0, 1.0),
]


@pytest.mark.parametrize(("works", "dispatch_s", "expected_s"), STRETCHES)
def test_a_stretch_ends_when_the_host_and_the_accelerator_are_through(works, dispatch_s, expected_s):
    assert latency_s(alone(kernels(*works)), board(dispatch_s=dispatch_s)) == pytest.approx(expected_s, rel=1e-12)


@pytest.mark.parametrize(("works", "dispatch_s", "expected_s"), STRETCHES)
def test_without_copies_cutting_a_pass_into_stretches_changes_nothing(works, dispatch_s, expected_s):
    cut = alone(*(kernels(work) for work in works))
    assert latency_s(cut, board(dispatch_s=dispatch_s)) == pytest.approx(expected_s, rel=1e-12)


def exchanging(n_blocks: int, work: tuple[Kernel, ...], payload_bytes: int = 1_000) -> Plan:
    program: list[Step] = [Compute("begin", work)]
    for block in range(n_blocks):
        program += [Start(block), Wait(block), Compute(f"block {block}", work)]
    exchanges = tuple(
        Exchange("all_gather", (0, 1), (payload_bytes,) * 2, None, f"block {block}") for block in range(n_blocks)
    )
    return Plan(2, (tuple(program), tuple(program), ()), exchanges, (0,) * 3, (0,) * 3)


def both(plan: Plan, **fields: float):
    return play_once(plan, [board(**fields)] * 2, (0, 1, 0), Switch(1e30, 1e30))


def test_a_copy_drains_the_queue_so_every_stretch_pays_its_first_launch_anew():
    work = kernels(2.0, 2.0)
    free = both(exchanging(3, work), dispatch_s=0.5, staging_latency_s=1.0)
    assert free.latency_s == pytest.approx(4 * (0.5 + 4.0) + 3 * 2 * 1.0, rel=1e-12)


def test_restarting_is_spread_over_the_launches_after_a_copy():
    work = kernels(1.0, 1.0)
    timeline = both(exchanging(1, work), dispatch_s=2.0, restart_s=4.0, staging_latency_s=1.0)
    # first 2 launches of 2 s and the last kernel; after the copies 2 of 2 + 4 / 2 s
    assert timeline.latency_s == pytest.approx((4.0 + 1.0) + 2.0 + (8.0 + 1.0), rel=1e-12)


@pytest.mark.parametrize(("work_s", "expected_s"), [(20.0, 20.0), (5.0, 10.0)])
def test_handling_what_came_in_hides_behind_the_accelerators_work_or_shows(work_s, expected_s):
    timeline = both(exchanging(1, kernels(work_s)), handling_bytes_per_s=100, staging_latency_s=1.0)
    assert timeline.latency_s == pytest.approx(work_s + 2.0 + expected_s, rel=1e-12)


def test_what_is_not_work_of_a_fed_stretch_is_overhead_and_the_parts_add_up():
    timeline = both(
        exchanging(3, kernels(1.0, 0.25)),
        dispatch_s=0.7,
        restart_s=0.2,
        handling_bytes_per_s=700,
        staging_latency_s=1.0,
    )
    assert sum(timeline.breakdown_s.values()) == pytest.approx(timeline.latency_s, rel=1e-12)
    assert timeline.breakdown_s["compute"] == pytest.approx(4 * 1.25)
    assert timeline.breakdown_s["overhead"] > 0


def test_a_copys_time_grows_with_the_root_of_its_bytes_until_it_has_gathered_speed():
    ramped = device(staging_bytes_per_s=100, staging_ramp_s=2.0)
    assert ramped.staging_s(25) == sqrt(2 * 2.0 * 0.25)
    assert ramped.staging_s(4 * 25) == 2 * ramped.staging_s(25) == 2.0  # 100 bytes: the end of the ramp
    assert ramped.staging_s(1_000) == 1_000 / 100 + 1.0
    assert device(staging_bytes_per_s=100).staging_s(25) == 0.25


@pytest.mark.parametrize("field", ["dispatch_s", "restart_s", "staging_ramp_s"])
def test_a_cost_of_feeding_must_not_be_negative(field):
    with pytest.raises(ValueError, match=rf"{field}\(=-1\) must be finite and >= 0"):
        device(**{field: -1})
