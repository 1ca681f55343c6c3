"""How far the exchanges of a run have come, and their messages: `plain.exchange_state` and `plain.engine`."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.carriers import send
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.processors import hold


@inner
def slot_for(m: Cells, s: Floats, request: int) -> int:
    """Where a request's exchanges are; made when it is first asked for. NONE if there is no room."""
    slot = m[m[at.SLOT_OF] + request]
    if slot != at.NONE:
        return int(slot)
    slot = 0
    while slot < m[at.N_SLOTS] and not _is_free(m, slot):
        slot += 1
    if slot == m[at.MOST_SLOTS]:
        m[at.FAILURE] = at.TOO_SMALL
        return at.NONE
    m[at.N_SLOTS] = max(m[at.N_SLOTS], slot + 1)
    m[m[at.SLOT_OF] + request] = slot
    state = rec(m, at.SLOTS, slot, at.SLOT)
    m[state + at.SLOT_OVER] = m[state + at.SLOT_UNDER_WAY] = 0
    n_participants = m[at.N_PARTICIPANTS]
    for exchange in range(m[at.FIRST_EXCHANGE], m[at.END_EXCHANGE]):
        lowering = m[m[at.LOWERING_OF] + exchange]
        first = m[rec(m, at.LOWERINGS, lowering, at.LOWERING) + at.LOWERING_FIRST]
        entry = entry_of(m, s, slot, exchange)
        for message in range(m[rec(m, at.LOWERINGS, lowering, at.LOWERING) + at.LOWERING_N_MESSAGES]):
            m[m[at.BLOCKERS] + entry + message] = m[
                rec(m, at.MESSAGES, first + message, at.MESSAGE) + at.MESSAGE_BLOCKERS
            ]
        for place in range(m[m[at.FIRST_SEAT] + exchange], m[m[at.FIRST_SEAT] + exchange + 1]):
            participant = m[m[at.MEMBERS] + place]
            part = rec(m, at.PARTS, lowering * n_participants + participant, at.PART)
            seat = rec(m, at.SEATS, seat_of(m, s, slot, exchange, participant), at.SEAT)
            m[seat + at.SEAT_REMAINING] = m[part + at.PART_INCOMING]
            m[seat + at.SEAT_LAST] = at.NONE
            m[seat + at.SEAT_WAITER] = at.NONE
            m[seat + at.SEAT_STARTED] = m[seat + at.SEAT_COPIED_IN] = 0
            if m[m[at.STARTS] + exchange * n_participants + participant]:  # it sends on only once it has begun itself
                for forward in range(m[part + at.PART_FORWARDS_FROM], m[part + at.PART_FORWARDS_TO]):
                    m[m[at.BLOCKERS] + entry + m[m[at.NUMBERS] + forward] - first] += 1
    return int(slot)


@inner
def _is_free(m: Cells, slot: int) -> bool:
    state = rec(m, at.SLOTS, slot, at.SLOT)
    return bool(m[state + at.SLOT_OVER] != 0 and m[state + at.SLOT_UNDER_WAY] == 0)


@inner
def entry_of(m: Cells, s: Floats, slot: int, exchange: int) -> int:
    """Of an exchange's first message, among those of all slots."""
    return int(slot * m[at.N_MESSAGES] + m[m[at.FIRST_MESSAGE_OF] + exchange])


@inner
def seat_of(m: Cells, s: Floats, slot: int, exchange: int, participant: int) -> int:
    """Among those of all slots, of who takes part in the exchange."""
    n_seats = m[m[at.FIRST_SEAT] + m[at.N_EXCHANGES] + m[at.N_SHAPES]]
    return int(slot * n_seats + m[m[at.SEAT_AT] + exchange * m[at.N_PARTICIPANTS] + participant])


@inner
def unblock(m: Cells, s: Floats, slot: int, exchange: int, message: int, cause: int) -> int:
    """`Engine.unblock`; a flight that is free and so to be delivered now, or NONE."""
    entry = (
        entry_of(m, s, slot, exchange)
        + message
        - m[rec(m, at.LOWERINGS, m[m[at.LOWERING_OF] + exchange], at.LOWERING) + at.LOWERING_FIRST]
    )
    m[m[at.BLOCKERS] + entry] -= 1
    if m[m[at.BLOCKERS] + entry]:
        return at.NONE
    at_s, sent = s[at.NOW_S], rec(m, at.MESSAGES, message, at.MESSAGE)
    if s[at.OVERHEAD_S] and m[sent + at.MESSAGE_SOURCE_DEVICE] != m[sent + at.MESSAGE_DESTINATION_DEVICE]:
        at_s = hold(m, s, m[sent + at.MESSAGE_SOURCE], at.OVERHEAD, exchange, s[at.OVERHEAD_S], cause, 0.0)
        cause = m[at.N_HOLDS] - 1
    return post(m, s, slot, exchange, message, at_s, cause)


