"""What each medium makes of messages under way at the same time.

T = 8 S / rate, l = latency.

| medium                          | traffic                            | arrivals                          |
|---------------------------------|------------------------------------|-----------------------------------|
| switch, fifo                    | 3 senders of S meet at a receiver  | T + l, 2 T + l, 3 T + l           |
| switch, fair                    | the same                           | 3 T + l, all                      |
| switch, fair                    | S and 2 S from one sender, to two  | 2 T + l, 3 T + l                  |
| switch, fair                    | 3 messages on one connection       | T + l, 2 T + l, 3 T + l           |
| radio, access point             | one message                        | 2 T + l                           |
| radio, direct or from the point | one message                        | T + l                             |
| radio, broadcast, direct        | all-gather of P                    | P T + l                           |
| three links, store and forward  | one message                        | 3 T + 3 l                         |
| three links, cut-through        | one message                        | T + 3 l                           |
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_plans import assert_explained, device, exchange, one_exchange, plan, plans, rigs, work

from prism_sim.plan import Plan, Start, Wait
from prism_sim.timing import NETWORKS, Link, Links, SharedRadio, Switch, Timeline, play_once
from prism_sim.timing.collectives import CHOICES
from prism_sim.timing.media import fair
from prism_sim.timing.media.base import Network
from prism_sim.timing.media.max_min import Ports, max_min_rates
from prism_sim.timing.once import play_plainly
from prism_sim.timing.rig import Rig

RATE, LATENCY_S, S = 80e6, 0.01, 10**6
T = 8 * S / RATE


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9)


def play(a_plan: Plan, network: Network) -> Timeline:
    """Each rank on a device of its own; the terminal, which has nothing to do here, on the first."""
    boards = [device(f"board {number}") for number in range(a_plan.n_ranks)]
    timeline = play_once(a_plan, boards, (*range(a_plan.n_ranks), 0), network)
    assert_explained(timeline)
    return timeline


def sends(*ways: tuple[int, int], n: int = 0) -> Plan:
    """Each (source, destination) in turn, all started at once."""
    crossings = [exchange("send", [S, 0], source, (source, to)) for source, to in ways]
    n = n or max(max(way) for way in ways) + 1
    programs = [
        [Start(k) for k, way in enumerate(ways) if way[0] == who]
        + [Wait(k) for k, way in enumerate(ways) if way[1] == who]
        for who in range(n)
    ]
    return plan([*programs, []], crossings)


def arrivals_s(timeline: Timeline) -> list[float]:
    return [message.arrival_s for message in timeline.messages]


FIFO = Switch(RATE, RATE, LATENCY_S)
FAIR = Switch(RATE, RATE, LATENCY_S, sharing="fair")
CHAIN = tuple(Link(a, b, RATE, latency_s=LATENCY_S) for a, b in ((0, "left"), ("left", "right"), ("right", 1)))


@pytest.mark.parametrize("network", [FIFO, FAIR])
def test_a_message_alone_takes_the_same_however_ports_are_shared(network: Switch):
    assert arrivals_s(play(sends((0, 1)), network)) == [near(T + LATENCY_S)]


@pytest.mark.parametrize("n_senders", [2, 3, 7])
def test_senders_that_meet_at_one_receiver_take_turns_or_share(n_senders: int):
    incast = sends(*((sender, 0) for sender in range(1, n_senders + 1)))
    fifo, fair = play(incast, FIFO), play(incast, FAIR)
    assert arrivals_s(fifo) == near([k * T + LATENCY_S for k in range(1, n_senders + 1)])
    assert arrivals_s(fair) == near([n_senders * T + LATENCY_S] * n_senders)
    assert fifo.breakdown_s["queue"] == near((n_senders - 1) * T)
    assert fair.breakdown_s == near(fifo.breakdown_s)


def test_flows_of_one_sender_share_its_uplink_and_that_is_transfer_not_queue():
    crossings = [exchange("send", [S, 0], 0, (0, 1)), exchange("send", [2 * S, 0], 0, (0, 2))]
    timeline = play(plan([[Start(0), Start(1)], [Wait(0)], [Wait(1)], []], crossings), FAIR)
    assert arrivals_s(timeline) == near([2 * T + LATENCY_S, 3 * T + LATENCY_S])
    assert timeline.breakdown_s["transfer"] == near(3 * T)


def test_a_connection_carries_its_messages_one_after_another():
    timeline = play(sends((0, 1), (0, 1), (0, 1)), FAIR)
    assert arrivals_s(timeline) == near([k * T + LATENCY_S for k in (1, 2, 3)])
    assert timeline.breakdown_s["transfer"] == near(3 * T)
    assert timeline.breakdown_s["queue"] == 0


def test_a_connection_gets_one_share_however_many_messages_wait_on_it():
    # 0 has three messages for 2, and 1 has one: they share 2's port evenly while both flow
    timeline = play(sends((0, 2), (0, 2), (0, 2), (1, 2)), FAIR)
    assert arrivals_s(timeline) == near([2 * T + LATENCY_S, 3 * T + LATENCY_S, 4 * T + LATENCY_S, 2 * T + LATENCY_S])
    assert timeline.breakdown_s["queue"] == near(T)  # what 1 took is lost for all three
    assert timeline.breakdown_s["transfer"] == near(3 * T)


def test_a_flow_that_joins_late_slows_the_other_from_then_on():
    crossings = [exchange("send", [S, 0], 0, (0, 2)), exchange("send", [S, 0], 1, (1, 2))]
    late = plan([[Start(0)], [work(1e3 * T / 2), Start(1)], [Wait(0), Wait(1)], []], crossings)
    assert arrivals_s(play(late, FAIR)) == near([1.5 * T + LATENCY_S, 2 * T + LATENCY_S])


def test_a_fair_switch_does_not_block_a_message_whose_way_is_free():
    # 1 and 2 meet at 3; 2 also sends to 0: it gets what is left of 2's uplink, at once
    timeline = play(sends((1, 3), (2, 3), (2, 0)), FAIR)
    assert arrivals_s(timeline) == near([2 * T + LATENCY_S] * 3)


def flows_shared_out(a_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many flows get their rates anew, each time that some do."""
    counts = []

    def counted(flows: list[Ports], capacity: list[float]) -> list[float]:
        counts.append(len(flows))
        return max_min_rates(flows, capacity)

    monkeypatch.setattr(fair, "max_min_rates", counted)
    boards = [device(f"board {number}") for number in range(a_plan.n_ranks)]
    play_plainly(a_plan, Rig.of(boards, (*range(a_plan.n_ranks), 0), FAIR))
    return counts


