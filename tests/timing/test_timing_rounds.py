"""Requests that several ranks serve in turn: the pace of a round, and who is dealt what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing_plans import device, exchange, plan, work

from prism_sim.plan import Plan, Start, Wait
from prism_sim.timing import Switch, deal, play_once, play_stream
from prism_sim.timing.dealing import MOST_DEALT, Deal, served_per_s

FAST = Switch(1e15, 1e15)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


def boards(count: int) -> list:
    return [device(f"board {number}") for number in range(count)]


def at_home(rank: int, milliseconds: list[float]) -> Plan:
    """The plan by which a rank alone serves the request, which it has."""
    programs = [[work(own)] if one == rank else [] for one, own in enumerate(milliseconds)]
    return plan([*programs, []])


def fetched(rank: int, milliseconds: list[float], payload_bytes: int, answer_ms: float = 0.0) -> Plan:
    """The same, if the terminal sends it, gets an answer of no bytes, and makes something of that."""
    terminal = len(milliseconds)
    crossings = [
        exchange("send", [payload_bytes, 0], terminal, (terminal, rank)),
        exchange("send", [0, 0], rank, (rank, terminal)),
    ]
    programs = [[Wait(0), work(own), Start(1)] if one == rank else [] for one, own in enumerate(milliseconds)]
    return plan([*programs, [Start(0), Wait(1), work(answer_ms)]], crossings)


def dealt(plans: list[Plan], device_of: list[int], network: Switch = FAST) -> Deal:
    devices = boards(max(device_of) + 1)
    return deal([play_once(one, devices, device_of, network) for one in plans], network, devices)


def pace_per_s(plans: list[Plan], device_of: list[int], network: Switch = FAST) -> float:
    found = dealt(plans, device_of, network)
    where = boards(max(device_of) + 1), device_of, network
    return play_stream([plans[way] for way in found.order], *where, in_flight=found.in_flight).throughput_per_s


@pytest.mark.parametrize("n_ranks", [2, 3, 7, 40])
def test_equal_devices_serve_as_many_times_the_requests_of_one(n_ranks: int) -> None:
    plans = [at_home(rank, [7.0] * n_ranks) for rank in range(n_ranks)]
    device_of = [*range(n_ranks), 0]
    assert dealt(plans, device_of) == Deal(tuple(range(n_ranks)), 3, near(n_ranks / 7e-3))
    assert pace_per_s(plans, device_of) == near(n_ranks / 7e-3)


@pytest.mark.parametrize(("milliseconds", "each"), [([6.0, 2.0], (1, 3)), ([4.0, 6.0, 12.0], (3, 2, 1))])
def test_requests_are_dealt_in_proportion_to_pace(milliseconds: list[float], each: tuple[int, ...]) -> None:
    plans = [at_home(rank, milliseconds) for rank in range(len(milliseconds))]
    device_of = [*range(len(milliseconds)), 0]
    order = dealt(plans, device_of).order
    assert tuple(order.count(rank) for rank in range(len(milliseconds))) == each
    assert pace_per_s(plans, device_of) == near(1e3 * sum(1 / own for own in milliseconds))


@given(st.lists(st.integers(10, 1000).map(float), min_size=2, max_size=4))
def test_whatever_the_paces_little_of_their_sum_is_lost(milliseconds: list[float]) -> None:
    """A round of n requests is as good as any other of that length, and the last of it may find some ranks idle."""
    plans = [at_home(rank, milliseconds) for rank in range(len(milliseconds))]
    together_per_s = 1e3 * sum(1 / own for own in milliseconds)
    found = pace_per_s(plans, [*range(len(milliseconds)), 0])
    assert found <= together_per_s * (1 + 1e-9)
    assert found >= together_per_s * MOST_DEALT / (MOST_DEALT + len(milliseconds) - 1)


def test_a_device_behind_a_slow_link_gets_no_more_than_the_link_carries() -> None:
    """A request takes 8 ms on the way to rank 1 and 2 ms of work anywhere: four times as many stay at home."""
    plans = [fetched(rank, [2.0, 2.0], 10_000) for rank in range(2)]
    device_of, slow = [0, 1, 0], Switch(10e6, 1e15)
    order = dealt(plans, device_of, slow).order
    assert (order.count(0), order.count(1)) == (4, 1)
    assert pace_per_s(plans, device_of, slow) == near(1e3 * (1 / 2 + 1 / 8))


def test_what_the_terminal_does_to_each_answer_is_work_of_its_device() -> None:
    """Of n requests, w at home: 2 w + n ms there, 2 (n - w) ms elsewhere; both equal where w is a quarter of n."""
    plans = [fetched(rank, [2.0, 2.0], 0, answer_ms=1.0) for rank in range(2)]
    device_of = [0, 1, 0]
    order = dealt(plans, device_of).order
    assert (order.count(0), order.count(1)) == (1, 3)
    assert pace_per_s(plans, device_of) == near(4 / 6e-3)


def test_where_nothing_takes_time_each_serves_once() -> None:
    assert dealt([at_home(rank, [0.0, 0.0]) for rank in range(2)], [0, 1, 0]).order == (0, 1)


@pytest.mark.parametrize("latency_ms", [0.1, 3.0, 40.0])
def test_a_way_there_and_back_however_long_keeps_nobody_waiting(latency_ms: float) -> None:
    """Requests and answers of no bytes, 2 ms of work: latency costs time to the first answer, not pace."""
    plans = [fetched(rank, [2.0, 2.0], 0) for rank in range(2)]
    assert pace_per_s(plans, [0, 1, 0], Switch(1e15, 1e15, latency_ms / 1e3)) == near(2 / 2e-3)


def test_a_plan_in_a_list_of_its_own_is_played_as_it_is() -> None:
    one = fetched(0, [5.0], 1_000)
    where = boards(2), [0, 1], Switch(80e6, 80e6, 1e-3)
    assert play_stream([one], *where) == play_stream(one, *where)


def test_the_same_plan_twice_has_the_pace_that_it_has_once() -> None:
    one = fetched(0, [5.0], 1_000)
    where = boards(2), [0, 1], Switch(80e6, 80e6, 1e-3)
    assert play_stream([one, one], *where).throughput_per_s == near(1 / 5e-3)
    assert play_stream(one, *where).throughput_per_s == near(1 / 5e-3)


def test_plans_for_different_numbers_of_ranks_make_no_round() -> None:
    for plans in ([], [at_home(0, [1.0]), at_home(0, [1.0, 1.0])]):
        with pytest.raises(ValueError, match=r"plans for \[.*\] ranks make no round"):
            play_stream(plans, boards(3), [0, 1, 2], FAST)


def test_ways_that_serve_one_at_a_time_share_what_they_all_need() -> None:
    """As many as alone, until that has too much to do; one way that keeps it busy gives way to those that hardly do."""
    shared = ("processor", 0)
    assert served_per_s([1.0, 2.0], [{shared: 0.3}, {shared: 0.4}]) == 1.5
    assert served_per_s([1.0, 1.0], [{shared: 0.8}, {shared: 0.8}]) == pytest.approx(1 / 0.8)
    others = [{shared: 0.2, ("processor", one): 0.8} for one in (1, 2, 3)]
    assert served_per_s([1.0] * 4, [{shared: 1.0}, *others]) == pytest.approx(3 + 0.4, rel=0.03)
