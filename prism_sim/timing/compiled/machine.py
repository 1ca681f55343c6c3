"""The engine of `engine.py` as compiled code: the same steps in the same order, so the same times to the bit.

A change of what that does is a change here too; the tests play both.
"""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.carriers import send
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats

# --- processors ------------------------------------------------------------------------------------------------------


@inner
def hold(
    m: Cells,
    s: Floats,
    participant: int,
    kind: int,
    subject: int,
    duration_s: float,
    cause: int,
    launch_s: float,
) -> float:
    """`Processors.hold`: returns when it ends; as a cause it is the latest hold."""
    device, now_s = m[m[at.DEVICE_OF] + participant], s[at.NOW_S]
    processor = rec(m, at.PROCESSORS, device, at.PROCESSOR)
    start_s = s[processor + at.PROCESSOR_FREE_S]
    if start_s > now_s:
        cause = m[processor + at.PROCESSOR_HOLDER]
    else:
        start_s = now_s
    number, end_s = m[at.N_HOLDS], start_s + duration_s
    m[at.N_HOLDS] += 1
    s[processor + at.PROCESSOR_FREE_S], m[processor + at.PROCESSOR_HOLDER] = end_s, number
    if m[at.KEEP]:
        if number >= m[at.MOST_HOLDS]:
            m[at.FAILURE] = at.TOO_SMALL
            return float(end_s)
        entry = rec(m, at.HOLDS, number, at.HOLD)
        m[entry + at.HOLD_PARTICIPANT], m[entry + at.HOLD_KIND], m[entry + at.HOLD_SUBJECT] = participant, kind, subject
        s[entry + at.HOLD_START_S], s[entry + at.HOLD_END_S], m[entry + at.HOLD_CAUSE], s[entry + at.HOLD_LAUNCH_S] = (
            start_s,
            end_s,
            cause,
            launch_s,
        )
    if m[rec(m, at.HOSTS, device, at.HOST) + at.HOST_IS_FED] and kind != at.COMPUTING:
        s[processor + at.PROCESSOR_HOST_FREE_S] = max(s[processor + at.PROCESSOR_HOST_FREE_S], end_s)
        if kind == at.STAGING:
            s[processor + at.PROCESSOR_RESTART_S] = s[rec(m, at.HOSTS, device, at.HOST) + at.HOST_RESTART_S]
    return float(end_s)


@inner
def compute(m: Cells, s: Floats, participant: int, step: int, cause: int) -> tuple[float, int]:
    """`Processors.compute`: its end, and what that is bound to."""
    device, now_s = m[m[at.DEVICE_OF] + participant], s[at.NOW_S]
    cost, host, processor = (
        rec(m, at.COSTS, m[rec(m, at.STEPS, step, at.STEP) + at.STEP_SUBJECT] * m[at.N_DEVICES] + device, at.COST),
        rec(m, at.HOSTS, device, at.HOST),
        rec(m, at.PROCESSORS, device, at.PROCESSOR),
    )
    duration_s, launch_s = s[cost + at.COST_DURATION_S], s[cost + at.COST_LAUNCH_S]
    if m[host + at.HOST_IS_FED] and m[cost + at.COST_N_KERNELS]:
        if cause != m[processor + at.PROCESSOR_HOLDER]:
            s[processor + at.PROCESSOR_HOST_FREE_S] = max(s[processor + at.PROCESSOR_HOST_FREE_S], now_s)
        start_s, work_s = max(now_s, s[processor + at.PROCESSOR_FREE_S]), duration_s
        each_s = s[host + at.HOST_DISPATCH_S] + s[processor + at.PROCESSOR_RESTART_S] / m[cost + at.COST_N_KERNELS]
        fed_s = s[processor + at.PROCESSOR_HOST_FREE_S] + (
            s[cost + at.COST_FED_AFTER_COPY_S] if s[processor + at.PROCESSOR_RESTART_S] else s[cost + at.COST_FED_S]
        )
        s[processor + at.PROCESSOR_HOST_FREE_S] = (
            s[processor + at.PROCESSOR_HOST_FREE_S]
            + each_s * m[cost + at.COST_N_KERNELS]
            + s[processor + at.PROCESSOR_HANDLING_S]
        )
        s[processor + at.PROCESSOR_RESTART_S] = s[processor + at.PROCESSOR_HANDLING_S] = 0.0
        duration_s = max(max(start_s + work_s, fed_s, s[processor + at.PROCESSOR_HOST_FREE_S]) - start_s, work_s)
        launch_s = duration_s - (work_s - launch_s)
    if not duration_s:
        return now_s, cause
    end_s = hold(m, s, participant, at.COMPUTING, step, duration_s, cause, launch_s)
    return end_s, m[at.N_HOLDS] - 1