def test_a_change_costs_only_what_shared_ports_tie_to_it(monkeypatch: pytest.MonkeyPatch):
    # three pairs of devices that have no port in common
    apart = sends((0, 1), (2, 3), (4, 5))
    assert flows_shared_out(apart, monkeypatch) == [1, 1, 1]
    # 0 -> 3 and 1 -> 3 share an ingress, 1 -> 2 an egress with the latter; all three end at once
    tied = sends((0, 3), (1, 3), (1, 2), (4, 5))
    assert sorted(flows_shared_out(tied, monkeypatch)) == [1, 3]


def test_all_that_begins_or_ends_at_a_moment_changes_the_rates_once(monkeypatch: pytest.MonkeyPatch):
    n_ranks, n_blocks = 5, 3
    gathers = [exchange("all_gather", [S] * n_ranks) for _ in range(n_blocks)]
    program = [step for block in range(n_blocks) for step in (work(1), Start(block), Wait(block))]
    counts = flows_shared_out(plan([program] * n_ranks + [[]], gathers), monkeypatch)
    assert counts == [n_ranks * (n_ranks - 1)] * n_blocks


@settings(max_examples=200)
@given(st.data())
def test_every_flow_has_a_full_port_where_none_gets_more(data: st.DataObject):
    n_ports = data.draw(st.integers(1, 5))
    capacity = np.array([data.draw(st.sampled_from((1.0, 2.0, 3.0, 10.0))) for _ in range(2 * n_ports)])
    ends = st.tuples(st.integers(0, n_ports - 1), st.integers(n_ports, 2 * n_ports - 1))
    flows = data.draw(st.lists(ends, min_size=1, max_size=12))
    ports, rates = np.array(flows).T, np.array(max_min_rates(flows, capacity.tolist()))
    for flow, rate in enumerate(rates):
        full_and_largest = [
            rates[crosses].sum() >= capacity[port] * (1 - 1e-9) and rate >= rates[crosses].max() * (1 - 1e-9)
            for port in ports[:, flow]
            if (crosses := (ports == port).any(axis=0)).any()
        ]
        assert any(full_and_largest)
    for port in range(2 * n_ports):
        assert rates[(ports == port).any(axis=0)].sum() <= capacity[port] * (1 + 1e-9)


