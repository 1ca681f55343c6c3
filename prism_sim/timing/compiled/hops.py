"""Links over several hops, `media.links`."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.lines import add_leg, book


@inner
def n_hops(m: Cells, s: Floats, number: int) -> int:
    sent = rec(m, at.MESSAGES, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_MESSAGE], at.MESSAGE)
    route = _route(m, sent)
    return int(m[route + at.ROUTE_TO] - m[route + at.ROUTE_FROM])


@inner
def _route(m: Cells, sent: int) -> int:
    ways = m[sent + at.MESSAGE_SOURCE_DEVICE] * m[at.N_DEVICES] + m[sent + at.MESSAGE_DESTINATION_DEVICE]
    return rec(m, at.ROUTES, ways, at.ROUTE)


@inner
def enter_link(m: Cells, s: Floats, number: int) -> None:
    flight, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    route = _route(m, sent)
    way = m[m[at.HOP_LINES] + m[route + at.ROUTE_FROM] + m[flight + at.FLIGHT_HOP]]
    line = rec(m, at.LINES, way, at.LINE)
    last_bit_s = s[flight + at.FLIGHT_LAST_BIT_S] if m[at.CUT_THROUGH] else 0.0
    begin_s, end_s = book(
        m,
        s,
        way,
        number,
        8 * m[sent + at.MESSAGE_PAYLOAD_BYTES] / s[line + at.LINE_BITS_PER_S],
        m[sent + at.MESSAGE_SOURCE_DEVICE],
        last_bit_s,
    )
    if not m[flight + at.FLIGHT_HOP]:
        s[flight + at.FLIGHT_UPLINK_START_S], s[flight + at.FLIGHT_UPLINK_END_S] = begin_s, end_s
    m[flight + at.FLIGHT_HOP] += 1
    last = m[route + at.ROUTE_FROM] + m[flight + at.FLIGHT_HOP] == m[route + at.ROUTE_TO]
    whole = last or not m[at.CUT_THROUGH]
    next_s = (end_s if whole else begin_s) + s[line + at.LINE_LATENCY_S]
    if m[at.KEEP]:
        if whole:
            add_leg(m, s, number, at.TRANSFER, begin_s, end_s)
        add_leg(m, s, number, at.PROPAGATION, next_s - s[line + at.LINE_LATENCY_S], next_s)
    if last:
        s[flight + at.FLIGHT_HEAD_S] = s[flight + at.FLIGHT_DOWNLINK_START_S] = begin_s + s[line + at.LINE_LATENCY_S]
    s[flight + at.FLIGHT_LAST_BIT_S] = end_s + s[line + at.LINE_LATENCY_S]
    push(m, s, now_s + (next_s - now_s), at.NODE, number)