# --- exchanges -------------------------------------------------------------------------------------------------------


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
        first, entry = (
            m[rec(m, at.LOWERINGS, lowering, at.LOWERING) + at.LOWERING_FIRST],
            entry_of(m, s, slot, exchange),
        )
        for message in range(m[rec(m, at.LOWERINGS, lowering, at.LOWERING) + at.LOWERING_N_MESSAGES]):
            m[m[at.BLOCKERS] + entry + message] = m[
                rec(m, at.MESSAGES, first + message, at.MESSAGE) + at.MESSAGE_BLOCKERS
            ]
        for participant in range(n_participants):
            part = rec(m, at.PARTS, lowering * n_participants + participant, at.PART)
            seat = rec(m, at.SEATS, seat_of(m, s, slot, exchange, participant), at.SEAT)
            m[seat + at.SEAT_REMAINING], m[seat + at.SEAT_LAST], m[seat + at.SEAT_WAITER] = (
                m[part + at.PART_INCOMING],
                at.NONE,
                at.NONE,
            )
            m[seat + at.SEAT_STARTED] = m[seat + at.SEAT_COPIED_IN] = 0
            if m[
                m[at.STARTS] + exchange * m[at.N_PARTICIPANTS] + participant
            ]:  # who takes part sends on only once it has begun itself
                for place in range(m[part + at.PART_FORWARDS_FROM], m[part + at.PART_FORWARDS_TO]):
                    m[m[at.BLOCKERS] + entry + m[m[at.NUMBERS] + place] - first] += 1
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
    n_exchanges = m[at.END_EXCHANGE] - m[at.FIRST_EXCHANGE]
    number = slot * n_exchanges + exchange - m[at.FIRST_EXCHANGE]
    return int(number * m[at.N_PARTICIPANTS] + participant)


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
    (
        m[flight + at.FLIGHT_MESSAGE],
        m[flight + at.FLIGHT_EXCHANGE],
        m[flight + at.FLIGHT_SLOT],
        m[flight + at.FLIGHT_CAUSE],
    ) = message, exchange, slot, cause
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


# --- participants ----------------------------------------------------------------------------------------------------


@inner
def play(m: Cells, s: Floats, process: int, participant: int) -> bool:
    """A participant's steps until it must wait; whether its program has ended."""
    me, now_s = rec(m, at.PROCESSES, process, at.PROCESS), s[at.NOW_S]
    slot = slot_for(m, s, m[me + at.PROCESS_REQUEST])
    if slot == at.NONE:
        return False
    while True:
        if m[at.FAILURE]:
            return False
        end_s = now_s
        if m[me + at.PROCESS_STANDING] == at.AFTER_START:
            _send_on(
                m,
                s,
                slot,
                m[rec(m, at.STEPS, m[me + at.PROCESS_AT], at.STEP) + at.STEP_SUBJECT],
                participant,
                m[me + at.PROCESS_CAUSE],
            )
            m[me + at.PROCESS_AT], m[me + at.PROCESS_STANDING] = m[me + at.PROCESS_AT] + 1, at.AT_STEP
            continue
        if m[me + at.PROCESS_AT] == m[me + at.PROCESS_END] and m[me + at.PROCESS_STANDING] == at.AT_STEP:
            return True
        subject = m[rec(m, at.STEPS, m[me + at.PROCESS_AT], at.STEP) + at.STEP_SUBJECT]
        if m[me + at.PROCESS_STANDING] == at.WOKEN:
            _note_blocked(m, s, participant, subject, s[me + at.PROCESS_SINCE_S])
            m[me + at.PROCESS_CAUSE] = ~m[
                rec(m, at.SEATS, seat_of(m, s, slot, subject, participant), at.SEAT) + at.SEAT_LAST
            ]
            end_s, m[me + at.PROCESS_CAUSE] = copy_in(m, s, slot, subject, participant, m[me + at.PROCESS_CAUSE])
            m[me + at.PROCESS_STANDING] = at.AT_STEP
        elif m[rec(m, at.STEPS, m[me + at.PROCESS_AT], at.STEP) + at.STEP_OP] == at.COMPUTE:
            end_s, m[me + at.PROCESS_CAUSE] = compute(
                m, s, participant, m[me + at.PROCESS_AT], m[me + at.PROCESS_CAUSE]
            )
        elif m[rec(m, at.STEPS, m[me + at.PROCESS_AT], at.STEP) + at.STEP_OP] == at.START:
            end_s, m[me + at.PROCESS_CAUSE] = start(m, s, slot, subject, participant, m[me + at.PROCESS_CAUSE])
            m[me + at.PROCESS_STANDING] = at.AFTER_START
            if end_s > now_s:
                push(m, s, now_s + (end_s - now_s), at.RESUME, process)
                return False
            continue
        else:
            seat = rec(m, at.SEATS, seat_of(m, s, slot, subject, participant), at.SEAT)
            if m[seat + at.SEAT_REMAINING]:
                s[me + at.PROCESS_SINCE_S], m[me + at.PROCESS_STANDING], m[seat + at.SEAT_WAITER] = (
                    now_s,
                    at.WOKEN,
                    process,
                )
                return False
            end_s, m[me + at.PROCESS_CAUSE] = copy_in(m, s, slot, subject, participant, m[me + at.PROCESS_CAUSE])
        m[me + at.PROCESS_AT] += 1
        if end_s > now_s:
            push(m, s, now_s + (end_s - now_s), at.RESUME, process)
            return False


