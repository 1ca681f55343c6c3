"""Which way an exchange takes where each takes the one that is quickest for it alone.

S: a member's payload, P members, T = 8 S / rate, l = latency, o = message overhead; a full-duplex switch, FIFO ports.

| all-reduce, o = 0 |                       | all-gather, T = 0 |                        |
|-------------------|-----------------------|-------------------|------------------------|
| direct            | (P - 1) T + l         | direct            | (P - 1) o + l          |
| ring              | 2 (P - 1) (T / P + l) | ring              | (P - 1) (o + l)        |
| tree, P = 2^k     | 2 log2 P (T + l)      | tree              | ceil(log2 P) (o + l)   |
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_timing_media import networks
from timing_plans import COLLECTIVES as KINDS
from timing_plans import apart, device, exchange, exchanges, one_exchange, plan, plans, rigs

from prism_sim.plan import Plan, Start, Wait
from prism_sim.timing import ALGORITHMS, COLLECTIVES, QUICKEST, Network, SharedRadio, Switch, algorithms_of, play_once
from prism_sim.timing.collectives import ways_of

RATE, LATENCY_S = 80e6, 0.01
P = 8
SWITCH = Switch(RATE, RATE, LATENCY_S, collective=QUICKEST)


def chosen(kind: str, payload_bytes: int, network: Network, root: int | None = None, n: int = P) -> tuple[str, float]:
    """The algorithm of one exchange over n boards, and how long it takes."""
    a_plan = one_exchange(kind, [payload_bytes] * n, root)
    hardware = ([device() for _ in a_plan.programs], apart(a_plan), network)
    return algorithms_of(a_plan, *hardware)[0], play_once(a_plan, *hardware).latency_s


def payload_bytes(transfer_s: float) -> int:
    """That takes so long, in whole chunks of a ring."""
    return P * round(transfer_s * RATE / 8 / P)


# direct and ring take the same where (P - 1) T + l = 2 (P - 1) (T / P + l): 7 T + l = 1.75 T + 14 l, T = 13 l / 5.25
@pytest.mark.parametrize(("times_latency", "way"), [(0.01, "direct"), (2.4, "direct"), (2.6, "ring"), (100, "ring")])
def test_a_small_sum_goes_direct_and_a_large_one_round_a_ring(times_latency: float, way: str):
    found, latency_s = chosen("all_reduce", payload_bytes(times_latency * LATENCY_S), SWITCH)
    transfer_s = 8 * payload_bytes(times_latency * LATENCY_S) / RATE
    direct_s = (P - 1) * transfer_s + LATENCY_S
    ring_s = 2 * (P - 1) * (transfer_s / P + LATENCY_S)
    assert found == way
    assert latency_s == pytest.approx(min(direct_s, ring_s), rel=1e-9)


def test_where_messages_cost_their_sender_time_an_all_gather_takes_the_way_with_fewest():
    overhead_s = 10 * LATENCY_S
    costly = replace(SWITCH, message_overhead_s=overhead_s)
    found, latency_s = chosen("all_gather", 1, costly)
    assert found == "tree"
    assert latency_s == pytest.approx(3 * (overhead_s + LATENCY_S), rel=1e-5)  # bytes: 7 take 0.7 us
    assert chosen("all_gather", 1, SWITCH)[0] == "direct"  # (P - 1) o + l is the least where o = 0


def test_two_exchanges_of_one_plan_go_their_own_ways():
    small, large = payload_bytes(0.1 * LATENCY_S), payload_bytes(100 * LATENCY_S)
    program = (Start(0), Wait(0), Start(1), Wait(1))
    both = [exchange("all_reduce", [size] * P) for size in (small, large)]
    a_plan = plan([program] * P + [()], both)
    hardware = ([device() for _ in a_plan.programs], apart(a_plan))
    assert algorithms_of(a_plan, *hardware, SWITCH) == ("direct", "ring")
    by_itself_s = [chosen("all_reduce", size, SWITCH)[1] for size in (small, large)]
    assert play_once(a_plan, *hardware, SWITCH).latency_s == pytest.approx(sum(by_itself_s), rel=1e-9)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stated_is_obeyed(kind: str, algorithm: str):
    members = 2 if kind == "send" else P
    root = 0 if kind in ("broadcast", "scatter", "gather", "send") else None
    stated = replace(SWITCH, collective=algorithm)
    assert chosen(kind, 1, stated, root, members)[0] == (algorithm if algorithm in ways_of(kind) else "direct")


def test_kinds_with_a_choice_are_those_that_more_than_one_algorithm_has_a_way_for():
    assert COLLECTIVES == ("all_gather", "all_reduce", "reduce_scatter", "broadcast")


@pytest.mark.parametrize("kind", ["all_gather", "all_reduce", "broadcast"])
def test_one_transmission_to_all_is_a_way_only_where_its_rate_is_stated(kind: str):
    root = 0 if kind == "broadcast" else None
    radio = SharedRadio(RATE, LATENCY_S, direct=True, collective=QUICKEST)
    size, n_senders = payload_bytes(100 * LATENCY_S), 1 if kind == "broadcast" else P
    assert chosen(kind, size, radio, root)[0] != "broadcast"
    found, latency_s = chosen(kind, size, replace(radio, broadcast_bits_per_s=RATE), root)
    assert found == "broadcast"
    assert latency_s == pytest.approx(n_senders * 8 * size / RATE + LATENCY_S, rel=1e-9)
    slow = replace(radio, broadcast_bits_per_s=RATE / 100)  # worse than to send to each of seven
    assert chosen(kind, size, slow, root)[0] != "broadcast"
    assert chosen(kind, size, replace(SWITCH, sharing="fifo"), root)[0] != "broadcast"


def one_of_random(data: st.DataObject) -> tuple[Plan, Any]:
    crossing = data.draw(exchanges(5))
    programs = [(Start(0), Wait(0)) if one in crossing.group else () for one in range(5)]
    return plan(programs, [crossing]), data.draw(rigs(5))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_no_way_that_is_stated_is_quicker_for_one_exchange(data: st.DataObject):
    (a_plan, hardware), network = one_of_random(data), data.draw(networks)
    quickest = replace(network, collective=QUICKEST)
    ways = [name for name in ALGORITHMS if name != "broadcast" or quickest.reaches_all]
    each_s = {name: play_once(a_plan, *hardware, replace(network, collective=name)).latency_s for name in ways}
    found_s = play_once(a_plan, *hardware, quickest).latency_s
    assert found_s == pytest.approx(min(each_s.values()), rel=1e-9)
    assert each_s[algorithms_of(a_plan, *hardware, quickest)[0]] == found_s
    first = next(name for name in ways if each_s[name] <= min(each_s.values()))
    assert list(ALGORITHMS).index(algorithms_of(a_plan, *hardware, quickest)[0]) <= list(ALGORITHMS).index(first)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_plan_is_played_by_the_ways_that_are_named(data: st.DataObject):
    a_plan, network = data.draw(plans()), replace(data.draw(networks), collective=QUICKEST)
    hardware = data.draw(rigs(len(a_plan.programs)))
    named = algorithms_of(a_plan, *hardware, network)
    timeline = play_once(a_plan, *hardware, network)
    for number, (crossing, algorithm) in enumerate(zip(a_plan.exchanges, named, strict=True)):
        programs = [(Start(0), Wait(0)) if one in crossing.group else () for one in range(len(a_plan.programs))]
        alone = play_once(plan(programs, [crossing]), *hardware, replace(network, collective=algorithm))
        ways = [
            sorted((m.source, m.destination, m.payload_bytes) for m in one.messages if m.exchange == which)
            for one, which in ((timeline, number), (alone, 0))
        ]
        assert ways[0] == ways[1]
