"""Bounds: no run is faster than what they say, and what they rule out would not have been chosen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prism_sim import timing
from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Wait
from prism_sim.shares.bounds import least_latency_s
from prism_sim.shares.search import least_latency_split
from prism_sim.shares.setting import Setting
from prism_sim.simulation.simulate import split_of
from prism_sim.timing import Device, Link, Links, SharedRadio, Switch

KINDS = ("all_gather", "all_reduce", "reduce_scatter", "broadcast", "scatter", "gather", "send")
ROOTED = ("broadcast", "scatter", "gather", "send")
RATE = 1e6
MIXED = """\
model:
  dims: {model_type: bert, hidden_size: 48, num_hidden_layers: 5, num_attention_heads: 6, intermediate_size: 150,
    vocab_size: 300, max_position_embeddings: 256, type_vocab_size: 2}
workload: {batch: 4, tokens: 40}
devices:
  - {name: slow, compute: 1 GFLOP/s, memory_bandwidth: 2 GB/s, op_overhead: 20 us}
  - {name: fast, compute: 7 GFLOP/s, memory_bandwidth: 5 GB/s, op_overhead: 50 us}
  - {name: middle, compute: 3 GFLOP/s, memory_bandwidth: 9 GB/s}
network: {bandwidth: 100 Mbit/s, latency: 0.2 ms}
strategy: {name: prism, segments: 3}
"""


@st.composite
def exchanges(draw: st.DrawFn, n_participants: int) -> Exchange:
    kind: Any = draw(st.sampled_from(KINDS))
    everyone = draw(st.permutations(range(n_participants)))
    group = tuple(everyone[: 2 if kind == "send" else draw(st.integers(1, n_participants))])
    root = group[0] if kind in ROOTED else None
    sizes = draw(st.lists(st.integers(0, 9000), min_size=len(group), max_size=len(group)))
    if kind == "all_reduce":
        sizes = sizes[:1] * len(group)
    if kind in ("broadcast", "send"):
        sizes = [*sizes[:1], *(0 for _ in group[1:])]
    return Exchange(kind, group, tuple(sizes), root, kind)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """All exchanges in one order, so that nobody waits for ever; some work before each, whoever takes part."""
    n_ranks = draw(st.integers(1, 4))
    found = draw(st.lists(exchanges(n_ranks + 1), max_size=4))
    programs: list[list[Any]] = [[] for _ in range(n_ranks + 1)]
    for number, exchange in enumerate(found):
        for member in exchange.group:
            kernel = Kernel("any", draw(st.integers(0, 10**7)), draw(st.integers(0, 10**5)))
            programs[member] += [Compute("any", (kernel,)), Start(number), Wait(number)]
    nothing = (0,) * (n_ranks + 1)
    return Plan(n_ranks, tuple(map(tuple, programs)), tuple(found), nothing, nothing)


def networks(n_devices: int) -> list[timing.Network]:
    links = tuple(Link(one, one + 1, RATE, 2 * RATE, 1e-4) for one in range(n_devices - 1))
    return [
        Switch(RATE, 3 * RATE, 1e-4, message_overhead_s=1e-5, sharing=sharing, collective=collective)
        for sharing in ("fifo", "fair")
        for collective in ("direct", "ring", "star", "tree", "quickest")
    ] + [Switch(RATE, RATE, collective="broadcast"), SharedRadio(RATE, 1e-4), Links(links=links)]


@settings(max_examples=60)
@given(plans(), st.data())
def test_no_run_is_faster_than_work_and_bytes_alone(plan: Plan, data: st.DataObject) -> None:
    n_devices = plan.n_ranks + 1
    device_of = data.draw(st.lists(st.integers(0, n_devices - 1), min_size=n_devices, max_size=n_devices))
    rates = data.draw(st.lists(st.floats(1e8, 1e10), min_size=n_devices, max_size=n_devices))
    devices = [Device(f"d{number}", rate, 1e8, op_overhead_s=1e-5) for number, rate in enumerate(rates)]
    for network in networks(n_devices):
        least_s = least_latency_s(plan, devices, device_of, network)
        assert least_s <= timing.play_once(plan, devices, device_of, network).latency_s


def test_the_bound_of_work_alone_and_of_bytes_alone_is_what_they_take() -> None:
    """So it is not a trifle: a GFLOP at a GFLOP/s takes a second, and so do 125 kB at 1 Mbit/s."""
    work = Plan(1, ((Compute("any", (Kernel("any", 10**9, 0),)),), ()), (), (0, 0), (0, 0))
    devices = [Device("a", 1e9, 1e9), Device("b", 1e9, 1e9)]
    assert least_latency_s(work, devices, (0, 1), Switch(RATE, RATE)) == pytest.approx(1.0, rel=1e-8)
    steps = (Start(0), Wait(0))
    sent = Plan(1, (steps, steps), (Exchange("send", (0, 1), (125_000, 0), 0, "any"),), (0, 0), (0, 0))
    assert least_latency_s(sent, devices, (0, 1), Switch(RATE, 2 * RATE)) == pytest.approx(1.0, rel=1e-8)
    assert least_latency_s(sent, devices, (0, 0), Switch(RATE, 2 * RATE)) == 0.0


@pytest.mark.parametrize("name", ["prism", "tensor_parallel", "pipeline", "replicas"])
@pytest.mark.parametrize("ranks", [[0, 1], [0, 1, 2]])
def test_a_search_that_rules_out_finds_what_one_that_plays_all_finds(load, monkeypatch, name, ranks) -> None:
    scenario = load({"ranks": ranks, "strategy.name": name, "strategy.shares": "equal"}, MIXED)
    setting = split_of(scenario).setting
    starts = [(1 / len(ranks),) * len(ranks)]
    quick, n_plays = least_latency_split(setting, starts), count_plays(monkeypatch)
    again = least_latency_split(setting, starts)
    n_quick = len(n_plays)
    monkeypatch.setattr(Setting, "least_score", lambda *_: (0, 0.0))
    n_plays.clear()
    assert least_latency_split(setting, starts) == quick == again
    assert n_quick <= len(n_plays)


def count_plays(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One item for each plan that is played from now on."""
    found: list[None] = []
    play_once = timing.play_once

    def counted(*how: Any) -> timing.Timeline:
        found.append(None)
        return play_once(*how)

    monkeypatch.setattr(timing, "play_once", counted)
    return found
