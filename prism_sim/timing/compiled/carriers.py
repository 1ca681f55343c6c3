"""The media of `media/` as compiled code: ports in turn or shared fairly, the air, and links over several hops."""

from __future__ import annotations

from math import inf

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats

UNLIMITED_BITS_PER_S = 1e200  # as `media.fair`


@inner
def send(m: Cells, s: Floats, number: int) -> None:
    """`Medium.post`: takes a flight that its sender is done with now."""
    if m[at.MEDIUM] == at.FIFO:
        _enter_port(m, s, number)
    elif m[at.MEDIUM] == at.FAIR:
        _queue_up(m, s, number)
    elif m[at.MEDIUM] == at.AIR:
        _enter_air(m, s, number)
    else:
        _enter_link(m, s, number)


@inner
def go_on(m: Cells, s: Floats, kind: int, number: int) -> bool:
    """Something that a medium has waited for; whether a flight has arrived by it."""
    now_s = s[at.NOW_S]
    if kind == at.ARRIVE:
        s[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_ARRIVAL_S] = now_s
        return True
    if kind == at.HEAD:
        _claim_downlink(m, s, number)
    elif kind == at.CHANGE:
        _change_rates(m, s, number)
    elif kind == at.RELAY:
        end_s = _transmit(m, s, number, _last_bits_per_s(m, s, number))
        push(m, s, now_s + (end_s - now_s), at.RECEIVED, number)
    elif kind == at.RECEIVED:
        _received(m, s, number)
    elif m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_HOP] == _n_hops(m, s, number):
        s[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_ARRIVAL_S] = now_s
        return True
    else:
        _enter_link(m, s, number)
    return False


# --- ports in turn: `media.switch.FifoSwitch` ------------------------------------------------------------------------
# a line each, first the uplinks; its last booking is the index of its last flight


@inner
def _enter_port(m: Cells, s: Floats, number: int) -> None:
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    if m[flight + at.FLIGHT_RIDES] != at.NONE:
        first = rec(m, at.FLIGHTS, m[flight + at.FLIGHT_RIDES], at.FLIGHT)
        s[flight + at.FLIGHT_UPLINK_START_S], s[flight + at.FLIGHT_UPLINK_END_S], m[flight + at.FLIGHT_AHEAD] = (
            s[first + at.FLIGHT_UPLINK_START_S],
            s[first + at.FLIGHT_UPLINK_END_S],
            m[first + at.FLIGHT_AHEAD],
        )
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
def _claim_downlink(m: Cells, s: Floats, number: int) -> None:
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


# --- ports shared fairly: `media.fair` -------------------------------------------------------------------------------


@inner
def _queue_up(m: Cells, s: Floats, number: int) -> None:
    """Those posted at the same time change the rates together."""
    if m[at.FIRST_POSTED] == at.NONE:
        m[at.FIRST_POSTED] = number
        _change_after(m, s, 0.0)
    else:
        m[rec(m, at.FLIGHTS, m[at.LAST_POSTED], at.FLIGHT) + at.FLIGHT_NEXT] = number
    m[at.LAST_POSTED] = number


@inner
def _change_after(m: Cells, s: Floats, delay_s: float) -> None:
    m[at.LATEST_CHANGE] += 1
    push(m, s, s[at.NOW_S] + delay_s, at.CHANGE, m[at.LATEST_CHANGE])


@inner
def _change_rates(m: Cells, s: Floats, change: int) -> None:
    now_s = s[at.NOW_S]
    if change != m[at.LATEST_CHANGE]:
        return
    _end_finished(m, s)
    _begin_posted(m, s)
    if not m[at.N_BUSY]:
        return
    _share(m, s)
    soonest_s = s[rec(m, at.CONNECTIONS, m[m[at.BUSY] + 0], at.CONNECTION) + at.CONNECTION_END_S]
    for place in range(1, m[at.N_BUSY]):
        soonest_s = min(
            soonest_s, s[rec(m, at.CONNECTIONS, m[m[at.BUSY] + place], at.CONNECTION) + at.CONNECTION_END_S]
        )
    _change_after(m, s, max(0.0, soonest_s - now_s))