@inner
def post(m: Cells, s: Floats, slot: int, exchange: int, message: int, at_s: float, cause: int) -> int:
    """`Engine.post`; a flight that is free and so to be delivered now, or NONE."""
    number = _new_flight(m, s)
    if number == at.NONE:
        return at.NONE
    flight, sent, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), rec(m, at.MESSAGES, message, at.MESSAGE), s[at.NOW_S]
    m[flight + at.FLIGHT_MESSAGE] = message
    m[flight + at.FLIGHT_EXCHANGE] = exchange
    m[flight + at.FLIGHT_SLOT] = slot
    m[flight + at.FLIGHT_CAUSE] = cause
    m[rec(m, at.SLOTS, slot, at.SLOT) + at.SLOT_UNDER_WAY] += 1
    if m[sent + at.MESSAGE_SOURCE_DEVICE] == m[sent + at.MESSAGE_DESTINATION_DEVICE]:
        s[flight + at.FLIGHT_POSTED_S] = s[flight + at.FLIGHT_ARRIVAL_S] = at_s
        return number
    lowering = rec(m, at.LOWERINGS, m[m[at.LOWERING_OF] + exchange], at.LOWERING)
    if m[lowering + at.LOWERING_BROADCASTS]:
        entry = entry_of(m, s, slot, exchange) - m[lowering + at.LOWERING_FIRST]
        m[m[at.TRANSMISSIONS] + entry + message] = number
        if m[sent + at.MESSAGE_RIDES] != at.NONE:
            m[flight + at.FLIGHT_RIDES] = m[m[at.TRANSMISSIONS] + entry + m[sent + at.MESSAGE_RIDES]]
    if at_s > now_s:
        push(m, s, now_s + (at_s - now_s), at.POSTED, number)
    else:
        s[flight + at.FLIGHT_POSTED_S] = at_s
        send(m, s, number)
    return at.NONE


@inner
def _new_flight(m: Cells, s: Floats) -> int:
    number = m[at.FREE_FLIGHT]
    if number != at.NONE:
        m[at.FREE_FLIGHT] = m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_NEXT]
    else:
        number = m[at.N_RECORDS]
        if number == m[at.MOST_FLIGHTS]:
            m[at.FAILURE] = at.TOO_SMALL
            return at.NONE
        m[at.N_RECORDS] += 1
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    m[flight + at.FLIGHT_INDEX] = m[at.N_FLIGHTS]
    m[at.N_FLIGHTS] += 1
    m[flight + at.FLIGHT_AHEAD] = m[flight + at.FLIGHT_AHEAD_DOWN] = m[flight + at.FLIGHT_RIDES] = m[
        flight + at.FLIGHT_NEXT
    ] = at.NONE
    m[flight + at.FLIGHT_FIRST_LEG] = m[flight + at.FLIGHT_LAST_LEG] = at.NONE
    m[flight + at.FLIGHT_HOP] = 0
    s[flight + at.FLIGHT_LAST_BIT_S] = 0.0
    return int(number)


@inner
def deliver(m: Cells, s: Floats, number: int) -> None:
    """`Engine.deliver`, and what is free and follows from it, depth first."""
    stack, depth = m[at.STACK], 0
    m[stack + 0], m[stack + 1] = number, _arrived(m, s, number)
    while depth >= 0:
        number, place = m[stack + 2 * depth], m[stack + 2 * depth + 1]
        flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
        if place == m[rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE) + at.MESSAGE_FOLLOWERS_TO]:
            m[rec(m, at.SLOTS, m[flight + at.FLIGHT_SLOT], at.SLOT) + at.SLOT_UNDER_WAY] -= 1
            if not m[at.KEEP]:
                m[flight + at.FLIGHT_INDEX] = at.ARRIVED
                m[flight + at.FLIGHT_NEXT] = m[at.FREE_FLIGHT]
                m[at.FREE_FLIGHT] = number
            depth -= 1
            continue
        m[stack + 2 * depth + 1] = place + 1
        free = unblock(
            m,
            s,
            m[flight + at.FLIGHT_SLOT],
            m[flight + at.FLIGHT_EXCHANGE],
            m[m[at.NUMBERS] + place],
            ~m[flight + at.FLIGHT_INDEX],
        )
        if free != at.NONE:
            depth += 1
            if 2 * depth + 1 >= m[at.MOST_STACKED]:
                m[at.FAILURE] = at.TOO_SMALL
                return
            m[stack + 2 * depth], m[stack + 2 * depth + 1] = free, _arrived(m, s, free)


@inner
def _arrived(m: Cells, s: Floats, number: int) -> int:
    """Wakes the receiver if this was the last that it waits for; where the followers of the message begin."""
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    seat = rec(
        m,
        at.SEATS,
        seat_of(m, s, m[flight + at.FLIGHT_SLOT], m[flight + at.FLIGHT_EXCHANGE], m[sent + at.MESSAGE_DESTINATION]),
        at.SEAT,
    )
    m[seat + at.SEAT_LAST] = m[flight + at.FLIGHT_INDEX]
    m[seat + at.SEAT_REMAINING] -= 1
    if not m[seat + at.SEAT_REMAINING] and m[seat + at.SEAT_WAITER] != at.NONE:
        push(m, s, s[at.NOW_S], at.RESUME, m[seat + at.SEAT_WAITER])
        m[seat + at.SEAT_WAITER] = at.NONE
    return int(m[sent + at.MESSAGE_FOLLOWERS_FROM])
