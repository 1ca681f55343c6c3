"""Which messages an algorithm makes of an exchange, in bytes and in time.

S: a member's payload, P members, T = 8 S / rate, l = latency.

| exchange       | algorithm | bytes sent by a member                          | latency                     |
|----------------|-----------|-------------------------------------------------|-----------------------------|
| all_gather     | direct    | (P - 1) S                                       | (P - 1) T + l               |
| all_gather     | ring      | (P - 1) S                                       | (P - 1) (T + l)             |
| all_gather     | star      | S; centre: (P - 1)^2 S                          | (P - 1) P T + 2 l           |
| all_gather     | tree      | (P - 1) S                                       | (P - 1) T + ceil(log2 P) l  |
| all_gather     | broadcast | S                                               | (P - 1) T + l               |
| all_reduce     | direct    | (P - 1) S                                       | (P - 1) T + l               |
| all_reduce     | ring      | 2 (P - 1) S / P                                 | 2 (P - 1) (T / P + l)       |
| all_reduce     | star      | S; centre: (P - 1) S                            | 2 (P - 1) T + 2 l           |
| all_reduce     | tree      | S to its parent, S to each child                | 2 log2 P (T + l), P = 2^k   |
| reduce_scatter | ring      | (P - 1) S, S a piece                            | (P - 1) (T + l)             |
"""

from __future__ import annotations

from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_plans import assert_explained, device, exchange, exchanges, one_exchange, plan, plans, rigs, work

from prism_sim.plan import Start, Wait
from prism_sim.timing import Switch, play_once
from prism_sim.timing.collectives import ALGORITHMS, lower

RATE, LATENCY_S = 80e6, 0.01
S = 840_000  # divisible by all P below
T = 8 * S / RATE
SIZES = (2, 3, 4, 8)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9)


def played(kind: str, algorithm: str, n: int, payload_bytes: int = S, **fields: float):
    a_plan = one_exchange(kind, [payload_bytes] * n)
    boards = [device(f"board {number}", **fields) for number in range(n)]
    network = Switch(RATE, RATE, LATENCY_S, collective=algorithm)
    timeline = play_once(a_plan, boards, (*range(n), 0), network)
    assert_explained(timeline)
    return timeline


def rounds(n: int) -> int:
    return ceil(log2(n))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("kind", "algorithm", "members_bytes"),
    [
        ("all_gather", "direct", lambda n: [(n - 1) * S] * n),
        ("all_gather", "ring", lambda n: [(n - 1) * S] * n),
        ("all_gather", "star", lambda n: [(n - 1) ** 2 * S] + [S] * (n - 1)),
        ("all_gather", "tree", lambda n: [(n - 1) * S] * n),
        ("all_gather", "broadcast", lambda n: [S] * n),
        ("all_reduce", "direct", lambda n: [(n - 1) * S] * n),
        ("all_reduce", "ring", lambda n: [2 * (n - 1) * S // n] * n),
        ("all_reduce", "star", lambda n: [(n - 1) * S] + [S] * (n - 1)),
        ("all_reduce", "broadcast", lambda n: [S] * n),
        ("reduce_scatter", "direct", lambda n: [(n - 1) * S] * n),
        ("reduce_scatter", "ring", lambda n: [(n - 1) * S] * n),
        ("reduce_scatter", "star", lambda n: [(n - 1) * S] + [n * S] * (n - 1)),
        ("reduce_scatter", "tree", lambda n: [(n - 1) * S] * n),
    ],
)
def test_bytes_on_the_wire(n: int, kind: str, algorithm: str, members_bytes):
    assert played(kind, algorithm, n).sent_bytes == (*members_bytes(n), 0)


@pytest.mark.parametrize("n", SIZES)
def test_a_tree_all_reduce_moves_the_payload_once_up_and_once_down_each_edge(n: int):
    timeline = played("all_reduce", "tree", n)
    assert sum(timeline.sent_bytes) == 2 * (n - 1) * S
    assert len(timeline.messages) == 2 * (n - 1)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("kind", "algorithm", "latency_s"),
    [
        ("all_gather", "direct", lambda n: (n - 1) * T + LATENCY_S),
        ("all_gather", "ring", lambda n: (n - 1) * (T + LATENCY_S)),
        ("all_gather", "star", lambda n: (n - 1) * n * T + 2 * LATENCY_S),
        ("all_gather", "tree", lambda n: (n - 1) * T + rounds(n) * LATENCY_S),
        ("all_gather", "broadcast", lambda n: (n - 1) * T + LATENCY_S),
        ("all_reduce", "direct", lambda n: (n - 1) * T + LATENCY_S),
        ("all_reduce", "ring", lambda n: 2 * (n - 1) * (T / n + LATENCY_S)),
        ("all_reduce", "star", lambda n: 2 * (n - 1) * T + 2 * LATENCY_S),
        ("reduce_scatter", "direct", lambda n: (n - 1) * T + LATENCY_S),
        ("reduce_scatter", "ring", lambda n: (n - 1) * (T + LATENCY_S)),
        ("reduce_scatter", "tree", lambda n: (n - 1) * T + rounds(n) * LATENCY_S),
    ],
)
def test_latency_on_a_switch(n: int, kind: str, algorithm: str, latency_s):
    assert played(kind, algorithm, n).latency_s == near(latency_s(n))


