"""The air, `media.shared`."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.lines import add_leg, book


@inner
def enter_air(m: Cells, s: Floats, number: int) -> None:
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
    bits_per_s = s[m[at.PORTS] + at.PORT_UP_BITS_PER_S] if relayed else last_bits_per_s(m, s, number)
    end_s = transmit(m, s, number, bits_per_s)
    s[flight + at.FLIGHT_UPLINK_START_S] = s[flight + at.FLIGHT_DOWNLINK_START_S]
    s[flight + at.FLIGHT_UPLINK_END_S] = end_s
    push(m, s, now_s + (end_s - now_s), at.RELAY if relayed else at.RECEIVED, number)


@inner
def last_bits_per_s(m: Cells, s: Floats, number: int) -> float:
    """Of the air, the first port's rates are the plain one and, down, that of a transmission to all."""
    sent = rec(m, at.MESSAGES, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_MESSAGE], at.MESSAGE)
    plain = m[at.PORTS] + at.PORT_UP_BITS_PER_S
    return float(s[m[at.PORTS] + at.PORT_DOWN_BITS_PER_S] if m[sent + at.MESSAGE_TO_ALL] else s[plain])


@inner
def transmit(m: Cells, s: Floats, number: int, bits_per_s: float) -> float:
    flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
    sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
    begin_s, end_s = book(
        m, s, 0, number, 8 * m[sent + at.MESSAGE_PAYLOAD_BYTES] / bits_per_s, m[sent + at.MESSAGE_SOURCE_DEVICE], 0.0
    )
    if m[at.KEEP]:
        add_leg(m, s, number, at.TRANSFER, begin_s, end_s)
    s[flight + at.FLIGHT_DOWNLINK_START_S] = begin_s
    return end_s


@inner
def received(m: Cells, s: Floats, number: int) -> None:
    """The last leg, which is the latency, is each one's own: see `logs`."""
    first, now_s = rec(m, at.FLIGHTS, number, at.FLIGHT), s[at.NOW_S]
    head_s = s[first + at.FLIGHT_DOWNLINK_START_S] + s[at.LATENCY_S]
    rider = number
    while rider != at.NONE:
        flight = rec(m, at.FLIGHTS, rider, at.FLIGHT)
        s[flight + at.FLIGHT_UPLINK_START_S] = s[first + at.FLIGHT_UPLINK_START_S]
        s[flight + at.FLIGHT_UPLINK_END_S] = s[first + at.FLIGHT_UPLINK_END_S]
        s[flight + at.FLIGHT_DOWNLINK_START_S] = s[flight + at.FLIGHT_HEAD_S] = head_s
        m[flight + at.FLIGHT_FIRST_LEG] = m[first + at.FLIGHT_FIRST_LEG]
        m[flight + at.FLIGHT_LAST_LEG] = m[first + at.FLIGHT_LAST_LEG]
        push(m, s, now_s + s[at.LATENCY_S], at.ARRIVE, rider)
        rider = m[flight + at.FLIGHT_NEXT]