@inner
def start(m: Cells, s: Floats, slot: int, exchange: int, participant: int, cause: int) -> tuple[float, int]:
    """`Engine.start`, but for what is sent on at its end: until when its processor is busy, and with what."""
    end_s = now_s = s[at.NOW_S]
    seat = rec(m, at.SEATS, seat_of(m, s, slot, exchange, participant), at.SEAT)
    if m[seat + at.SEAT_STARTED]:
        m[at.FAILURE] = at.STARTED_TWICE
        return end_s, cause
    m[seat + at.SEAT_STARTED] = 1
    part = rec(m, at.PARTS, m[m[at.LOWERING_OF] + exchange] * m[at.N_PARTICIPANTS] + participant, at.PART)
    for place in range(m[part + at.PART_LOCAL_FROM], m[part + at.PART_LOCAL_TO]):
        free = post(m, s, slot, exchange, m[m[at.NUMBERS] + place], now_s, cause)
        if free != at.NONE:
            deliver(m, s, free)
    for place in range(m[part + at.PART_SENDS_FROM], m[part + at.PART_SENDS_TO]):
        if s[m[at.COPY_OUT] + place]:
            end_s = hold(m, s, participant, at.STAGING, exchange, s[m[at.COPY_OUT] + place], cause, 0.0)
            cause = m[at.N_HOLDS] - 1
        message = m[m[at.NUMBERS] + place]
        if message == at.NONE:
            continue
        if s[at.OVERHEAD_S] and m[rec(m, at.MESSAGES, message, at.MESSAGE) + at.MESSAGE_RIDES] == at.NONE:
            end_s = hold(m, s, participant, at.OVERHEAD, exchange, s[at.OVERHEAD_S], cause, 0.0)
            cause = m[at.N_HOLDS] - 1
        post(m, s, slot, exchange, message, end_s, cause)
    return end_s, cause


@inner
def _send_on(m: Cells, s: Floats, slot: int, exchange: int, participant: int, cause: int) -> None:
    part = rec(m, at.PARTS, m[m[at.LOWERING_OF] + exchange] * m[at.N_PARTICIPANTS] + participant, at.PART)
    for place in range(m[part + at.PART_FORWARDS_FROM], m[part + at.PART_FORWARDS_TO]):
        free = unblock(m, s, slot, exchange, m[m[at.NUMBERS] + place], cause)
        if free != at.NONE:
            deliver(m, s, free)


@inner
def copy_in(m: Cells, s: Floats, slot: int, exchange: int, participant: int, cause: int) -> tuple[float, int]:
    """`Engine.copy_in`."""
    place = m[m[at.LOWERING_OF] + exchange] * m[at.N_PARTICIPANTS] + participant
    copy_s = s[m[at.COPY_IN] + place]
    seat = rec(m, at.SEATS, seat_of(m, s, slot, exchange, participant), at.SEAT)
    if not copy_s or m[seat + at.SEAT_COPIED_IN]:
        return s[at.NOW_S], cause
    m[seat + at.SEAT_COPIED_IN] = 1
    end_s = hold(m, s, participant, at.STAGING, exchange, copy_s, cause, 0.0)
    device = m[m[at.DEVICE_OF] + participant]
    if m[rec(m, at.HOSTS, device, at.HOST) + at.HOST_IS_FED]:
        s[rec(m, at.PROCESSORS, device, at.PROCESSOR) + at.PROCESSOR_HANDLING_S] += (
            m[rec(m, at.PARTS, place, at.PART) + at.PART_COPIED_BYTES]
            / s[rec(m, at.HOSTS, device, at.HOST) + at.HOST_HANDLING_BYTES_PER_S]
        )
    return end_s, m[at.N_HOLDS] - 1


@inner
def _note_blocked(m: Cells, s: Floats, participant: int, exchange: int, since_s: float) -> None:
    number = m[at.N_BLOCKED]
    m[at.N_BLOCKED] += 1
    if not m[at.KEEP]:
        return
    if number >= m[at.MOST_BLOCKED]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    entry = rec(m, at.BLOCKED, number, at.WAITED)
    m[entry + at.WAITED_PARTICIPANT], m[entry + at.WAITED_EXCHANGE] = participant, exchange
    s[entry + at.WAITED_START_S], s[entry + at.WAITED_END_S] = since_s, s[at.NOW_S]
