"""Ports shared fairly, `media.fair`."""

from __future__ import annotations

from math import inf

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.lines import add_leg
from prism_sim.timing.media.fair import UNLIMITED_BITS_PER_S


@inner
def queue_up(m: Cells, s: Floats, number: int) -> None:
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
def change_rates(m: Cells, s: Floats, change: int) -> None:
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
    s[connection + at.CONNECTION_SLACK_BITS] = 1e-12 * s[connection + at.CONNECTION_LEFT_BITS]
    s[connection + at.CONNECTION_RATE] = 0.0


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