def test_egress_and_ingress_are_limited_separately():
    # 0 -> 2 and 1 -> 2 share a port of half the rate; 0 -> 1 takes the rest of 0's uplink
    assert max_min_rates([(0, 5), (1, 5), (0, 4)], [4.0, 4.0, 4.0, 4.0, 4.0, 2.0]) == [1.0, 1.0, 3.0]


@pytest.mark.parametrize(
    ("fields", "hops"), [({}, 2), ({"direct": True}, 1), ({"access_point": 1}, 1), ({"access_point": 2}, 2)]
)
def test_what_passes_the_access_point_uses_the_air_twice(fields: dict, hops: int):
    timeline = play(sends((0, 1), n=3), SharedRadio(RATE, LATENCY_S, **fields))
    assert timeline.latency_s == near(hops * T + LATENCY_S)
    assert timeline.sent_bytes[0] == S


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("direct", [True, False])
def test_one_air_carries_all_messages_of_an_all_gather_one_after_another(n: int, direct: bool):
    timeline = play(one_exchange("all_gather", [S] * n), SharedRadio(RATE, LATENCY_S, direct=direct))
    assert timeline.latency_s == near((1 if direct else 2) * n * (n - 1) * T + LATENCY_S)


@pytest.mark.parametrize("n", [3, 5])
def test_a_broadcast_uses_the_air_once_whatever_the_number_of_receivers(n: int):
    gather = one_exchange("all_gather", [S] * n)
    direct = play(gather, SharedRadio(RATE, LATENCY_S, collective="broadcast", direct=True))
    assert direct.latency_s == near(n * T + LATENCY_S)
    assert direct.sent_bytes == (*[S] * n, 0)
    assert direct.received_bytes == (*[(n - 1) * S] * n, 0)
    basic = SharedRadio(RATE, LATENCY_S, collective="broadcast", broadcast_bits_per_s=RATE / 10)
    assert play(gather, basic).latency_s == near(n * (T + 10 * T) + LATENCY_S)  # to the access point, then to all


def test_waiting_for_own_bytes_on_the_air_is_transfer_and_for_others_queue():
    own = play(sends((0, 1), (0, 2)), SharedRadio(RATE, LATENCY_S, direct=True)).breakdown_s
    assert (own["transfer"], own["queue"]) == (near(2 * T), 0)
    mixed = play(sends((0, 1), (1, 0)), SharedRadio(RATE, LATENCY_S, direct=True)).breakdown_s
    assert (mixed["transfer"], mixed["queue"]) == (near(T), near(T))


@pytest.mark.parametrize(("switching", "transfers"), [("store-and-forward", 3), ("cut-through", 1)])
def test_three_hops_pass_a_message_on_whole_or_as_it_comes(switching: str, transfers: int):
    timeline = play(sends((0, 1)), Links(CHAIN, switching=switching))
    assert timeline.latency_s == near(transfers * T + 3 * LATENCY_S)
    assert timeline.breakdown_s["transfer"] == near(transfers * T)
    assert timeline.breakdown_s["propagation"] == near(3 * LATENCY_S)


def test_cut_through_goes_at_the_pace_of_the_slowest_hop():
    slow_middle = (CHAIN[0], Link("left", "right", RATE / 5, latency_s=LATENCY_S), CHAIN[2])
    assert play(sends((0, 1)), Links(slow_middle)).latency_s == near(5 * T + 3 * LATENCY_S)


def test_a_link_may_be_slower_one_way_than_the_other():
    network = Links((Link(0, 1, RATE, back_bits_per_s=RATE / 4),))
    assert play(sends((0, 1)), network).latency_s == near(T)
    assert play(sends((1, 0)), network).latency_s == near(4 * T)
    assert play(sends((0, 1), (1, 0)), network).latency_s == near(4 * T)  # full duplex


def test_messages_that_meet_on_a_link_in_the_middle_queue_there():
    links = (*(Link(leaf, "left", RATE) for leaf in (0, 1)), Link("left", "right", RATE), Link("right", 2, 10 * RATE))
    timeline = play(sends((0, 2), (1, 2)), Links(links))
    assert arrivals_s(timeline) == near([T, 2 * T])
    assert (timeline.breakdown_s["transfer"], timeline.breakdown_s["queue"]) == (near(T), near(T))


