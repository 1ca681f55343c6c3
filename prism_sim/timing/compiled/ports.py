"""Ports in turn, `media.switch.FifoSwitch`.

A line each, first the uplinks; its last booking is the index of its last flight.
"""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats


@inner
def enter_port(m: Cells, s: Floats, number: int) -> None:
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    if m[flight + at.FLIGHT_RIDES] != at.NONE:
        first = rec(m, at.FLIGHTS, m[flight + at.FLIGHT_RIDES], at.FLIGHT)
        s[flight + at.FLIGHT_UPLINK_START_S] = s[first + at.FLIGHT_UPLINK_START_S]
        s[flight + at.FLIGHT_UPLINK_END_S] = s[first + at.FLIGHT_UPLINK_END_S]
        m[flight + at.FLIGHT_AHEAD] = m[first + at.FLIGHT_AHEAD]
    else:
        sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
        port = m[sent + at.MESSAGE_SOURCE_DEVICE]
        line = rec(m, at.LINES, port, at.LINE)
        start_s = s[line + at.LINE_FREE_S]
        if start_s > s[flight + at.FLIGHT_POSTED_S]:
            m[flight + at.FLIGHT_AHEAD] = m[line + at.LINE_LAST_BOOKING]
        else:
            start_s = s[flight + at.FLIGHT_POSTED_S]
        m[line + at.LINE_LAST_BOOKING] = m[flight + at.FLIGHT_INDEX]
        s[flight + at.FLIGHT_UPLINK_START_S] = start_s
        s[flight + at.FLIGHT_UPLINK_END_S] = s[line + at.LINE_FREE_S] = (
            start_s
            + 8 * m[sent + at.MESSAGE_PAYLOAD_BYTES] / s[rec(m, at.PORTS, port, at.PORT) + at.PORT_UP_BITS_PER_S]
        )
    push(
        m,
        s,
        s[at.NOW_S] + (s[flight + at.FLIGHT_UPLINK_START_S] + s[at.LATENCY_S] - s[flight + at.FLIGHT_POSTED_S]),
        at.HEAD,
        number,
    )


@inner
def claim_downlink(m: Cells, s: Floats, number: int) -> None:
    flight, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    port = m[at.N_DEVICES] + m[sent + at.MESSAGE_DESTINATION_DEVICE]
    s[flight + at.FLIGHT_HEAD_S] = now_s
    line = rec(m, at.LINES, port, at.LINE)
    start_s = s[line + at.LINE_FREE_S]
    if start_s > now_s:
        m[flight + at.FLIGHT_AHEAD_DOWN] = m[line + at.LINE_LAST_BOOKING]
    else:
        start_s = now_s
    m[line + at.LINE_LAST_BOOKING] = m[flight + at.FLIGHT_INDEX]
    s[flight + at.FLIGHT_DOWNLINK_START_S] = start_s
    end_s = max(
        start_s
        + 8
        * m[sent + at.MESSAGE_PAYLOAD_BYTES]
        / s[rec(m, at.PORTS, m[sent + at.MESSAGE_DESTINATION_DEVICE], at.PORT) + at.PORT_DOWN_BITS_PER_S],
        s[flight + at.FLIGHT_UPLINK_END_S] + s[at.LATENCY_S],
    )
    s[line + at.LINE_FREE_S] = end_s
    push(m, s, now_s + (end_s - now_s), at.ARRIVE, number)
