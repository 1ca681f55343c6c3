"""Small plans and devices for the tests of timing; a GFLOP takes a second unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from prism_sim.plan import Compute, Exchange, Kernel, Plan, Start, Step, Wait
from prism_sim.timing import Device, Timeline

GIGA = 10**9


def device(name: str = "board", **fields: Any) -> Device:
    return Device(name, **{"flops_per_s": 1e9, "memory_bytes_per_s": 1e9, **fields})


def work(milliseconds: float, n_kernels: int = 1) -> Compute:
    """So long on a device of 1 GFLOP/s."""
    return Compute("work", (Kernel("product", round(milliseconds * 1e6 / n_kernels), 0),) * n_kernels)


def plan(programs: Sequence[Sequence[Step]], exchanges: Sequence[Exchange] = ()) -> Plan:
    """`programs` of the ranks; the terminal's comes last."""
    nothing = (0,) * len(programs)
    return Plan(len(programs) - 1, tuple(map(tuple, programs)), tuple(exchanges), nothing, nothing)


def exchange(kind: Any, payload_bytes: Sequence[int], root: int | None = None, group: Sequence[int] = ()) -> Exchange:
    return Exchange(kind, tuple(group or range(len(payload_bytes))), tuple(payload_bytes), root, kind)


def one_exchange(kind: Any, payload_bytes: Sequence[int], root: int | None = None) -> Plan:
    """Every member starts one exchange and waits for it; the terminal has nothing to do."""
    program = (Start(0), Wait(0))
    return plan([program] * len(payload_bytes) + [()], [exchange(kind, payload_bytes, root)])


def apart(a_plan: Plan) -> tuple[int, ...]:
    """Every participant on a device of its own."""
    return tuple(range(len(a_plan.programs)))


def assert_explained(timeline: Timeline) -> None:
    """The critical path is gapless and its parts sum to the latency (law 7)."""
    path = timeline.critical_path
    assert sum(timeline.breakdown_s.values()) == _near(timeline.latency_s)
    if path:
        assert path[0].start_s == _near(0.0)
        assert path[-1].end_s == timeline.latency_s
    assert all(earlier.end_s == later.start_s for earlier, later in pairwise(path))
    work_done = [(span.kind, span.participant, span.start_s, span.end_s) for span in timeline.spans]
    for segment in path:  # a cause is never cut short: what it bound came at its very end
        if segment.message is None:
            assert (segment.part, segment.participant, _near(segment.start_s), _near(segment.end_s)) in work_done
    for message in timeline.messages:
        assert message.posted_s <= message.uplink_start_s <= message.arrival_s


def _near(value: float) -> Any:
    import pytest

    return pytest.approx(value, rel=1e-9, abs=1e-15)


def stalls_s(payload_bytes: float, window_bytes: float, rate: float, round_trip_s: float) -> float:
    """Slow start's rounds by hand: each window but the last costs a round trip less the time in which it is sent."""
    found_s = 0.0
    while payload_bytes > window_bytes and 8 * window_bytes / rate < round_trip_s:
        found_s += round_trip_s - 8 * window_bytes / rate
        payload_bytes -= window_bytes
        window_bytes *= 2
    return found_s


COLLECTIVES = ("all_gather", "all_reduce", "reduce_scatter", "broadcast", "scatter", "gather", "send")


@st.composite
def exchanges(draw: st.DrawFn, n_participants: int) -> Exchange:
    kind = draw(st.sampled_from(COLLECTIVES))
    members = draw(st.permutations(range(n_participants)))
    group = members[: 2 if kind == "send" else draw(st.integers(2, n_participants))]
    bytes_by_rank = [draw(st.sampled_from((0, 1, 1_000, 77_777, 1_000_000))) for _ in group]
    if kind == "all_reduce":
        bytes_by_rank = [bytes_by_rank[0]] * len(group)
    root = group[0] if kind in ("broadcast", "scatter", "gather", "send") else None
    return Exchange(kind, tuple(group), tuple(bytes_by_rank), root, kind)


@st.composite
def plans(draw: st.DrawFn, most_participants: int = 5) -> Plan:
    """A few rounds of computing and exchanging; a Wait may come at once or after more computing."""
    n_participants = draw(st.integers(2, most_participants))
    programs: list[list[Step]] = [[] for _ in range(n_participants)]
    made: list[Exchange] = []
    for number in range(draw(st.integers(1, 4))):
        made.append(draw(exchanges(n_participants)))
        for program in programs:
            program.append(work(draw(st.integers(0, 20)), draw(st.integers(1, 3))))
        for member in made[-1].group:
            programs[member].append(Start(number))
            if draw(st.booleans()):
                programs[member].append(work(draw(st.integers(0, 20))))
            programs[member].append(Wait(number))
    return plan(programs, made)


@st.composite
def rigs(draw: st.DrawFn, n_participants: int) -> tuple[list[Device], tuple[int, ...]]:
    """Devices, some with staging and overhead, and who is on which."""
    n_devices = draw(st.integers(1, n_participants))
    devices = [
        device(
            f"board {number}",
            flops_per_s=draw(st.sampled_from((1e9, 3e9))),
            op_overhead_s=draw(st.sampled_from((0.0, 1e-4))),
            staging_bytes_per_s=draw(st.sampled_from((float("inf"), 1e8))),
            staging_latency_s=draw(st.sampled_from((0.0, 1e-3))),
            idle_w=2.0,
            busy_w=7.0,
            radio_w=1.0,
        )
        for number in range(n_devices)
    ]
    return devices, tuple(draw(st.integers(0, n_devices - 1)) for _ in range(n_participants))
