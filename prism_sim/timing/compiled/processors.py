"""One processor a device, first come, first served: `plain.processors`, hosts that feed accelerators included."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats


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
        s[entry + at.HOLD_START_S] = start_s
        s[entry + at.HOLD_END_S] = end_s
        m[entry + at.HOLD_CAUSE] = cause
        s[entry + at.HOLD_LAUNCH_S] = launch_s
    if m[rec(m, at.HOSTS, device, at.HOST) + at.HOST_IS_FED] and kind != at.COMPUTING:
        s[processor + at.PROCESSOR_HOST_FREE_S] = max(s[processor + at.PROCESSOR_HOST_FREE_S], end_s)
        if kind == at.STAGING:
            s[processor + at.PROCESSOR_RESTART_S] = s[rec(m, at.HOSTS, device, at.HOST) + at.HOST_RESTART_S]
    return float(end_s)


@inner
def compute(m: Cells, s: Floats, participant: int, step: int, cause: int) -> tuple[float, int]:
    """`Processors.compute`: its end, and what that is bound to."""
    device, now_s = m[m[at.DEVICE_OF] + participant], s[at.NOW_S]
    cost = rec(m, at.COSTS, m[rec(m, at.STEPS, step, at.STEP) + at.STEP_SUBJECT] * m[at.N_DEVICES] + device, at.COST)
    host = rec(m, at.HOSTS, device, at.HOST)
    processor = rec(m, at.PROCESSORS, device, at.PROCESSOR)
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
