"""The clock of compiled runs: a heap of events, of which those at the same time come in the order of their making."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats

LAST = 2**61  # added to the order of an event


@inner
def rec(m: Cells, section: int, number: int, n_cells: int) -> int:
    """Where a record of a section begins."""
    return int(m[section] + number * n_cells)


@inner
def push(m: Cells, s: Floats, at_s: float, kind: int, who: int) -> None:
    """An event to come; of equal times, what was pushed first comes first."""
    _enter(m, s, at_s, m[at.N_ORDERED], kind, who)


@inner
def push_last(m: Cells, s: Floats, kind: int) -> None:
    """An event at this moment, after all others at it."""
    _enter(m, s, s[at.NOW_S], LAST + m[at.N_ORDERED], kind, 0)


@inner
def _enter(m: Cells, s: Floats, at_s: float, order: int, kind: int, who: int) -> None:
    place = m[at.N_EVENTS]
    if place == m[at.MOST_EVENTS]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    m[at.N_EVENTS] += 1
    here = rec(m, at.EVENTS, place, at.EVENT)
    while place:
        place = (place - 1) >> 1
        above = rec(m, at.EVENTS, place, at.EVENT)
        if s[above + at.EVENT_AT_S] < at_s or (s[above + at.EVENT_AT_S] == at_s and m[above + at.EVENT_ORDER] < order):
            break
        _move(m, above, here)
        here = above
    s[here + at.EVENT_AT_S] = at_s
    m[here + at.EVENT_ORDER], m[here + at.EVENT_KIND], m[here + at.EVENT_WHO] = order, kind, who
    m[at.N_ORDERED] += 1


@inner
def pop(m: Cells, s: Floats) -> tuple[int, int]:
    """Sets the clock to the next event; its kind, and whose it is."""
    here, place = m[at.EVENTS], 0
    s[at.NOW_S], kind, who = s[here + at.EVENT_AT_S], m[here + at.EVENT_KIND], m[here + at.EVENT_WHO]
    m[at.N_EVENTS] -= 1
    n_left = m[at.N_EVENTS]
    last = rec(m, at.EVENTS, n_left, at.EVENT)
    while 2 * place + 1 < n_left:
        place = 2 * place + 1
        below = rec(m, at.EVENTS, place, at.EVENT)
        if place + 1 < n_left and _is_before(m, s, below + at.EVENT, below):
            place, below = place + 1, below + at.EVENT
        if not _is_before(m, s, below, last):
            break
        _move(m, below, here)
        here = below
    _move(m, last, here)
    return kind, who


@inner
def _is_before(m: Cells, s: Floats, one: int, other: int) -> bool:
    if s[one + at.EVENT_AT_S] != s[other + at.EVENT_AT_S]:
        return bool(s[one + at.EVENT_AT_S] < s[other + at.EVENT_AT_S])
    return bool(m[one + at.EVENT_ORDER] < m[other + at.EVENT_ORDER])


@inner
def _move(m: Cells, source: int, destination: int) -> None:
    for field in range(at.EVENT):
        m[destination + field] = m[source + field]
