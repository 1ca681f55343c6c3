"""Messages come and go, and with them the rates: `media.fair.FairSwitch`."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, push_last, rec
from prism_sim.timing.compiled.fair.calendar import enter, leave_first
from prism_sim.timing.compiled.fair.connections import begin, close_connection, flow, open_connection, settle
from prism_sim.timing.compiled.fair.filling import share_anew
from prism_sim.timing.compiled.fair.ranked import rank, take_lowest
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.lines import add_leg
from prism_sim.timing.media.fair import NOT_AWAITED_S, UNLIMITED_BITS_PER_S


@inner
def open_gates(m: Cells, s: Floats) -> None:
    """Nothing flows, whatever did in a run before."""
    for place in range(m[at.N_BUSY]):
        m[rec(m, at.CONNECTIONS, m[m[at.CALENDAR] + place], at.CONNECTION) + at.CONNECTION_BEGUN] = 0
    n_devices = m[at.N_DEVICES]
    for gate in range(2 * n_devices):
        state, port = rec(m, at.GATES, gate, at.GATE), rec(m, at.PORTS, gate % n_devices, at.PORT)
        rate = s[port + (at.PORT_UP_BITS_PER_S if gate < n_devices else at.PORT_DOWN_BITS_PER_S)]
        m[state + at.GATE_N_BUSY] = m[state + at.GATE_SEEN] = m[state + at.GATE_IS_TOUCHED] = 0
        s[state + at.GATE_CAPACITY] = min(rate, UNLIMITED_BITS_PER_S)
    s[at.NEXT_END_S] = NOT_AWAITED_S


@inner
def queue_up(m: Cells, s: Floats, number: int) -> None:
    """`FairSwitch.post`."""
    if m[at.FIRST_POSTED] == at.NONE:
        m[at.FIRST_POSTED] = number
    else:
        m[rec(m, at.FLIGHTS, m[at.LAST_POSTED], at.FLIGHT) + at.FLIGHT_NEXT] = number
    m[at.LAST_POSTED] = number
    _change_after_all(m, s)


@inner
def _change_after_all(m: Cells, s: Floats) -> None:
    if not m[at.IS_CHANGING]:
        m[at.IS_CHANGING] = 1
        push_last(m, s, at.CHANGE)


@inner
def end_flows(m: Cells, s: Floats, awaited: int) -> None:
    """`FairSwitch._on_end`."""
    if awaited != m[at.LATEST_END] or s[at.NEXT_END_S] == NOT_AWAITED_S:
        return
    s[at.NEXT_END_S] = NOT_AWAITED_S
    _end_finished(m, s)
    if m[at.N_TOUCHED]:
        _change_after_all(m, s)
    elif not m[at.IS_CHANGING]:
        _await_end(m, s)


@inner
def change_rates(m: Cells, s: Floats) -> None:
    """`FairSwitch._on_change`."""
    m[at.IS_CHANGING] = 0
    _end_finished(m, s)
    _begin_posted(m, s)
    share_anew(m, s)
    _await_end(m, s)


@inner
def _await_end(m: Cells, s: Floats) -> None:
    if not m[at.N_BUSY]:
        s[at.NEXT_END_S] = NOT_AWAITED_S
        return
    end_s = s[rec(m, at.CONNECTIONS, m[m[at.CALENDAR]], at.CONNECTION) + at.CONNECTION_END_S]
    if end_s != s[at.NEXT_END_S]:
        s[at.NEXT_END_S] = end_s
        m[at.LATEST_END] += 1
        push(m, s, s[at.NOW_S] + max(0.0, end_s - s[at.NOW_S]), at.FLOWN, m[at.LATEST_END])


@inner
def _end_finished(m: Cells, s: Floats) -> None:
    now_s = s[at.NOW_S]
    while m[at.N_BUSY]:
        connection = rec(m, at.CONNECTIONS, m[m[at.CALENDAR]], at.CONNECTION)
        rate = s[connection + at.CONNECTION_RATE]
        if (s[connection + at.CONNECTION_END_S] - now_s) * rate > s[
            connection + at.CONNECTION_SLACK_BITS
        ] + 1e-15 * now_s * rate:  # rounding
            break
        rank(m, s, float(m[connection + at.CONNECTION_BEGUN]), leave_first(m, s))
    while m[at.N_RANKED]:
        way = take_lowest(m, s)
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        settle(m, s, way)
        number = m[connection + at.CONNECTION_FIRST]
        flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
        m[connection + at.CONNECTION_FIRST] = m[flight + at.FLIGHT_NEXT]
        _leave(m, s, number, s[connection + at.CONNECTION_LOST_S] - s[flight + at.FLIGHT_LOST_S])
        if m[connection + at.CONNECTION_FIRST] != at.NONE:
            begin(m, s, way)
            flow(m, s, way, s[connection + at.CONNECTION_RATE], s[connection + at.CONNECTION_ALONE])
            enter(m, s, way)
        else:
            close_connection(m, s, way)


@inner
def _begin_posted(m: Cells, s: Floats) -> None:
    number = m[at.FIRST_POSTED]
    m[at.FIRST_POSTED] = at.NONE
    while number != at.NONE:
        flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
        following, sent = m[flight + at.FLIGHT_NEXT], rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
        way = m[sent + at.MESSAGE_SOURCE_DEVICE] * m[at.N_DEVICES] + m[sent + at.MESSAGE_DESTINATION_DEVICE]
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        m[flight + at.FLIGHT_NEXT] = at.NONE
        if not m[connection + at.CONNECTION_BEGUN]:
            open_connection(m, s, way)
            m[connection + at.CONNECTION_FIRST] = m[connection + at.CONNECTION_LAST] = number
            s[flight + at.FLIGHT_LOST_S] = 0.0
            begin(m, s, way)
            enter(m, s, way)
        else:
            settle(m, s, way)
            s[flight + at.FLIGHT_LOST_S] = s[connection + at.CONNECTION_LOST_S]
            m[rec(m, at.FLIGHTS, m[connection + at.CONNECTION_LAST], at.FLIGHT) + at.FLIGHT_NEXT] = number
            m[connection + at.CONNECTION_LAST] = number
        number = following


@inner
def _leave(m: Cells, s: Floats, number: int, lost_s: float) -> None:
    """`FairSwitch._leave`."""
    flight, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    s[flight + at.FLIGHT_UPLINK_END_S] = now_s
    s[flight + at.FLIGHT_HEAD_S] = s[flight + at.FLIGHT_DOWNLINK_START_S] = (
        s[flight + at.FLIGHT_UPLINK_START_S] + s[at.LATENCY_S]
    )
    if m[at.KEEP]:
        queued_until_s = min(s[flight + at.FLIGHT_POSTED_S] + lost_s, now_s)
        add_leg(m, s, number, at.QUEUE, s[flight + at.FLIGHT_POSTED_S], queued_until_s)
        add_leg(m, s, number, at.TRANSFER, queued_until_s, now_s)
        add_leg(m, s, number, at.PROPAGATION, now_s, now_s + s[at.LATENCY_S])
    push(m, s, now_s + s[at.LATENCY_S], at.ARRIVE, number)
