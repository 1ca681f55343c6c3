"""The compiled engine is the plain one, to the bit: times, causes, streams, algorithms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing_plans import device, exchange, plan, plans, rigs, work

from prism_sim.plan import Compute, Plan, Start, Wait
from prism_sim.timing import CHOICES, Link, Links, Network, SharedRadio, Switch, algorithms_of, compiled, play_once
from prism_sim.timing.energy import air_s_by_device
from prism_sim.timing.engines import is_worth_compiled
from prism_sim.timing.once import play_plainly
from prism_sim.timing.quickest import algorithms_plainly
from prism_sim.timing.rig import Rig
from prism_sim.timing.rounds import Round
from prism_sim.timing.stream import completions_plainly
from prism_sim.timing.timeline import Timeline


@st.composite
def networks(draw: st.DrawFn, n_devices: int) -> Network:
    """Every medium with every way to share it, send, and make messages of exchanges."""
    common = {
        "message_overhead_s": draw(st.sampled_from((0.0, 1e-4))),
        "collective": draw(st.sampled_from([name for name in CHOICES if name != "broadcast"])),
    }
    latency_s = draw(st.sampled_from((0.0, 1e-3)))
    kind = draw(st.sampled_from(("fifo", "fair", "unequal", "air", "links")))
    if kind == "air":
        broadcast = draw(st.sampled_from((None, 6e6)))
        collective = draw(st.sampled_from(CHOICES)) if broadcast else common["collective"]
        direct = draw(st.booleans())
        return SharedRadio(
            5e7, latency_s, common["message_overhead_s"], collective, direct, broadcast_bits_per_s=broadcast
        )
    if kind == "links":
        rates = [draw(st.sampled_from((1e7, 1e8))) for _ in range(n_devices)]
        links = [Link(number, f"node {number % 2}", rate, latency_s=latency_s) for number, rate in enumerate(rates)]
        between = Link("node 0", "node 1", 3e7, 2e7, latency_s)
        return Links((*links, between), switching=draw(st.sampled_from(("cut-through", "store-and-forward"))), **common)
    if kind != "unequal":
        return Switch(1e8, 1e8, latency_s, sharing=kind, **common)
    rates = st.sampled_from((1e7, 1e8, 3e8)) | st.floats(1e7, 3e8)
    up, down = (tuple(draw(rates) for _ in range(n_devices)) for _ in range(2))
    return Switch(up, down, latency_s, sharing=draw(st.sampled_from(("fifo", "fair"))), **common)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, Rig]:
    a_plan = draw(plans())
    devices, device_of = draw(rigs(len(a_plan.programs)))
    fed = draw(st.sampled_from(({}, {"dispatch_s": 2e-4, "restart_s": 1e-3, "handling_bytes_per_s": 1e8})))
    stored = {"memory_bytes": 1, "storage_bytes_per_s": 1e6, "streamed": 0.25}
    devices = [replace(one, **fed, **draw(st.sampled_from(({}, stored)))) for one in devices]
    return weighed(a_plan), Rig.of(devices, device_of, draw(networks(len(devices))))


def weighed(a_plan: Plan) -> Plan:
    """With a byte of weights for a thousand FLOPs: on a device of 1 GFLOP/s, to read a quarter takes 0.25 of its time,
    and on one of 3 GFLOP/s 0.75; with the second kernel's weights thrice as many, sometimes longer.
    """
    programs = [
        tuple(
            Compute(
                step.label,
                tuple(
                    replace(kernel, weight_bytes=kernel.flops * (1 + 2 * number) // 1000)
                    for number, kernel in enumerate(step.kernels)
                ),
            )
            if isinstance(step, Compute)
            else step
            for step in program
        )
        for program in a_plan.programs
    ]
    return replace(a_plan, programs=tuple(programs))


def described(timeline: Timeline) -> dict[str, Any]:
    """All that a run says, its log and the causes in it included."""
    log = timeline.log
    return {
        "timeline": (
            timeline.latency_s,
            timeline.busy_s,
            timeline.wait_s,
            timeline.sent_bytes,
            timeline.received_bytes,
        ),
        "breakdown": timeline.breakdown_s,
        "air": air_s_by_device(timeline),
        "holds": list(log.jobs),
        "blocked": list(log.blocked),
        "ends": list(log.ends),
        "causes": [flight.cause for flight in log.flights],
        "messages": timeline.messages,
        "spans": timeline.spans,
        "path": timeline.critical_path,
    }


@given(cases())
def test_a_plan_played_once_is_the_same_to_the_bit(case: tuple[Plan, Rig]) -> None:
    a_plan, rig = case
    assert described(compiled.once(a_plan, rig)) == described(play_plainly(a_plan, rig))


@given(cases(), st.integers(1, 4), st.booleans())
def test_requests_back_to_back_are_the_same_to_the_bit(case: tuple[Plan, Rig], in_flight: int, whole: bool) -> None:
    a_plan, rig = case
    a_round = Round.of((a_plan,))
    (found,) = compiled.completions(a_round, [rig], 12, in_flight, whole)
    assert found == completions_plainly(a_round, rig, 12, in_flight, whole)


@given(cases(), st.integers(1, 3))
def test_rounds_of_several_plans_are_the_same_to_the_bit(case: tuple[Plan, Rig], in_flight: int) -> None:
    a_plan, rig = case
    a_round = Round.of((a_plan, a_plan))
    (found,) = compiled.completions(a_round, [rig], 8, in_flight, False)
    assert found == completions_plainly(a_round, rig, 8, in_flight, False)


@given(cases())
def test_the_same_algorithms_are_chosen(case: tuple[Plan, Rig]) -> None:
    assert compiled.algorithms(*case) == algorithms_plainly(*case)


def test_a_long_run_of_many_messages_finds_the_room_that_it_needs() -> None:
    """More requests and messages under way than room is made for at first."""
    n_ranks = 12
    sends = [exchange("send", [10_000, 0], rank, (rank, rank + 1)) for rank in range(n_ranks)]
    programs = [[*([Wait(rank - 1)] if rank else []), work(1), Start(rank)] for rank in range(n_ranks)]
    a_round = Round.of((plan([*programs, [Wait(n_ranks - 1)]], sends),))
    rig = Rig.of([device()] * (n_ranks + 1), range(n_ranks + 1), Switch(1e7, 1e7))
    (found,) = compiled.completions(a_round, [rig], 200, 2 * n_ranks + 4, True)
    assert found == completions_plainly(a_round, rig, 200, 2 * n_ranks + 4, True)


def test_what_cannot_end_is_left_to_the_plain_engine() -> None:
    rig = Rig.of([device()], (0, 0), Switch(1e8, 1e8))
    for program in ([Wait(0)], [Start(0), Start(0)]):
        stuck = plan([program, []], [exchange("send", [1, 0], 1, (1, 0))])
        with pytest.raises(compiled.CannotEndError):
            compiled.once(stuck, rig)


def test_a_process_turns_to_the_compiled_engine_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    from prism_sim.timing import engines

    a_plan = plan([[work(3), Start(0), Wait(0)], [Start(0), Wait(0)], []], [exchange("all_gather", [1_000, 2_000])])
    where = [device()] * 3, (0, 1, 2), Switch(1e8, 1e8)
    monkeypatch.setattr(engines, "_played", 0)
    assert not is_worth_compiled(a_plan, where[2])
    before, ways = described(play_once(a_plan, *where)), algorithms_of(a_plan, *where)
    monkeypatch.setattr(engines, "_played", engines.WORTH_COMPILING)
    assert is_worth_compiled(a_plan, where[2])
    assert not is_worth_compiled(a_plan, replace(where[2], slow_start=True))
    assert described(play_once(a_plan, *where)) == before
    assert algorithms_of(a_plan, *where) == ways
