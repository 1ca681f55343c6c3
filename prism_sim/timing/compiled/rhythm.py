"""When a stream of requests repeats itself, `timing.rhythm`: moments, windows of them and leads in their sections."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.rhythm import MOST_ALIKE, TOLERANCE


@inner
def note_moment(m: Cells, s: Floats) -> None:
    if m[at.N_MOMENTS] == m[at.MOST_MOMENTS]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    s[m[at.MOMENTS] + m[at.N_MOMENTS]] = s[at.NOW_S]
    m[at.N_MOMENTS] += 1


@inner
def is_known(m: Cells, s: Floats) -> bool:
    """`Rhythm.completed`: whether what is to come is known; it is then written down."""
    _end_window(m, s)
    n_recent, n_arrived = 1, _n_arrived(m)
    while m[rec(m, at.WINDOWS, m[at.N_WINDOWS] - n_recent, at.WINDOW) + at.WINDOW_N_POSTED] > n_arrived:
        n_recent += 1
    for n_period in range(1, max(m[at.IN_FLIGHT], MOST_ALIKE) + 1):
        for n_compared in (max(n_period, n_recent), max(n_period, m[at.IN_FLIGHT])):
            if _repeats(m, s, n_period, n_compared):
                _write_down(m, s, n_period)
                return True
    return False


@inner
def _write_down(m: Cells, s: Floats, n_period: int) -> None:
    """The completions that are left, as those before them."""
    n_done = m[at.N_PLAYED] = m[at.N_DONE]
    period_s = s[at.NOW_S] - s[rec(m, at.WINDOWS, m[at.N_WINDOWS] - n_period, at.WINDOW) + at.WINDOW_AT_S]
    for number in range(n_done, m[at.N_ROUNDS]):
        done = rec(m, at.REQUESTS, number, at.REQUEST) + at.REQUEST_COMPLETION_S
        s[done] = s[done - n_period * at.REQUEST] + period_s
    m[at.N_DONE] = m[at.N_ROUNDS]


@inner
def _n_arrived(m: Cells) -> int:
    """`UnderWay.n_arrived`."""
    found = m[at.N_FLIGHTS]
    for number in range(m[at.N_RECORDS]):
        found = min(found, m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_INDEX])
    return int(found)


@inner
def _end_window(m: Cells, s: Floats) -> None:
    """Keeps of its moments those that are apart, after 0.0, and notes the leads at its end."""
    window = rec(m, at.WINDOWS, m[at.N_WINDOWS], at.WINDOW)
    begin, begin_s = m[at.MOMENTS] + m[window + at.WINDOW_FROM], s[window + at.WINDOW_AT_S]
    nearest_s, last_s, n_kept = TOLERANCE * (s[at.NOW_S] - begin_s), 0.0, 0
    for place in range(begin, m[at.MOMENTS] + m[at.N_MOMENTS]):
        moment_s = s[place] - begin_s
        if moment_s - last_s > nearest_s:
            s[begin + n_kept] = last_s = moment_s
            n_kept += 1
    m[at.N_MOMENTS] = m[window + at.WINDOW_FROM] + n_kept
    n_participants, n_done = m[at.N_PARTICIPANTS], m[at.N_DONE]
    leads = rec(m, at.LEADS, m[at.N_WINDOWS], n_participants + 1)
    for participant in range(n_participants):
        program = rec(m, at.PROGRAMS, participant, at.PROGRAM)
        n_steps = m[program + at.PROGRAM_TO] - m[program + at.PROGRAM_FROM]
        m[leads + participant] = m[m[at.N_STEPS] + participant] - n_done * n_steps
    m[leads + n_participants] = m[at.N_FLIGHTS] - n_done * m[at.N_MESSAGES]
    m[at.N_WINDOWS] += 1
    m[window + at.WINDOW + at.WINDOW_FROM] = m[at.N_MOMENTS]
    m[window + at.WINDOW + at.WINDOW_N_POSTED] = m[at.N_FLIGHTS]
    s[window + at.WINDOW + at.WINDOW_AT_S] = s[at.NOW_S]


@inner
def _repeats(m: Cells, s: Floats, n_period: int, n_compared: int) -> bool:
    """`Rhythm._repeats`."""
    n_windows = m[at.N_WINDOWS]
    if n_windows <= n_period + n_compared:  # the first request fills the pipeline
        return False
    elapsed_s = (
        s[rec(m, at.WINDOWS, n_windows, at.WINDOW) + at.WINDOW_AT_S]
        - s[rec(m, at.WINDOWS, n_windows - n_period, at.WINDOW) + at.WINDOW_AT_S]
    )
    slack_s, stands, began_among = TOLERANCE * elapsed_s, True, n_compared >= m[at.IN_FLIGHT]
    for number in range(n_windows - n_compared, n_windows):
        if not began_among and not _leads_alike(m, number, number - n_period):
            return False
        if not _are_alike(m, s, number, number - n_period, slack_s):
            return False
        stands = stands and _stand_still(m, s, number, number - n_period, slack_s)
    if stands:
        return True
    if n_windows <= 2 * n_period + n_compared:
        return False
    n_steps = -(-(m[at.N_ROUNDS] - m[at.N_DONE]) // n_period)
    for number in range(n_windows - n_compared, n_windows):
        if not began_among and not _leads_alike(m, number - n_period, number - 2 * n_period):
            return False
        if not _are_alike(m, s, number - n_period, number - 2 * n_period, slack_s):
            return False
        if not _steps_alike(m, s, number, n_period, slack_s):
            return False
        if not _keeps_order(m, s, number, n_period, n_steps, slack_s):
            return False
    return True


@inner
def _leads_alike(m: Cells, one: int, other: int) -> bool:
    n_leads = m[at.N_PARTICIPANTS] + 1
    for place in range(n_leads):
        if m[rec(m, at.LEADS, one, n_leads) + place] != m[rec(m, at.LEADS, other, n_leads) + place]:
            return False
    return True


@inner
def _are_alike(m: Cells, s: Floats, one: int, other: int, slack_s: float) -> bool:
    """Whether two windows have as many moments, and are as long."""
    now, length = _moments(m, one)
    before, length_before = _moments(m, other)
    if length != length_before:
        return False
    return length == 0 or bool(abs(s[now + length - 1] - s[before + length - 1]) <= slack_s)


@inner
def _stand_still(m: Cells, s: Floats, one: int, other: int, slack_s: float) -> bool:
    """Whether the moments of two windows are the same."""
    now, length = _moments(m, one)
    before, _ = _moments(m, other)
    most_s = 0.0
    for place in range(length):
        most_s = max(most_s, abs(s[now + place] - s[before + place]))
    return bool(most_s <= slack_s)


@inner
def _moments(m: Cells, number: int) -> tuple[int, int]:
    """Where those of a window begin, and how many there are."""
    window = rec(m, at.WINDOWS, number, at.WINDOW)
    begin = m[window + at.WINDOW_FROM]
    return m[at.MOMENTS] + begin, m[window + at.WINDOW + at.WINDOW_FROM] - begin


@inner
def _steps_alike(m: Cells, s: Floats, number: int, n_period: int, slack_s: float) -> bool:
    """Whether each moment has come as much later as the time before."""
    now, length = _moments(m, number)
    before, _ = _moments(m, number - n_period)
    earlier, _ = _moments(m, number - 2 * n_period)
    for place in range(length):
        step_s = s[before + place] - s[earlier + place]
        if abs((s[now + place] - s[before + place]) - step_s) > slack_s:
            return False
    return True


@inner
def _keeps_order(m: Cells, s: Floats, number: int, n_period: int, n_steps: int, slack_s: float) -> bool:
    """`rhythm._keeps_order`."""
    now, length = _moments(m, number)
    before, _ = _moments(m, number - n_period)
    last_s = 0.0
    for place in range(length):
        end_s = s[now + place] + n_steps * (s[now + place] - s[before + place])
        if end_s - last_s < -slack_s:
            return False
        last_s = end_s
    return True
