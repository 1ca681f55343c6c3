"""Cases so simple that arithmetic gives their answer: the simulator must give it too, to rounding.

The formulas are written here from their sources and share no code with the simulator.  P members, S bytes each over
ports of R bit/s: T = 8 S / R; l: one way's latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import ceil, log2, sqrt
from typing import NamedTuple

from prism_sim.plan import Compute, Kernel, Plan
from prism_sim.progress import Progress
from prism_sim.timing import Device, Link, Links, SharedRadio, Switch, energy_j, play_stream
from prism_sim.timing.media import Network
from prism_sim.validation.base import JudgedRow, Judgement, PartOutcome, ValidationPart, ValidationSettings
from prism_sim.validation.small_plans import board, plan, play, rounds, stages

EXACT = 1e-12  # relative: thousands of roundings of 2e-16 each
RATE, LATENCY_S, S = 100e6, 0.12e-3, 151_296  # S: a quarter of 197 rows of 768 float32 values
T = 8 * S / RATE
P = 4


class ClosedForm(NamedTuple):
    """predicted_s: what the simulator says. formula_s: what it must say."""

    name: str
    predicted_s: Callable[[], float]
    formula_s: float


def run(settings: ValidationSettings, progress: Progress) -> PartOutcome:
    """All of them, quick or not: they take no time."""
    rows = tuple(JudgedRow(case.name, case.predicted_s(), case.formula_s) for case in cases())
    worst = max(abs(row.error) for row in rows)
    law = f"all within {EXACT:.0e} of the formula, relative (the worst: {worst:.0e})"
    return PartOutcome(rows, (Judgement(law, worst <= EXACT), _energy()))


def cases() -> Iterator[ClosedForm]:
    """Every case, those of networks first."""
    yield from _collectives()
    yield from _media()
    yield from _slow_start()
    yield from _pipelines()
    yield from _devices()


def _case(name: str, a_plan: Plan, network: Network, formula_s: float, *boards: Device) -> ClosedForm:
    return ClosedForm(name, lambda: play(a_plan, network, *boards).latency_s, formula_s)


def _switch(collective: str = "direct", sharing: str = "fifo") -> Switch:
    return Switch(RATE, RATE, LATENCY_S, collective=collective, sharing=sharing)


def _collectives() -> Iterator[ClosedForm]:
    """A star of full-duplex ports (ring: Patarasuk, Yuan, JPDC 69(2), 2009; tree: Bruck, IEEE TPDS 8(11), 1997)."""
    twelve = rounds("all_gather", [S] * P, 12, [5e-3] * P)
    yield _case("12 x (5 ms, all-gather of 4)", twelve, _switch(), 12 * (5e-3 + (P - 1) * T + LATENCY_S))
    gather = rounds("all_gather", [S] * P)
    yield _case("all-gather, direct", gather, _switch(), (P - 1) * T + LATENCY_S)
    yield _case("all-gather, fair ports", gather, _switch(sharing="fair"), (P - 1) * T + LATENCY_S)
    yield _case("all-gather, ring", gather, _switch("ring"), (P - 1) * (T + LATENCY_S))
    yield _case("all-gather, star", gather, _switch("star"), (P - 1) * P * T + 2 * LATENCY_S)
    yield _case("all-gather, tree", gather, _switch("tree"), (P - 1) * T + log2(P) * LATENCY_S)
    for n in (2, 4, 8):
        total = rounds("all_reduce", [S] * n)
        yield _case(f"all-reduce, ring of {n}", total, _switch("ring"), 2 * (n - 1) * (T / n + LATENCY_S))
    total = rounds("all_reduce", [S] * P)
    yield _case("all-reduce, star", total, _switch("star"), 2 * (P - 1) * T + 2 * LATENCY_S)
    yield _case("all-reduce, tree", total, _switch("tree"), 2 * log2(P) * (T + LATENCY_S))
    scatter = rounds("reduce_scatter", [S] * P)
    yield _case("reduce-scatter, ring", scatter, _switch("ring"), (P - 1) * (T + LATENCY_S))
    for kind in ("broadcast", "scatter", "gather"):  # all through the root's port
        sizes = [S, 0, 0, 0] if kind == "broadcast" else [0, S, S, S]
        yield _case(f"{kind}, direct", rounds(kind, sizes), _switch(), (P - 1) * T + LATENCY_S)


def _media() -> Iterator[ClosedForm]:
    """One air for all; chains of links; ports of unequal rates."""
    gather = rounds("all_gather", [S] * P)
    n_messages = P * (P - 1)
    yield _case("one air, all-gather", gather, SharedRadio(RATE, LATENCY_S, direct=True), n_messages * T + LATENCY_S)
    yield _case("access point, all-gather", gather, SharedRadio(RATE, LATENCY_S), 2 * n_messages * T + LATENCY_S)
    broadcast = SharedRadio(RATE, LATENCY_S, collective="broadcast", direct=True)
    yield _case("one air, each broadcasts", gather, broadcast, P * T + LATENCY_S)
    message = rounds("send", [S, 0])
    fast, slow, middling = (partial(Link, bits_per_s=rate, latency_s=LATENCY_S) for rate in (RATE, RATE / 5, RATE / 2))
    links = (fast(0, "left"), slow("left", "right"), middling("right", 1))
    yield _case("3 links, cut-through", message, Links(links), 5 * T + 3 * LATENCY_S)
    whole = Links(links, switching="store-and-forward")
    yield _case("3 links, store and forward", message, whole, (1 + 5 + 2) * T + 3 * LATENCY_S)
    narrow = Switch(RATE, (RATE, RATE / 10), LATENCY_S)
    yield _case("send to a slow port", message, narrow, 10 * T + LATENCY_S)


def _slow_start() -> Iterator[ClosedForm]:
    """Kurose and Ross, "Computer Networking", latency of TCP: min(Q, K - 1) stalls.

    K: windows that cover the message; Q: stalls of an endless one.
    """
    window_bytes, latency_s = 14_600, 20e-3
    window_s, round_trip_s = 8 * window_bytes / RATE, 2 * latency_s
    for payload_bytes in (10_000, S, 20 * S):
        covering = ceil(log2(payload_bytes / window_bytes + 1))
        endless = ceil(log2(round_trip_s / window_s))
        n = min(endless, covering - 1)
        stalls_s = n * round_trip_s - (2**n - 1) * window_s
        name = f"slow start, {payload_bytes / 1e3:.0f} kB, {n} stalls"
        network = Switch(RATE, RATE, latency_s, slow_start=True)
        yield _case(name, rounds("send", [payload_bytes, 0]), network, stalls_s + 8 * payload_bytes / RATE + latency_s)


def _pipelines() -> Iterator[ClosedForm]:
    """Sends along a chain; a stream's pace is its slowest stage's or link's."""
    for name, work_s in (("a slow stage", (8e-3, 20e-3, 3e-3)), ("a slow link", (4e-3, 5e-3, 3e-3))):
        a_plan = stages(work_s, S)
        yield _case(f"pipeline with {name}", a_plan, _switch(), sum(work_s) + 2 * (T + LATENCY_S))
        yield ClosedForm(f"{name} in a stream, a request", partial(_period_s, a_plan), max(*work_s, T))


