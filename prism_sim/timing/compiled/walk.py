"""What a compiled run was bound to, who was busy, waited and was on the air: `critical_path`, `Timeline`, `energy`."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats

LAUNCHES, WAY = 2, 3  # in `critical_path.PARTS`: where launches of a compute job count, and the first kind of a leg


@inner
def walk(m: Cells, s: Floats, end_s: float, cause: int) -> None:
    """Lengths and parts of the critical path's segments, the last first: see `critical_path`."""
    m[at.N_SEGMENTS], at_s = 0, end_s
    while cause != at.NO_CAUSE:
        if cause >= 0:
            job = rec(m, at.HOLDS, cause, at.HOLD)
            if s[job + at.HOLD_LAUNCH_S]:
                at_s = _back_to(m, s, s[job + at.HOLD_START_S] + s[job + at.HOLD_LAUNCH_S], at_s, m[job + at.HOLD_KIND])
                at_s = _back_to(m, s, s[job + at.HOLD_START_S], at_s, LAUNCHES)
            else:
                at_s = _back_to(m, s, s[job + at.HOLD_START_S], at_s, m[job + at.HOLD_KIND])
            cause = m[job + at.HOLD_CAUSE]
            continue
        flight = rec(m, at.FLIGHTS, ~cause, at.FLIGHT)
        sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
        if m[sent + at.MESSAGE_SOURCE_DEVICE] != m[sent + at.MESSAGE_DESTINATION_DEVICE]:
            if m[at.MEDIUM] == at.FIFO:
                flight, at_s = _through_ports(m, s, flight, at_s, m[sent + at.MESSAGE_SOURCE_DEVICE])
            else:
                at_s = _along_legs(m, s, flight, at_s)
        cause = m[flight + at.FLIGHT_CAUSE]


@inner
def _through_ports(m: Cells, s: Floats, flight: int, at_s: float, source: int) -> tuple[int, float]:
    """Back to when the first of its device's messages ahead of it was posted: that, and when."""
    at_s = _back_to(m, s, s[flight + at.FLIGHT_DOWNLINK_START_S], at_s, WAY + at.TRANSFER)
    while m[flight + at.FLIGHT_AHEAD_DOWN] != at.NONE:
        ahead = rec(m, at.FLIGHTS, m[flight + at.FLIGHT_AHEAD_DOWN], at.FLIGHT)
        sent = rec(m, at.MESSAGES, m[ahead + at.FLIGHT_MESSAGE], at.MESSAGE)
        if m[sent + at.MESSAGE_SOURCE_DEVICE] != source:
            break
        flight = ahead
        at_s = _back_to(m, s, s[flight + at.FLIGHT_DOWNLINK_START_S], at_s, WAY + at.TRANSFER)
    at_s = _back_to(m, s, s[flight + at.FLIGHT_HEAD_S], at_s, WAY + at.QUEUE)
    at_s = _back_to(m, s, s[flight + at.FLIGHT_UPLINK_START_S], at_s, WAY + at.PROPAGATION)
    while m[flight + at.FLIGHT_AHEAD] != at.NONE:
        flight = rec(m, at.FLIGHTS, m[flight + at.FLIGHT_AHEAD], at.FLIGHT)
        at_s = _back_to(m, s, s[flight + at.FLIGHT_UPLINK_START_S], at_s, WAY + at.TRANSFER)
    return flight, at_s


@inner
def _along_legs(m: Cells, s: Floats, flight: int, at_s: float) -> float:
    if m[at.MEDIUM] == at.AIR:  # whose last leg is not kept
        at_s = _back_to(m, s, s[flight + at.FLIGHT_ARRIVAL_S] - s[at.LATENCY_S], at_s, WAY + at.PROPAGATION)
    n_legs, number = 0, m[flight + at.FLIGHT_FIRST_LEG]
    while number != at.NONE:
        n_legs, number = n_legs + 1, m[rec(m, at.LEGS, number, at.LEG) + at.LEG_NEXT]
    for n_before in range(n_legs - 1, -1, -1):  # they are few
        leg = rec(m, at.LEGS, m[flight + at.FLIGHT_FIRST_LEG], at.LEG)
        for _ in range(n_before):
            leg = rec(m, at.LEGS, m[leg + at.LEG_NEXT], at.LEG)
        at_s = _back_to(m, s, s[leg + at.LEG_START_S], at_s, WAY + m[leg + at.LEG_KIND])
    return at_s


@inner
def _back_to(m: Cells, s: Floats, start_s: float, at_s: float, part: int) -> float:
    if start_s >= at_s:  # equal moments may differ by an ulp: never go forward
        return at_s
    if m[at.N_SEGMENTS] == m[at.MOST_SEGMENTS]:
        m[at.FAILURE] = at.TOO_SMALL
        return start_s
    segment = rec(m, at.SEGMENTS, m[at.N_SEGMENTS], at.SEGMENT)
    m[segment + at.SEGMENT_PART], s[segment + at.SEGMENT_LENGTH_S] = part, at_s - start_s
    m[at.N_SEGMENTS] += 1
    return start_s