def test_a_message_takes_the_fastest_route():
    detour = (Link(0, 1, 1e6), Link(0, "hub", RATE), Link("hub", 1, RATE))
    assert play(sends((0, 1)), Links(detour)).latency_s == near(T)


def test_devices_without_a_way_between_them_are_an_error():
    apart_ = Links((Link(0, "left", RATE), Link(1, "right", RATE)))
    with pytest.raises(ValueError, match="no links lead from device 0 to device 1"):
        play(sends((0, 1)), apart_)
    with pytest.raises(ValueError, match="no links lead from device 0 to device 2"):
        play(sends((0, 1), (1, 2)), Links((Link(0, 1, RATE),)))


def test_a_star_of_links_is_a_switch():
    star = Links(tuple(Link(number, "switch", RATE, latency_s=LATENCY_S / 2) for number in range(5)))
    gather = one_exchange("all_gather", [S] * 4)
    assert play(gather, star).latency_s == near(play(gather, FIFO).latency_s)


networks = st.one_of(
    st.builds(
        Switch,
        up_bits_per_s=st.sampled_from((1e6, 30e6)),
        down_bits_per_s=st.sampled_from((1e6, 50e6)),
        latency_s=st.sampled_from((0.0, 1e-3, 0.03)),
        message_overhead_s=st.sampled_from((0.0, 3e-4)),
        sharing=st.sampled_from(("fair", "fifo")),
        collective=st.sampled_from(sorted(set(CHOICES) - {"broadcast"})),
        slow_start=st.booleans(),
    ),
    st.builds(
        SharedRadio,
        bits_per_s=st.sampled_from((1e6, 30e6)),
        latency_s=st.sampled_from((0.0, 1e-3, 0.03)),
        message_overhead_s=st.sampled_from((0.0, 3e-4)),
        collective=st.sampled_from(sorted(CHOICES)),
        direct=st.booleans(),
        access_point=st.sampled_from((None, 0)),
        broadcast_bits_per_s=st.sampled_from((None, 1e6)),
        slow_start=st.booleans(),
    ),
    st.builds(
        Links,
        links=st.just(
            (
                *(Link(number, "left" if number < 2 else "right", 30e6, 7e6, 1e-3) for number in range(5)),
                Link("left", "right", 10e6, latency_s=0.03),
            )
        ),
        message_overhead_s=st.sampled_from((0.0, 3e-4)),
        collective=st.sampled_from(sorted(set(CHOICES) - {"broadcast"})),
        switching=st.sampled_from(("cut-through", "store-and-forward")),
        slow_start=st.booleans(),
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_parts_sum_to_the_latency_on_every_medium(data: st.DataObject):
    a_plan, network = data.draw(plans()), data.draw(networks)
    devices, device_of = data.draw(rigs(len(a_plan.programs)))
    timeline = play_once(a_plan, devices, device_of, network)
    assert_explained(timeline)
    assert play_once(a_plan, devices, device_of, network).spans == timeline.spans
    for message in timeline.messages:
        assert message.uplink_start_s <= message.uplink_end_s <= message.arrival_s
        assert message.head_s <= message.downlink_start_s <= message.arrival_s


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: SharedRadio(0), r"bits_per_s\(=0\) must be > 0"),
        (lambda: SharedRadio(1, broadcast_bits_per_s=-1), r"broadcast_bits_per_s\(=-1\) must be > 0"),
        (lambda: SharedRadio(1, collective="gossip"), r"collective\(='gossip'\) must be one of direct, ring"),
        (lambda: Link(0, 1, 0), r"bits_per_s\(=0\) must be > 0"),
        (lambda: Links(CHAIN, switching="hot"), r"switching\(='hot'\) must be one of cut-through, store-and-forward"),
        (lambda: Links(CHAIN, collective="broadcast"), "no transmission reaches all"),
        (lambda: Switch(1, 1, sharing="fair", collective="broadcast"), "flows have one receiver"),
        (lambda: play(sends((0, 1)), SharedRadio(1, access_point=7)), r"access_point\(=7\) must be the index"),
    ],
)
def test_a_wrong_field_is_named_with_its_value(network, message: str):
    with pytest.raises(ValueError, match=message):
        network()


def test_every_medium_has_its_name_in_the_table():
    assert set(NETWORKS) == {"switch", "shared", "links"}