@inner
def _end_finished(m: Cells, s: Floats) -> None:
    now_s, n_left = s[at.NOW_S], 0
    for place in range(m[at.N_BUSY]):
        way = m[m[at.BUSY] + place]
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        rate = s[connection + at.CONNECTION_RATE]
        if (s[connection + at.CONNECTION_END_S] - now_s) * rate > s[
            connection + at.CONNECTION_SLACK_BITS
        ] + 1e-15 * now_s * rate:  # rounding
            m[m[at.BUSY] + n_left] = way
            n_left += 1
            continue
        _settle(m, s, way)
        number = m[connection + at.CONNECTION_FIRST]
        m[connection + at.CONNECTION_FIRST] = m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_NEXT]
        _leave(
            m,
            s,
            number,
            s[connection + at.CONNECTION_LOST_S] - s[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_LOST_S],
        )
        if m[connection + at.CONNECTION_FIRST] != at.NONE:
            _begin(m, s, way)
            m[m[at.BUSY] + n_left] = way
            n_left += 1
    m[at.N_BUSY] = n_left


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
        if m[connection + at.CONNECTION_FIRST] == at.NONE:
            m[m[at.BUSY] + m[at.N_BUSY]] = way
            m[at.N_BUSY] += 1
            m[connection + at.CONNECTION_FIRST] = m[connection + at.CONNECTION_LAST] = number
            s[connection + at.CONNECTION_LEFT_BITS] = s[connection + at.CONNECTION_SLACK_BITS] = s[
                connection + at.CONNECTION_LOST_S
            ] = s[connection + at.CONNECTION_SINCE_S] = 0.0
            s[connection + at.CONNECTION_END_S] = s[connection + at.CONNECTION_RATE] = 0.0
            s[connection + at.CONNECTION_ALONE] = UNLIMITED_BITS_PER_S
            s[flight + at.FLIGHT_LOST_S] = 0.0
            _begin(m, s, way)
        else:
            _settle(m, s, way)
            s[flight + at.FLIGHT_LOST_S] = s[connection + at.CONNECTION_LOST_S]
            m[rec(m, at.FLIGHTS, m[connection + at.CONNECTION_LAST], at.FLIGHT) + at.FLIGHT_NEXT] = number
            m[connection + at.CONNECTION_LAST] = number
        number = following


@inner
def _begin(m: Cells, s: Floats, way: int) -> None:
    connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
    flight = rec(m, at.FLIGHTS, m[connection + at.CONNECTION_FIRST], at.FLIGHT)
    s[flight + at.FLIGHT_UPLINK_START_S] = s[connection + at.CONNECTION_SINCE_S] = s[at.NOW_S]
    s[connection + at.CONNECTION_LEFT_BITS] = (
        8.0 * m[rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE) + at.MESSAGE_PAYLOAD_BYTES]
    )
    s[connection + at.CONNECTION_SLACK_BITS], s[connection + at.CONNECTION_RATE] = (
        1e-12 * s[connection + at.CONNECTION_LEFT_BITS],
        0.0,
    )


@inner
def _settle(m: Cells, s: Floats, way: int) -> None:
    connection, now_s = rec(m, at.CONNECTIONS, way, at.CONNECTION), s[at.NOW_S]
    elapsed_s = now_s - s[connection + at.CONNECTION_SINCE_S]
    s[connection + at.CONNECTION_SINCE_S] = now_s
    s[connection + at.CONNECTION_LEFT_BITS] -= s[connection + at.CONNECTION_RATE] * elapsed_s
    if s[connection + at.CONNECTION_RATE] < s[connection + at.CONNECTION_ALONE]:
        s[connection + at.CONNECTION_LOST_S] += elapsed_s * (
            1.0 - s[connection + at.CONNECTION_RATE] / s[connection + at.CONNECTION_ALONE]
        )


@inner
def _leave(m: Cells, s: Floats, number: int, lost_s: float) -> None:
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


