"""A carrier of one transmission at a time, `media.line`: the air, or one direction of a link, over which messages hop
(`media.links`); and legs of a way.
"""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats


@inner
def book(
    m: Cells, s: Floats, line: int, number: int, duration_s: float, owner: int, last_bit_s: float
) -> tuple[float, float]:
    """Start and end of a transmission; the wait for it becomes legs."""
    now_s, here = s[at.NOW_S], rec(m, at.LINES, line, at.LINE)
    start_s = max(now_s, s[here + at.LINE_FREE_S])
    end_s = max(start_s + duration_s, last_bit_s)
    if m[at.KEEP]:
        _wait(m, s, line, number, start_s, owner)
        _note_booking(m, s, line, start_s, end_s, owner)
    s[here + at.LINE_FREE_S] = end_s
    return start_s, end_s


@inner
def _note_booking(m: Cells, s: Floats, line: int, start_s: float, end_s: float, owner: int) -> None:
    place = m[at.N_BOOKINGS]
    if place == m[at.MOST_BOOKINGS]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    m[at.N_BOOKINGS] += 1
    booking = rec(m, at.BOOKINGS, place, at.BOOKING)
    s[booking + at.BOOKING_START_S] = start_s
    s[booking + at.BOOKING_END_S] = end_s
    m[booking + at.BOOKING_OWNER] = owner
    m[booking + at.BOOKING_NEXT] = at.NONE
    here = rec(m, at.LINES, line, at.LINE)
    if m[here + at.LINE_FIRST_BOOKING] == at.NONE:
        m[here + at.LINE_FIRST_BOOKING] = place
    else:
        m[rec(m, at.BOOKINGS, m[here + at.LINE_LAST_BOOKING], at.BOOKING) + at.BOOKING_NEXT] = place
    m[here + at.LINE_LAST_BOOKING] = place
    seconds = m[at.LINE_SECONDS] + line * m[at.N_DEVICES] + owner
    s[seconds] = s[seconds] + end_s - start_s


@inner
def _wait(m: Cells, s: Floats, line: int, number: int, start_s: float, owner: int) -> None:
    now_s, here = s[at.NOW_S], rec(m, at.LINES, line, at.LINE)
    seconds = m[at.LINE_SECONDS] + line * m[at.N_DEVICES]
    first = m[here + at.LINE_FIRST_BOOKING]
    while first != at.NONE and s[rec(m, at.BOOKINGS, first, at.BOOKING) + at.BOOKING_END_S] <= now_s:
        over = rec(m, at.BOOKINGS, first, at.BOOKING)
        s[seconds + m[over + at.BOOKING_OWNER]] -= s[over + at.BOOKING_END_S] - s[over + at.BOOKING_START_S]
        first = m[over + at.BOOKING_NEXT]
    m[here + at.LINE_FIRST_BOOKING] = first
    if first == at.NONE:
        for device in range(m[at.N_DEVICES]):
            s[seconds + device] = 0.0  # what rounding has left
        return
    own_s = s[seconds + owner]
    if m[rec(m, at.BOOKINGS, first, at.BOOKING) + at.BOOKING_OWNER] == owner:
        own_s -= max(0.0, now_s - s[rec(m, at.BOOKINGS, first, at.BOOKING) + at.BOOKING_START_S])
    if own_s >= (start_s - now_s) * (1 - 1e-12):
        add_leg(m, s, number, at.TRANSFER, now_s, start_s)
    elif own_s <= (start_s - now_s) * 1e-12:
        add_leg(m, s, number, at.QUEUE, now_s, start_s)
    else:
        add_leg(m, s, number, at.TRANSFER, now_s, now_s + own_s)
        add_leg(m, s, number, at.QUEUE, now_s + own_s, start_s)


@inner
def add_leg(m: Cells, s: Floats, number: int, kind: int, start_s: float, end_s: float) -> None:
    place = m[at.N_LEGS]
    if place == m[at.MOST_LEGS]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    m[at.N_LEGS] += 1
    leg, flight = rec(m, at.LEGS, place, at.LEG), rec(m, at.FLIGHTS, number, at.FLIGHT)
    m[leg + at.LEG_KIND] = kind
    s[leg + at.LEG_START_S] = start_s
    s[leg + at.LEG_END_S] = end_s
    m[leg + at.LEG_NEXT] = at.NONE
    if m[flight + at.FLIGHT_FIRST_LEG] == at.NONE:
        m[flight + at.FLIGHT_FIRST_LEG] = place
    else:
        m[rec(m, at.LEGS, m[flight + at.FLIGHT_LAST_LEG], at.LEG) + at.LEG_NEXT] = place
    m[flight + at.FLIGHT_LAST_LEG] = place


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
