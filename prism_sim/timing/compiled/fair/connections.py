"""Connections between gates, and what flows on each."""

from __future__ import annotations

from math import inf

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.media.fair import UNLIMITED_BITS_PER_S


@inner
def way_through(m: Cells, gate: int, number: int) -> int:
    return int(m[m[at.THROUGH] + gate * m[at.N_DEVICES] + number])


@inner
def far_gate(m: Cells, gate: int, way: int) -> int:
    """The other of the two through which a connection leads, of which it has the sum: a division would cost more."""
    return int(m[rec(m, at.CONNECTIONS, way, at.CONNECTION) + at.CONNECTION_GATES] - gate)


@inner
def open_connection(m: Cells, s: Floats, way: int) -> None:
    m[at.N_BEGUN] += 1
    connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
    m[connection + at.CONNECTION_BEGUN] = m[at.N_BEGUN]
    m[connection + at.CONNECTION_GATES] = 0
    s[connection + at.CONNECTION_LOST_S] = s[connection + at.CONNECTION_RATE] = 0.0
    s[connection + at.CONNECTION_NEW_RATE] = 0.0
    s[connection + at.CONNECTION_ALONE], s[connection + at.CONNECTION_END_S] = UNLIMITED_BITS_PER_S, inf
    for place in (at.CONNECTION_PLACE_OUT, at.CONNECTION_PLACE_IN):
        gate = _gate_at(m, way, place)
        state = rec(m, at.GATES, gate, at.GATE)
        m[connection + at.CONNECTION_GATES] += gate
        m[at.N_BUSY_GATES] += 0 if m[state + at.GATE_N_BUSY] else 1
        m[connection + place] = m[state + at.GATE_N_BUSY]
        m[m[at.THROUGH] + gate * m[at.N_DEVICES] + m[state + at.GATE_N_BUSY]] = way
        m[state + at.GATE_N_BUSY] += 1
        _touch(m, gate)


@inner
def close_connection(m: Cells, s: Floats, way: int) -> None:
    connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
    m[connection + at.CONNECTION_BEGUN] = 0
    for place in (at.CONNECTION_PLACE_OUT, at.CONNECTION_PLACE_IN):
        gate = _gate_at(m, way, place)
        state = rec(m, at.GATES, gate, at.GATE)
        m[state + at.GATE_N_BUSY] -= 1
        m[at.N_BUSY_GATES] -= 0 if m[state + at.GATE_N_BUSY] else 1
        last = way_through(m, gate, m[state + at.GATE_N_BUSY])
        m[m[at.THROUGH] + gate * m[at.N_DEVICES] + m[connection + place]] = last
        m[rec(m, at.CONNECTIONS, last, at.CONNECTION) + place] = m[connection + place]
        _touch(m, gate)


@inner
def _gate_at(m: Cells, way: int, place: int) -> int:
    """Where its connection has this place."""
    n_devices = m[at.N_DEVICES]
    return int(way // n_devices if place == at.CONNECTION_PLACE_OUT else n_devices + way % n_devices)


@inner
def _touch(m: Cells, gate: int) -> None:
    state = rec(m, at.GATES, gate, at.GATE)
    if not m[state + at.GATE_IS_TOUCHED]:
        m[state + at.GATE_IS_TOUCHED] = 1
        m[m[at.TOUCHED] + m[at.N_TOUCHED]] = gate
        m[at.N_TOUCHED] += 1


@inner
def begin(m: Cells, s: Floats, way: int) -> None:
    """`_Connection.begin`."""
    connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
    flight = rec(m, at.FLIGHTS, m[connection + at.CONNECTION_FIRST], at.FLIGHT)
    s[flight + at.FLIGHT_UPLINK_START_S] = s[connection + at.CONNECTION_SINCE_S] = s[at.NOW_S]
    s[connection + at.CONNECTION_LEFT_BITS] = (
        8.0 * m[rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE) + at.MESSAGE_PAYLOAD_BYTES]
    )
    s[connection + at.CONNECTION_SLACK_BITS] = 1e-12 * s[connection + at.CONNECTION_LEFT_BITS]


@inner
def settle(m: Cells, s: Floats, way: int) -> None:
    """`_Connection.settle`."""
    connection, now_s = rec(m, at.CONNECTIONS, way, at.CONNECTION), s[at.NOW_S]
    elapsed_s = now_s - s[connection + at.CONNECTION_SINCE_S]
    s[connection + at.CONNECTION_SINCE_S] = now_s
    s[connection + at.CONNECTION_LEFT_BITS] -= s[connection + at.CONNECTION_RATE] * elapsed_s
    if s[connection + at.CONNECTION_RATE] < s[connection + at.CONNECTION_ALONE]:
        s[connection + at.CONNECTION_LOST_S] += elapsed_s * (
            1.0 - s[connection + at.CONNECTION_RATE] / s[connection + at.CONNECTION_ALONE]
        )


@inner
def flow(m: Cells, s: Floats, way: int, rate: float, alone: float) -> None:
    """`_Connection.flow`; its place in the calendar is that of its old end."""
    settle(m, s, way)
    connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
    s[connection + at.CONNECTION_RATE], s[connection + at.CONNECTION_ALONE] = rate, alone
    s[connection + at.CONNECTION_END_S] = s[at.NOW_S] + s[connection + at.CONNECTION_LEFT_BITS] / rate