@inner
def _share(m: Cells, s: Floats) -> None:
    """`max_min_rates`, and each connection's share of its uplink among those of its own device."""
    n_devices, n_busy, now_s = m[at.N_DEVICES], m[at.N_BUSY], s[at.NOW_S]
    for number in range(n_devices):
        port = rec(m, at.PORTS, number, at.PORT)
        m[port + at.PORT_N_OUT] = m[port + at.PORT_N_IN] = 0
        s[port + at.PORT_LEFT_OUT] = min(s[port + at.PORT_UP_BITS_PER_S], UNLIMITED_BITS_PER_S)
        s[port + at.PORT_LEFT_IN] = min(s[port + at.PORT_DOWN_BITS_PER_S], UNLIMITED_BITS_PER_S)
    for place in range(n_busy):
        way = m[m[at.BUSY] + place]
        m[rec(m, at.PORTS, way // n_devices, at.PORT) + at.PORT_N_OUT] += 1
        m[rec(m, at.PORTS, way % n_devices, at.PORT) + at.PORT_N_IN] += 1
    for place in range(n_busy):  # before the shares are dealt out
        way = m[m[at.BUSY] + place]
        connection, egress = rec(m, at.CONNECTIONS, way, at.CONNECTION), rec(m, at.PORTS, way // n_devices, at.PORT)
        own = s[egress + at.PORT_LEFT_OUT] / m[egress + at.PORT_N_OUT]
        s[connection + at.CONNECTION_NEW_ALONE] = min(
            own, s[rec(m, at.PORTS, way % n_devices, at.PORT) + at.PORT_LEFT_IN]
        )
        s[connection + at.CONNECTION_NEW_RATE] = 0.0
    n_growing = n_busy
    while n_growing:
        n_growing -= _fill(m, s, _lowest_share(m, s))
    for place in range(n_busy):
        way = m[m[at.BUSY] + place]
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        alone, rate = s[connection + at.CONNECTION_NEW_ALONE], s[connection + at.CONNECTION_NEW_RATE]
        if rate != s[connection + at.CONNECTION_RATE] or alone != s[connection + at.CONNECTION_ALONE]:
            _settle(m, s, way)
            s[connection + at.CONNECTION_RATE], s[connection + at.CONNECTION_ALONE] = rate, alone
            s[connection + at.CONNECTION_END_S] = now_s + s[connection + at.CONNECTION_LEFT_BITS] / rate


@inner
def _lowest_share(m: Cells, s: Floats) -> float:
    """Of the ports whose connections still grow."""
    lowest = inf
    for number in range(m[at.N_DEVICES]):
        port = rec(m, at.PORTS, number, at.PORT)
        if m[port + at.PORT_N_OUT]:
            lowest = min(lowest, s[port + at.PORT_LEFT_OUT] / m[port + at.PORT_N_OUT])
        if m[port + at.PORT_N_IN]:
            lowest = min(lowest, s[port + at.PORT_LEFT_IN] / m[port + at.PORT_N_IN])
    return lowest


@inner
def _fill(m: Cells, s: Floats, lowest: float) -> int:
    """Connections through ports that are full at this rate keep it; how many they are."""
    n_devices, n_kept = m[at.N_DEVICES], 0
    for number in range(n_devices):
        port = rec(m, at.PORTS, number, at.PORT)
        n_out, n_in = m[port + at.PORT_N_OUT], m[port + at.PORT_N_IN]
        m[port + at.PORT_FULL_OUT] = 1 if n_out and s[port + at.PORT_LEFT_OUT] / n_out <= lowest * (1 + 1e-12) else 0
        m[port + at.PORT_FULL_IN] = 1 if n_in and s[port + at.PORT_LEFT_IN] / n_in <= lowest * (1 + 1e-12) else 0
    for place in range(m[at.N_BUSY]):
        way = m[m[at.BUSY] + place]
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        egress, ingress = rec(m, at.PORTS, way // n_devices, at.PORT), rec(m, at.PORTS, way % n_devices, at.PORT)
        full = m[egress + at.PORT_FULL_OUT] or m[ingress + at.PORT_FULL_IN]
        if s[connection + at.CONNECTION_NEW_RATE] == 0.0 and full:
            s[connection + at.CONNECTION_NEW_RATE] = lowest
            s[egress + at.PORT_LEFT_OUT] -= lowest
            m[egress + at.PORT_N_OUT] -= 1
            s[ingress + at.PORT_LEFT_IN] -= lowest
            m[ingress + at.PORT_N_IN] -= 1
            n_kept += 1
    return n_kept


# --- the air: `media.shared` -----------------------------------------------------------------------------------------


@inner
def _enter_air(m: Cells, s: Floats, number: int) -> None:
    """What rides on a broadcast hangs on its first flight: `next` is the next of them, `hop` of the first the last."""
    flight, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    if m[flight + at.FLIGHT_RIDES] != at.NONE:
        first = rec(m, at.FLIGHTS, m[flight + at.FLIGHT_RIDES], at.FLIGHT)
        m[rec(m, at.FLIGHTS, m[first + at.FLIGHT_HOP], at.FLIGHT) + at.FLIGHT_NEXT] = number
        m[first + at.FLIGHT_HOP] = number
        return
    m[flight + at.FLIGHT_HOP] = number
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    source, destination = m[sent + at.MESSAGE_SOURCE_DEVICE], m[sent + at.MESSAGE_DESTINATION_DEVICE]
    relayed = m[m[at.HOPS] + source * m[at.N_DEVICES] + (source if m[sent + at.MESSAGE_TO_ALL] else destination)] == 2
    bits_per_s = s[m[at.PORTS] + at.PORT_UP_BITS_PER_S] if relayed else _last_bits_per_s(m, s, number)
    end_s = _transmit(m, s, number, bits_per_s)
    s[flight + at.FLIGHT_UPLINK_START_S], s[flight + at.FLIGHT_UPLINK_END_S] = (
        s[flight + at.FLIGHT_DOWNLINK_START_S],
        end_s,
    )
    push(m, s, now_s + (end_s - now_s), at.RELAY if relayed else at.RECEIVED, number)


@inner
def _last_bits_per_s(m: Cells, s: Floats, number: int) -> float:
    """Of the air, the first port's rates are the plain one and, down, that of a transmission to all."""
    sent = rec(m, at.MESSAGES, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_MESSAGE], at.MESSAGE)
    plain = m[at.PORTS] + at.PORT_UP_BITS_PER_S
    return s[m[at.PORTS] + at.PORT_DOWN_BITS_PER_S] if m[sent + at.MESSAGE_TO_ALL] else s[plain]


@inner
def _transmit(m: Cells, s: Floats, number: int, bits_per_s: float) -> float:
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    begin_s, end_s = _book(
        m, s, 0, number, 8 * m[sent + at.MESSAGE_PAYLOAD_BYTES] / bits_per_s, m[sent + at.MESSAGE_SOURCE_DEVICE], 0.0
    )
    if m[at.KEEP]:
        add_leg(m, s, number, at.TRANSFER, begin_s, end_s)
    s[flight + at.FLIGHT_DOWNLINK_START_S] = begin_s
    return end_s


@inner
def _received(m: Cells, s: Floats, number: int) -> None:
    """The last leg, which is the latency, is each one's own: see `logs`."""
    first, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    head_s = s[first + at.FLIGHT_DOWNLINK_START_S] + s[at.LATENCY_S]
    rider = number
    while rider != at.NONE:
        flight = rec(m, at.FLIGHTS, rider, at.FLIGHT)
        s[flight + at.FLIGHT_UPLINK_START_S], s[flight + at.FLIGHT_UPLINK_END_S] = (
            s[first + at.FLIGHT_UPLINK_START_S],
            s[first + at.FLIGHT_UPLINK_END_S],
        )
        s[flight + at.FLIGHT_DOWNLINK_START_S] = s[flight + at.FLIGHT_HEAD_S] = head_s
        m[flight + at.FLIGHT_FIRST_LEG], m[flight + at.FLIGHT_LAST_LEG] = (
            m[first + at.FLIGHT_FIRST_LEG],
            m[first + at.FLIGHT_LAST_LEG],
        )
        push(m, s, now_s + s[at.LATENCY_S], at.ARRIVE, rider)
        rider = m[flight + at.FLIGHT_NEXT]


# --- links: `media.links` --------------------------------------------------------------------------------------------


@inner
def _n_hops(m: Cells, s: Floats, number: int) -> int:
    sent = rec(m, at.MESSAGES, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_MESSAGE], at.MESSAGE)
    route = _route(m, sent)
    return m[route + at.ROUTE_TO] - m[route + at.ROUTE_FROM]


@inner
def _route(m: Cells, sent: int) -> int:
    ways = m[sent + at.MESSAGE_SOURCE_DEVICE] * m[at.N_DEVICES] + m[sent + at.MESSAGE_DESTINATION_DEVICE]
    return rec(m, at.ROUTES, ways, at.ROUTE)


@inner
def _enter_link(m: Cells, s: Floats, number: int) -> None:
    flight, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    route = _route(m, sent)
    way = m[m[at.HOP_LINES] + m[route + at.ROUTE_FROM] + m[flight + at.FLIGHT_HOP]]
    line = rec(m, at.LINES, way, at.LINE)
    last_bit_s = s[flight + at.FLIGHT_LAST_BIT_S] if m[at.CUT_THROUGH] else 0.0
    begin_s, end_s = _book(
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


# --- a carrier of one transmission at a time: `media.line` -----------------------------------------------------------


@inner
def _book(
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
    (
        s[booking + at.BOOKING_START_S],
        s[booking + at.BOOKING_END_S],
        m[booking + at.BOOKING_OWNER],
        m[booking + at.BOOKING_NEXT],
    ) = start_s, end_s, owner, at.NONE
    here = rec(m, at.LINES, line, at.LINE)
    if m[here + at.LINE_FIRST_BOOKING] == at.NONE:
        m[here + at.LINE_FIRST_BOOKING] = place
    else:
        m[rec(m, at.BOOKINGS, m[here + at.LINE_LAST_BOOKING], at.BOOKING) + at.BOOKING_NEXT] = place
    m[here + at.LINE_LAST_BOOKING] = place
    s[m[at.LINE_SECONDS] + line * m[at.N_DEVICES] + owner] += end_s - start_s


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
        s[seconds : seconds + m[at.N_DEVICES]] = 0.0  # what rounding has left
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
    m[leg + at.LEG_KIND], s[leg + at.LEG_START_S], s[leg + at.LEG_END_S], m[leg + at.LEG_NEXT] = (
        kind,
        start_s,
        end_s,
        at.NONE,
    )
    if m[flight + at.FLIGHT_FIRST_LEG] == at.NONE:
        m[flight + at.FLIGHT_FIRST_LEG] = place
    else:
        m[rec(m, at.LEGS, m[flight + at.FLIGHT_LAST_LEG], at.LEG) + at.LEG_NEXT] = place
    m[flight + at.FLIGHT_LAST_LEG] = place
