"""The engine of `plain/engine.py` as compiled code: the same steps in the same order, so the same times to the bit.

A change of what that does is a change here too; the tests play both.
"""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.exchanges import deliver, post, seat_of, slot_for, unblock
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.processors import compute, hold


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
            m[m[at.N_STEPS] + participant] += 1
            continue
        if m[me + at.PROCESS_AT] == m[me + at.PROCESS_END] and m[me + at.PROCESS_STANDING] == at.AT_STEP:
            return True
        subject = m[rec(m, at.STEPS, m[me + at.PROCESS_AT], at.STEP) + at.STEP_SUBJECT]
        if m[me + at.PROCESS_STANDING] == at.WOKEN:
            last = m[rec(m, at.SEATS, seat_of(m, s, slot, subject, participant), at.SEAT) + at.SEAT_LAST]
            _note_blocked(m, s, participant, subject, s[me + at.PROCESS_SINCE_S], last)
            m[me + at.PROCESS_CAUSE] = ~last
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
                s[me + at.PROCESS_SINCE_S] = now_s
                m[me + at.PROCESS_STANDING] = at.WOKEN
                m[seat + at.SEAT_WAITER] = process
                return False
            end_s, m[me + at.PROCESS_CAUSE] = copy_in(m, s, slot, subject, participant, m[me + at.PROCESS_CAUSE])
        m[me + at.PROCESS_AT] += 1
        m[m[at.N_STEPS] + participant] += 1
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
def _note_blocked(m: Cells, s: Floats, participant: int, exchange: int, since_s: float, last: int) -> None:
    number = m[at.N_BLOCKED]
    m[at.N_BLOCKED] += 1
    if not m[at.KEEP]:
        return
    if number >= m[at.MOST_BLOCKED]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    entry = rec(m, at.BLOCKED, number, at.WAITED)
    m[entry + at.WAITED_PARTICIPANT], m[entry + at.WAITED_EXCHANGE] = participant, exchange
    m[entry + at.WAITED_LAST] = last
    s[entry + at.WAITED_START_S], s[entry + at.WAITED_END_S] = since_s, s[at.NOW_S]