def _period_s(a_plan: Plan) -> float:
    return 1 / play_stream(a_plan, (board(),) * 3, (0, 1, 2, 0), _switch()).throughput_per_s


def _devices() -> Iterator[ClosedForm]:
    """Roofline (Williams et al., CACM 52(4), 2009), launches, copies, message overhead, the slowest of unequal ones."""
    kernels = (
        Kernel("arithmetic", 7_000_000, 1_000),
        Kernel("traffic", 1_000, 3_000_000),
        Kernel("ridge", 10**6, 10**6),
    )
    one, launched = plan([[Compute("pass", kernels)]]), board(op_overhead_s=1e-4)
    yield _case("roofline of 3 kernels", one, _switch(), 7e-3 + 3e-3 + 1e-3 + 3e-4, launched)
    fed = board(dispatch_s=2e-3)  # the host hands over for 2 ms each; the last kernel takes 1 ms
    yield _case("3 kernels, slow host", one, _switch(), max(2e-3 + 11e-3, 4e-3 + 4e-3, 7e-3), fed)
    gather = rounds("all_gather", [S] * P)
    copying = board(staging_bytes_per_s=1e8, staging_latency_s=1e-3)
    way_s, copy_s = (P - 1) * T + LATENCY_S, 1e-3 + S / 1e8
    yield _case("all-gather with copies", gather, _switch(), P * copy_s + way_s, copying)
    climbing = board(staging_bytes_per_s=1e8, staging_ramp_s=8e-3)  # bytes = rate t^2 / (2 ramp)
    climb_s = sqrt(2 * 8e-3 * S / 1e8)
    yield _case("copies that gather speed", gather, _switch(), P * climb_s + way_s, climbing)
    for overhead_s, name in ((1e-3, "hidden but one"), (20e-3, "all shown")):
        network = Switch(RATE, RATE, LATENCY_S, overhead_s)
        formula_s = overhead_s + way_s if overhead_s < T else (P - 1) * overhead_s + T + LATENCY_S
        yield _case(f"message overhead, {name}", gather, network, formula_s)
    late = rounds("all_gather", [S] * P, work_s=(1e-3, 60e-3, 2e-3, 1e-3))
    yield _case("all wait for the slowest", late, _switch(), 60e-3 + way_s)


def _energy() -> Judgement:
    """Two boards: one sends 60 ms long what it has computed for 200 ms; the other then computes for 50 ms."""
    payload_bytes = 750_000
    air_s, latency_s = 8 * payload_bytes / RATE, 0.31 + LATENCY_S
    boards = (board(idle_w=2, busy_w=7, radio_w=1), board(idle_w=3, busy_w=5))
    timeline = play(stages((0.2, 0.05), payload_bytes), _switch(), *boards)
    formulas_j = (2 * latency_s + 5 * 0.2 + 1 * air_s, 3 * latency_s + 2 * 0.05)
    found_j = energy_j(timeline, boards)
    error = max(abs((one or 0.0) / formula_j - 1) for one, formula_j in zip(found_j, formulas_j, strict=True))
    law = f"idle, busy and radio power add up to {sum(formulas_j):.5g} J within {EXACT:.0e} (off by {error:.0e})"
    return Judgement(law, error <= EXACT)


PART = ValidationPart(
    "closed-forms", "Does the simulator give the answers that arithmetic gives?", "formula", run, order=1, digits=5
)
