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
    place, events = m[at.N_EVENTS], m[at.EVENTS]
    if place == m[at.MOST_EVENTS]:
        m[at.FAILURE] = at.TOO_SMALL
        return
    m[at.N_EVENTS] = place + 1
    here = events + place * at.EVENT
    while place:
        place = (place - 1) >> 1
        above = events + place * at.EVENT
        if s[above + at.EVENT_AT_S] < at_s or (s[above + at.EVENT_AT_S] == at_s and m[above + at.EVENT_ORDER] < order):
            break
        _move(m, s, above, here)
        here = above
    s[here + at.EVENT_AT_S] = at_s
    m[here + at.EVENT_ORDER], m[here + at.EVENT_WHAT] = order, who << at.KIND_BITS | kind
    m[at.N_ORDERED] += 1


@inner
def pop(m: Cells, s: Floats) -> tuple[int, int]:
    """Sets the clock to the next event; its kind, and whose it is."""
    here, place = m[at.EVENTS], 0
    s[at.NOW_S], what = s[here + at.EVENT_AT_S], m[here + at.EVENT_WHAT]
    n_left = m[at.N_EVENTS] - 1
    m[at.N_EVENTS] = n_left
    last = here + n_left * at.EVENT
    last_s, last_order = s[last + at.EVENT_AT_S], m[last + at.EVENT_ORDER]
    below = here + at.EVENT
    while 2 * place + 1 < n_left:
        place = 2 * place + 1
        other = below + at.EVENT
        if place + 1 < n_left and _is_before(m, s, other, s[below + at.EVENT_AT_S], m[below + at.EVENT_ORDER]):
            place, below = place + 1, other
        if not _is_before(m, s, below, last_s, last_order):
            break
        _move(m, s, below, here)
        here, below = below, below + (place + 1) * at.EVENT
    _move(m, s, last, here)
    return int(what) & (2**at.KIND_BITS - 1), int(what) >> at.KIND_BITS


@inner
def _is_before(m: Cells, s: Floats, event: int, at_s: float, order: int) -> bool:
    """Whether it comes before one at this time, in this order."""
    event_s = s[event + at.EVENT_AT_S]
    return bool(event_s < at_s or (event_s == at_s and m[event + at.EVENT_ORDER] < order))


@inner
def _move(m: Cells, s: Floats, source: int, destination: int) -> None:
    m[destination + at.EVENT_ORDER] = m[source + at.EVENT_ORDER]
    m[destination + at.EVENT_WHAT] = m[source + at.EVENT_WHAT]
    s[destination + at.EVENT_AT_S] = s[source + at.EVENT_AT_S]