@pytest.mark.parametrize("n", [2, 4, 8])
def test_a_tree_all_reduce_of_a_power_of_two_takes_log2_rounds_up_and_as_many_down(n: int):
    assert played("all_reduce", "tree", n).latency_s == near(2 * rounds(n) * (T + LATENCY_S))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
@settings(deadline=None, max_examples=100)
@given(st.data())
def test_everyone_gets_at_least_what_is_due(algorithm: str, data: st.DataObject):
    crossing = data.draw(exchanges(6))
    received = dict.fromkeys(crossing.group, 0)
    for number, message in enumerate(lower(crossing, algorithm)):
        received[message.destination] += message.payload_bytes
        assert message.payload_bytes > 0
        assert message.source != message.destination
        assert all(earlier < number for earlier in message.after)
        assert all(lower(crossing, algorithm)[earlier].destination == message.source for earlier in message.after)
    sizes = dict(zip(crossing.group, crossing.bytes_by_rank, strict=True))
    for member in crossing.group:
        due = {
            "all_gather": sum(sizes.values()) - sizes[member],
            "gather": (sum(sizes.values()) - sizes[member]) * (member == crossing.root),
            "broadcast": sizes[crossing.group[0]] * (member != crossing.root),
            "scatter": sizes[member] * (member != crossing.root),
            "send": sizes[crossing.group[0]] * (member != crossing.root),
        }
        if crossing.kind in due:
            assert received[member] == due[crossing.kind]
        else:
            assert received[member] >= sizes[member]


@pytest.mark.parametrize("kind", ["all_reduce", "reduce_scatter"])
@pytest.mark.parametrize("algorithm", ["direct", "ring", "star", "tree"])
def test_a_sum_is_copied_in_once_and_the_terms_out_once(kind: str, algorithm: str):
    timeline = played(kind, algorithm, 4, staging_bytes_per_s=1e6)
    terms_bytes = 4 * S if kind == "reduce_scatter" else S
    assert timeline.busy_s == near(((terms_bytes + S) / 1e6,) * 4)


@pytest.mark.parametrize("algorithm", ["direct", "ring"])
def test_a_gathered_part_is_copied_in_as_it_came(algorithm: str):
    timeline = played("all_gather", algorithm, 4, staging_bytes_per_s=1e9, staging_latency_s=1e-3)
    assert timeline.busy_s == near((4 * (1e-3 + S / 1e9),) * 4)


def test_a_forward_costs_its_sender_the_message_overhead():
    a_plan = one_exchange("broadcast", [S, 0, 0], 0)
    boards = [device(f"board {number}") for number in range(3)]
    timeline = play_once(a_plan, boards, (0, 1, 2, 0), Switch(RATE, RATE, LATENCY_S, 0.5, collective="ring"))
    assert timeline.busy_s == near((0.5, 0.5, 0))
    assert timeline.latency_s == near(2 * (0.5 + T + LATENCY_S))
    assert timeline.breakdown_s["overhead"] == near(1.0)


def test_a_ring_is_free_between_neighbours_on_one_device():
    boards = [device("left"), device("right")]
    network = Switch(RATE, RATE, LATENCY_S, collective="ring")
    timeline = play_once(one_exchange("all_gather", [S] * 4), boards, (0, 0, 1, 1, 0), network)
    assert timeline.sent_bytes == (0, 3 * S, 0, 3 * S, 0)
    assert_explained(timeline)


@pytest.mark.parametrize("algorithm", ["ring", "star", "tree"])
def test_unequal_terms_cannot_be_summed(algorithm: str):
    with pytest.raises(ValueError, match=r"bytes_by_rank\(=\(1, 2\)\) differ"):
        lower(exchange("all_reduce", [1, 2]), algorithm)


def test_an_unknown_algorithm_is_an_error():
    with pytest.raises(ValueError, match=r"collective\(='rings'\) must be one of direct, ring, star, tree, broadcast"):
        lower(exchange("all_gather", [1, 2]), "rings")


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_parts_sum_to_the_latency_whatever_the_algorithm(algorithm: str, data: st.DataObject):
    a_plan = data.draw(plans())
    devices, device_of = data.draw(rigs(len(a_plan.programs)))
    overhead_s = data.draw(st.sampled_from((0.0, 3e-4)))
    assert_explained(play_once(a_plan, devices, device_of, Switch(30e6, 50e6, 1e-3, overhead_s, collective=algorithm)))


def test_what_a_member_adds_to_a_sum_is_copied_out_before_the_sum_goes_on():
    late = plan([[work(500.0), Start(0), Wait(0)], [Start(0), Wait(0)], []], [exchange("all_reduce", [S, S])])
    boards = [device(f"board {number}", staging_bytes_per_s=S / 0.25) for number in range(2)]
    timeline = play_once(late, boards, (0, 1, 0), Switch(RATE, RATE, LATENCY_S, collective="star"))
    assert_explained(timeline)
    assert timeline.latency_s == near(0.5 + 0.25 + T + LATENCY_S + 0.25)
