"""Laws of choosing among devices: equal ones are counted once, what cannot be is a reason, and the best is first."""

from __future__ import annotations

import math

import pytest

from prism_sim import strategies
from prism_sim.choice.subsets import best_subset, candidates, interchangeable, usual_sizes
from prism_sim.simulation.simulate import simulate

SPREAD = [name for name, entry in strategies.catalogue().items() if not entry.one_rank]
KINDS = {
    "devices": [
        {"name": "slow", "compute": "1 GFLOP/s", "memory_bandwidth": "1000000 GB/s", "count": 3},
        {"name": "fast", "compute": "9 GFLOP/s", "memory_bandwidth": "1000000 GB/s", "count": 2},
    ]
}
ALL = range(1, 100)


def test_only_the_number_of_equal_devices_counts_and_the_terminal_s_own_is_another(load):
    scenario = load(KINDS)
    assert interchangeable(scenario) == [(0,), (1, 2), (3, 4)]
    found = candidates(scenario, ALL)
    assert len(found) == 2 * 3 * 3 - 1
    assert len(set(found)) == len(found)
    assert [devices for devices in found if len(devices) == 1] == [(0,), (1,), (3,)]
    assert (2,) not in found


def test_an_equal_device_in_place_of_another_changes_nothing(load):
    scenario = load(KINDS)
    for one, other in (((0, 1, 3), (0, 2, 4)), ((1, 3), (2, 3)), ((1, 2, 4), (1, 2, 3))):
        assert simulate(scenario, "prism", one).latency_s == simulate(scenario, "prism", other).latency_s


def test_names_do_not_tell_devices_apart_but_numbers_do(load):
    device = {"compute": "1 GFLOP/s", "memory_bandwidth": "1 GB/s"}
    alike = load({"devices": [{"name": name, **device} for name in "abc"]})
    assert interchangeable(alike) == [(0,), (1, 2)]
    powers = [{"name": "a", **device}, {"name": "b", **device}, {"name": "c", **device, "memory": "1 GiB"}]
    assert interchangeable(load({"devices": powers})) == [(0,), (1,), (2,)]


def test_where_places_in_the_network_differ_so_do_devices(load):
    links = {
        "medium": "links",
        "links": [{"between": [0, 1], "bandwidth": "1 Mbit/s"}, {"between": [1, 2], "bandwidth": "9 Mbit/s"}],
    }
    line = load({"devices[0].count": 3, "network": links})
    assert interchangeable(line) == [(0,), (1,), (2,)]
    radio = {"medium": "shared", "bandwidth": "9 Mbit/s", "access_point": 2}
    assert interchangeable(load({"devices[0].count": 4, "network": radio})) == [(0,), (1, 3), (2,)]


def test_only_ranks_of_the_scenario_take_part_in_its_order(load):
    found = candidates(load({**KINDS, "ranks": [4, 0, 1]}), ALL)
    assert set(found) == {(4,), (0,), (1,), (4, 0), (4, 1), (0, 1), (4, 0, 1)}


@pytest.mark.parametrize("name", SPREAD)
def test_the_best_is_the_fastest_of_all_and_comes_first(load, name):
    scenario = load(KINDS)
    found = best_subset(scenario, name)
    latencies = [one.latency_s for one in found]
    assert latencies == sorted(latencies)
    assert len(found) == len(candidates(scenario, ALL))
    for one in found:
        if one.simulation is not None:
            strategy = name if len(one.devices) > 1 else "single"
            assert one.simulation.latency_s == simulate(scenario, strategy, one.devices).latency_s


@pytest.mark.parametrize("name", SPREAD)
@pytest.mark.parametrize("network", [{}, {"bandwidth": "1 Mbit/s"}, {"bandwidth": "10 Gbit/s", "latency": "0 s"}])
def test_what_is_ruled_out_is_never_the_best(load, name, network):
    scenario = load({**KINDS, "network": network} if network else KINDS)
    everything = {one.devices: one for one in best_subset(scenario, name)}
    found = best_subset(scenario, name, rule_out=True)
    assert {one.devices for one in found} == set(everything)
    best = everything[found[0].devices]
    assert (found[0].latency_s, found[0].reason) == (best.latency_s, best.reason)
    assert best.latency_s == min(one.latency_s for one in everything.values())
    for one in found:
        if one.is_ruled_out:
            assert one.simulation is None
            assert everything[one.devices].latency_s > best.latency_s


