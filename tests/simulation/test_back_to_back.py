"""Throughput of ranks that can each serve a whole request: split or in turn, whichever is better, and what it holds."""

from __future__ import annotations

import pytest

from prism_sim import strategies
from prism_sim.simulation.simulate import simulate

REPLICAS = {"strategy": {"name": "replicas"}}
AT_THE_TERMINAL = {"placement": {"input": "terminal", "output": "terminal"}}
SPREAD = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]


def near(value):
    return pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("batch", [1, 4])
def test_equal_devices_serve_as_many_times_the_requests_of_one(load, count, batch):
    """In place nothing crosses; a launch that costs time makes whole requests better than parts of them."""
    scenario = load({**REPLICAS, "devices[0].count": count, "devices[0].op_overhead": "1 ms", "workload.batch": batch})
    found, alone = simulate(scenario), simulate(scenario, "single")
    assert found.throughput_mode == "in turn"
    assert found.throughput_per_s == near(count / alone.latency_s)
    assert alone.throughput_per_s == near(1 / alone.latency_s)


def test_a_device_of_three_times_the_speed_serves_three_times_as_many(load):
    """To the time that memory takes, which is 1e-6 of the arithmetic's."""
    devices = [
        {"name": n, "compute": c, "memory_bandwidth": "1000000 GB/s"}
        for n, c in (("a", "1 GFLOP/s"), ("b", "3 GFLOP/s"))
    ]
    scenario = load({**REPLICAS, "devices": devices})
    assert simulate(scenario).throughput_per_s == pytest.approx(
        4 / simulate(scenario, "single", (0,)).latency_s, rel=1e-5
    )


def test_of_two_ways_that_are_equally_good_requests_are_split(load):
    """Two samples on two devices without any overhead: half the time each, or twice the requests."""
    scenario = load({**REPLICAS, "workload.batch": 2})
    found = simulate(scenario)
    assert found.back_to_back.paces_per_s["split"] == near(found.back_to_back.paces_per_s["in turn"])
    assert found.throughput_mode == "split"
    assert found.throughput_per_s == near(1 / found.latency_s)


def test_a_request_of_one_sample_is_served_by_one_rank_and_the_next_by_another(load):
    scenario = load({**REPLICAS, **AT_THE_TERMINAL, "workload.batch": 1})
    found, alone = simulate(scenario), simulate(scenario, "single")
    assert found.latency_s == alone.latency_s
    assert found.timeline.sent_bytes == (0, 0, 0)
    assert 1.5 * alone.throughput_per_s < found.throughput_per_s <= 2 * alone.throughput_per_s


@pytest.mark.parametrize("batch", [1, 3])
def test_a_rank_holds_the_model_whether_or_not_this_request_has_a_part_for_it(load, batch):
    found, alone = (simulate(load({**REPLICAS, "workload.batch": batch}), name) for name in ("replicas", "single"))
    assert found.held_bytes[:2] == alone.held_bytes[:1] * 2
    assert found.plan.held_bytes[1] < found.held_bytes[1]


def test_where_whole_requests_do_not_fit_they_are_split(load):
    change = {**REPLICAS, "workload.batch": 8, "devices[0].op_overhead": "1 ms"}
    roomy = simulate(load(change))
    room = roomy.held_bytes[0] - 1
    small = simulate(load({**change, "devices[0].memory": f"{room} B"}))
    assert (roomy.throughput_mode, small.throughput_mode) == ("in turn", "split")
    assert small.held_bytes == small.plan.held_bytes
    assert max(small.held_bytes) <= room
    assert small.throughput_per_s == near(1 / small.latency_s)


@pytest.mark.parametrize("name", [name for name in SPREAD if strategies.find(name).in_turn is None])
def test_a_strategy_whose_requests_need_all_ranks_has_no_choice(load, name):
    found = simulate(load({"strategy": {"name": name}}))
    assert found.throughput_mode is None
    assert found.held_bytes == found.plan.held_bytes


def test_neither_has_one_rank_alone(load):
    found = simulate(load({**REPLICAS, "ranks": [1]}))
    assert found.throughput_mode is None
    assert found.throughput_per_s == near(1 / found.latency_s)


def test_eight_pictures_on_two_boards_that_have_them_take_half_the_time_without_a_message(load):
    scenario = load({**REPLICAS, "workload.batch": 8})
    found, alone = simulate(scenario), simulate(scenario, "single")
    assert found.latency_s == near(alone.latency_s / 2)
    assert sum(found.timeline.sent_bytes) == 0