@inner
def add_up(m: Cells, s: Floats, latency_s: float) -> None:
    """Of each participant and device; see `Timeline` and `energy.air_s_by_device`."""
    for place in range(m[at.PARTICIPANTS], m[at.INTERVALS]):  # and DEVICES, between them
        m[place] = 0
    for number in range(m[at.N_HOLDS]):
        job = rec(m, at.HOLDS, number, at.HOLD)
        participant, busy_s = m[job + at.HOLD_PARTICIPANT], s[job + at.HOLD_END_S] - s[job + at.HOLD_START_S]
        s[rec(m, at.PARTICIPANTS, participant, at.PARTICIPANT) + at.PARTICIPANT_BUSY_S] += busy_s
        s[rec(m, at.DEVICES, m[m[at.DEVICE_OF] + participant], at.DEVICE) + at.DEVICE_BUSY_S] += busy_s
    for number in range(m[at.N_BLOCKED]):
        wait = rec(m, at.BLOCKED, number, at.WAITED)
        participant = rec(m, at.PARTICIPANTS, m[wait + at.WAITED_PARTICIPANT], at.PARTICIPANT)
        s[participant + at.PARTICIPANT_WAIT_S] += s[wait + at.WAITED_END_S] - s[wait + at.WAITED_START_S]
    for number in range(m[at.N_FLIGHTS]):
        flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
        sent = rec(m, at.MESSAGES, m[flight + at.FLIGHT_MESSAGE], at.MESSAGE)
        if m[sent + at.MESSAGE_SOURCE_DEVICE] == m[sent + at.MESSAGE_DESTINATION_DEVICE]:
            continue
        n_bytes = m[sent + at.MESSAGE_PAYLOAD_BYTES]
        receiver = rec(m, at.PARTICIPANTS, m[sent + at.MESSAGE_DESTINATION], at.PARTICIPANT)
        m[receiver + at.PARTICIPANT_RECEIVED_BYTES] += n_bytes
        if m[flight + at.FLIGHT_RIDES] == at.NONE:
            sender = rec(m, at.PARTICIPANTS, m[sent + at.MESSAGE_SOURCE], at.PARTICIPANT)
            m[sender + at.PARTICIPANT_SENT_BYTES] += n_bytes
    _add_up_air(m, s, latency_s)


@inner
def _add_up_air(m: Cells, s: Floats, latency_s: float) -> None:
    """Seconds in which a device sends, receives or does both, until the run's end."""
    for number in range(m[at.N_FLIGHTS]):
        source, destination = _between(m, number)
        m[rec(m, at.DEVICES, source, at.DEVICE) + at.DEVICE_N_INTERVALS] += 1
        m[rec(m, at.DEVICES, destination, at.DEVICE) + at.DEVICE_N_INTERVALS] += 1
    n_before = 0
    for number in range(m[at.N_DEVICES]):
        device = rec(m, at.DEVICES, number, at.DEVICE)
        m[device + at.DEVICE_FIRST_INTERVAL] = n_before
        n_before += m[device + at.DEVICE_N_INTERVALS]
        m[device + at.DEVICE_N_INTERVALS] = 0
    for number in range(m[at.N_FLIGHTS]):
        source, destination = _between(m, number)
        flight = rec(m, at.FLIGHTS, number, at.FLIGHT)
        if source != destination:
            if m[flight + at.FLIGHT_RIDES] == at.NONE:
                _insert(m, s, source, s[flight + at.FLIGHT_UPLINK_START_S], s[flight + at.FLIGHT_UPLINK_END_S])
            _insert(m, s, destination, s[flight + at.FLIGHT_DOWNLINK_START_S], s[flight + at.FLIGHT_ARRIVAL_S])
    for number in range(m[at.N_DEVICES]):
        device = rec(m, at.DEVICES, number, at.DEVICE)
        s[device + at.DEVICE_AIR_S] = _covered_s(m, s, device, latency_s)


@inner
def _between(m: Cells, number: int) -> tuple[int, int]:
    """The devices of a flight."""
    sent = rec(m, at.MESSAGES, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_MESSAGE], at.MESSAGE)
    return m[sent + at.MESSAGE_SOURCE_DEVICE], m[sent + at.MESSAGE_DESTINATION_DEVICE]


@inner
def _covered_s(m: Cells, s: Floats, device: int, latency_s: float) -> float:
    covered_s, until_s, first = 0.0, 0.0, m[device + at.DEVICE_FIRST_INTERVAL]
    for number in range(first, first + m[device + at.DEVICE_N_INTERVALS]):
        interval = rec(m, at.INTERVALS, number, at.INTERVAL)
        start_s = max(s[interval + at.INTERVAL_START_S], until_s)
        stop_s = min(s[interval + at.INTERVAL_STOP_S], latency_s)
        if stop_s > start_s:
            covered_s, until_s = covered_s + stop_s - start_s, stop_s
    return covered_s


@inner
def _insert(m: Cells, s: Floats, number: int, start_s: float, stop_s: float) -> None:
    """Keeps a device's intervals in order of start, then stop; messages come nearly so: the place is near the end."""
    device = rec(m, at.DEVICES, number, at.DEVICE)
    first = m[device + at.DEVICE_FIRST_INTERVAL]
    place = first + m[device + at.DEVICE_N_INTERVALS]
    m[device + at.DEVICE_N_INTERVALS] += 1
    while place > first:
        above = rec(m, at.INTERVALS, place - 1, at.INTERVAL)
        earlier_s = s[above + at.INTERVAL_START_S]
        if earlier_s < start_s or (earlier_s == start_s and s[above + at.INTERVAL_STOP_S] <= stop_s):
            break
        s[above + at.INTERVAL + at.INTERVAL_START_S] = earlier_s
        s[above + at.INTERVAL + at.INTERVAL_STOP_S] = s[above + at.INTERVAL_STOP_S]
        place -= 1
    here = rec(m, at.INTERVALS, place, at.INTERVAL)
    s[here + at.INTERVAL_START_S], s[here + at.INTERVAL_STOP_S] = start_s, stop_s
