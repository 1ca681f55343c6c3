"""Busy connections as a heap: whose first message ends next, and of those at the same time, who became busy first."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats


@inner
def enter(m: Cells, s: Floats, way: int) -> None:
    """A connection that is in no calendar, with its end."""
    place = m[at.N_BUSY]
    m[at.N_BUSY] += 1
    _put(m, place, way)
    _rise(m, s, place)


@inner
def leave_first(m: Cells, s: Floats) -> int:
    """The connection that ends next is in the calendar no more."""
    way = m[m[at.CALENDAR]]
    m[at.N_BUSY] -= 1
    if m[at.N_BUSY]:
        _put(m, 0, m[m[at.CALENDAR] + m[at.N_BUSY]])
        _sink(m, s, 0)
    return int(way)


@inner
def move(m: Cells, s: Floats, way: int) -> None:
    """Its end has changed."""
    place = m[rec(m, at.CONNECTIONS, way, at.CONNECTION) + at.CONNECTION_PLACE]
    _rise(m, s, place)
    _sink(m, s, place)


@inner
def put_in_order(m: Cells, s: Floats) -> None:
    """Many ends have changed."""
    for place in range(m[at.N_BUSY] // 2 - 1, -1, -1):
        _sink(m, s, place)


@inner
def _put(m: Cells, place: int, way: int) -> None:
    m[m[at.CALENDAR] + place] = way
    m[rec(m, at.CONNECTIONS, way, at.CONNECTION) + at.CONNECTION_PLACE] = place


@inner
def _rise(m: Cells, s: Floats, place: int) -> None:
    way = m[m[at.CALENDAR] + place]
    while place:
        above = m[m[at.CALENDAR] + ((place - 1) >> 1)]
        if not _is_before(m, s, way, above):
            break
        _put(m, place, above)
        place = (place - 1) >> 1
    _put(m, place, way)


@inner
def _sink(m: Cells, s: Floats, place: int) -> None:
    way = m[m[at.CALENDAR] + place]
    while 2 * place + 1 < m[at.N_BUSY]:
        below = 2 * place + 1
        if below + 1 < m[at.N_BUSY] and _is_before(m, s, m[m[at.CALENDAR] + below + 1], m[m[at.CALENDAR] + below]):
            below += 1
        if not _is_before(m, s, m[m[at.CALENDAR] + below], way):
            break
        _put(m, place, m[m[at.CALENDAR] + below])
        place = below
    _put(m, place, way)


@inner
def _is_before(m: Cells, s: Floats, one: int, other: int) -> bool:
    one, other = rec(m, at.CONNECTIONS, one, at.CONNECTION), rec(m, at.CONNECTIONS, other, at.CONNECTION)
    if s[one + at.CONNECTION_END_S] != s[other + at.CONNECTION_END_S]:
        return bool(s[one + at.CONNECTION_END_S] < s[other + at.CONNECTION_END_S])
    return bool(m[one + at.CONNECTION_BEGUN] < m[other + at.CONNECTION_BEGUN])
