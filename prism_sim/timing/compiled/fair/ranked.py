"""A heap of items by a key; of equal keys, the smaller item first."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats


@inner
def rank(m: Cells, s: Floats, key: float, item: int) -> None:
    place = m[at.N_RANKED]
    m[at.N_RANKED] += 1
    while place:
        above = (place - 1) >> 1
        entry = rec(m, at.RANKED, above, at.RANK)
        if s[entry + at.RANKED_KEY] < key or (s[entry + at.RANKED_KEY] == key and m[entry + at.RANKED_ITEM] < item):
            break
        _put(m, s, place, s[entry + at.RANKED_KEY], m[entry + at.RANKED_ITEM])
        place = above
    _put(m, s, place, key, item)


@inner
def lowest_key(m: Cells, s: Floats) -> float:
    return float(s[m[at.RANKED] + at.RANKED_KEY])


@inner
def take_lowest(m: Cells, s: Floats) -> int:
    """Its item; the heap must have one."""
    found = m[m[at.RANKED] + at.RANKED_ITEM]
    m[at.N_RANKED] -= 1
    n, place = m[at.N_RANKED], 0
    last = rec(m, at.RANKED, n, at.RANK)
    key, item = s[last + at.RANKED_KEY], m[last + at.RANKED_ITEM]
    while 2 * place + 1 < n:
        below = 2 * place + 1
        if below + 1 < n and _is_before(m, s, below + 1, below):
            below += 1
        entry = rec(m, at.RANKED, below, at.RANK)
        if s[entry + at.RANKED_KEY] > key or (s[entry + at.RANKED_KEY] == key and m[entry + at.RANKED_ITEM] > item):
            break
        _put(m, s, place, s[entry + at.RANKED_KEY], m[entry + at.RANKED_ITEM])
        place = below
    _put(m, s, place, key, item)
    return int(found)


@inner
def _put(m: Cells, s: Floats, place: int, key: float, item: int) -> None:
    entry = rec(m, at.RANKED, place, at.RANK)
    s[entry + at.RANKED_KEY], m[entry + at.RANKED_ITEM] = key, item


@inner
def _is_before(m: Cells, s: Floats, one: int, other: int) -> bool:
    one, other = rec(m, at.RANKED, one, at.RANK), rec(m, at.RANKED, other, at.RANK)
    if s[one + at.RANKED_KEY] != s[other + at.RANKED_KEY]:
        return bool(s[one + at.RANKED_KEY] < s[other + at.RANKED_KEY])
    return bool(m[one + at.RANKED_ITEM] < m[other + at.RANKED_ITEM])