def test_a_slow_device_among_fast_ones_is_ruled_out_unplayed(load):
    """A thousandth of the speed: its even share of the work alone takes longer than all of it on the others."""
    slow = {"name": "slower", "compute": "9 MFLOP/s", "memory_bandwidth": "1000000 GB/s"}
    found = best_subset(load({"devices": [*KINDS["devices"], slow]}), "voltage", [2], rule_out=True)
    assert [one.is_ruled_out for one in found if 5 in one.devices] == [True] * 3


def test_one_device_is_that_one_alone(load):
    scenario = load(KINDS)
    found = best_subset(scenario, "voltage", sizes=[1])
    assert [one.devices for one in found] == [(3,), (0,), (1,)]
    assert {one.simulation.job.strategy for one in found} == {"single"}
    assert [one.devices for one in best_subset(scenario, "single", sizes=[1, 2])] == [(3,), (0,), (1,)]


def test_adding_a_device_to_choose_from_never_makes_the_best_slower(load):
    few, more = (load({**KINDS, "ranks": ranks}) for ranks in ([0, 1, 3], [0, 1, 2, 3, 4]))
    assert best_subset(more)[0].latency_s <= best_subset(few)[0].latency_s


def test_what_a_strategy_cannot_serve_is_a_reason_and_comes_last(load):
    found = best_subset(load(KINDS), "tensor_parallel")  # two heads
    possible = [one for one in found if one.reason is None]
    assert all(len(one.devices) <= 2 for one in possible)
    assert found[: len(possible)] == possible
    for one in found[len(possible) :]:
        assert one.simulation is None
        assert one.latency_s == math.inf
        n_ranks = len(one.devices)
        assert one.reason == f"{n_ranks} ranks need at least {n_ranks} attention heads, but the model has 2"


def test_shares_for_all_ranks_are_a_reason_against_fewer_and_words_are_not(load):
    scenario = load({"strategy": {"name": "voltage", "shares": [0.5, 0.25, 0.25]}, "devices[0].count": 3})
    reasons = {len(one.devices): one.reason for one in best_subset(scenario)}
    assert reasons == {1: None, 2: "3 shares are given for 2 ranks", 3: None}
    words = load({"strategy": {"name": "voltage", "shares": "optimal"}, "devices[0].count": 3})
    assert all(one.reason is None for one in best_subset(words))


def test_what_does_not_fit_is_not_the_best_however_fast(load):
    kinds = {
        "devices": [
            *KINDS["devices"],
            {**KINDS["devices"][1], "name": "tiny", "compute": "90 GFLOP/s", "memory": "1 kB", "count": 1},
        ]
    }
    found = best_subset(load(kinds), "voltage")
    with_tiny = [one for one in found if 5 in one.devices]
    assert found[-len(with_tiny) :] == with_tiny
    assert {one.reason for one in with_tiny} == {"does not fit in memory"}
    assert min(one.simulation.latency_s for one in with_tiny) < found[0].latency_s


def test_of_many_different_devices_the_fastest_join_one_after_another(load):
    rates = (3, 9, 1, 7, 5, 2, 8, 6, 4)
    devices = [{"name": f"d{rate}", "compute": f"{rate} GFLOP/s", "memory_bandwidth": "1000000 GB/s"} for rate in rates]
    found = candidates(load({"devices": devices}), ALL)
    assert len(found) < 2**9 - 1
    assert {size: len([one for one in found if len(one) == size]) for size in range(1, 10)}[9] == 1
    by_speed = sorted(range(9), key=lambda device: -rates[device])
    for size in range(1, 10):
        assert tuple(sorted(by_speed[:size])) in found
        assert tuple(sorted({0, *[one for one in by_speed if one][: size - 1]})) in found


def test_sizes_that_are_asked_for_are_those_that_are_tried(load):
    assert {len(one.devices) for one in best_subset(load(KINDS), "prism", sizes=[2, 4, 40])} == {2, 4}


def test_all_sizes_are_tried_of_few_devices_and_some_of_many():
    assert usual_sizes(5) == [1, 2, 3, 4, 5]
    assert usual_sizes(16) == list(range(1, 17))
    assert usual_sizes(40) == [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 40]
    assert [usual_sizes(n_ranks, 2) for n_ranks in (1, 4, 5, 16)] == [
        [1],
        [1, 2, 3, 4],
        [1, 2, 4, 5],
        [1, 2, 4, 8, 16],
    ]


def test_the_same_question_has_the_same_answer(load):
    first, second = ([(one.devices, one.latency_s) for one in best_subset(load(KINDS))] for _ in range(2))
    assert first == second
