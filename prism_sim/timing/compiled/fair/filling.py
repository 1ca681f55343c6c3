"""Rates of connections that shared gates tie together: `media.max_min`, and what each would have without others."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.clock import rec
from prism_sim.timing.compiled.fair.calendar import move, put_in_order
from prism_sim.timing.compiled.fair.connections import far_gate, flow, way_through
from prism_sim.timing.compiled.fair.ranked import lowest_key, rank, take_lowest
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.media.max_min import SAME_SHARE

MANY = 8  # a part of all busy connections, one in so many: then their ends are put in order at once


@inner
def share_anew(m: Cells, s: Floats) -> None:
    """Of all connections that touched gates tie together."""
    m[at.LATEST_TIED] += 1
    for place in range(m[at.N_TOUCHED]):
        gate = m[m[at.TOUCHED] + place]
        state = rec(m, at.GATES, gate, at.GATE)
        m[state + at.GATE_IS_TOUCHED] = 0
        if m[state + at.GATE_SEEN] != m[at.LATEST_TIED] and m[state + at.GATE_N_BUSY]:
            _tie(m, s, gate)
            _fill(m, s)
            _let_flow(m, s)
    m[at.N_TOUCHED] = 0


@inner
def _tie(m: Cells, s: Floats, first: int) -> None:
    """Writes down the gates, each with all its connections still growing."""
    m[m[at.TIED]], m[at.N_TIED], place = first, 1, 0
    m[rec(m, at.GATES, first, at.GATE) + at.GATE_SEEN] = m[at.LATEST_TIED]
    while place < m[at.N_TIED]:
        gate = m[m[at.TIED] + place]
        state = rec(m, at.GATES, gate, at.GATE)
        s[state + at.GATE_LEFT], n = s[state + at.GATE_CAPACITY], m[state + at.GATE_N_BUSY]
        m[state + at.GATE_N_GROWING] = n
        rank(m, s, s[state + at.GATE_LEFT] / n, gate)
        number = 0
        while number < n and m[at.N_TIED] < m[at.N_BUSY_GATES]:
            other = far_gate(m, gate, way_through(m, gate, number))
            number += 1
            seen = rec(m, at.GATES, other, at.GATE) + at.GATE_SEEN
            if m[seen] != m[at.LATEST_TIED]:
                m[seen] = m[at.LATEST_TIED]
                m[m[at.TIED] + m[at.N_TIED]] = other
                m[at.N_TIED] += 1
        place += 1


@inner
def _fill(m: Cells, s: Floats) -> None:
    """`max_min_rates`."""
    while m[at.N_RANKED]:
        n_full, lowest, full = 0, 0.0, m[at.FULL]
        while m[at.N_RANKED] and (not n_full or lowest_key(m, s) <= lowest * SAME_SHARE):
            known, gate = lowest_key(m, s), take_lowest(m, s)
            state = rec(m, at.GATES, gate, at.GATE)
            if not m[state + at.GATE_N_GROWING]:
                continue
            share = s[state + at.GATE_LEFT] / m[state + at.GATE_N_GROWING]
            if share == known if not n_full else share <= lowest * SAME_SHARE:
                lowest = lowest if n_full else share
                m[full + n_full] = gate
                n_full += 1
            else:
                rank(m, s, share, gate)
        for place in range(n_full):
            _keep(m, s, m[full + place], lowest)


@inner
def _keep(m: Cells, s: Floats, gate: int, rate: float) -> None:
    """The gate is full at this rate, which those of its connections keep that still grew."""
    state = rec(m, at.GATES, gate, at.GATE)
    for number in range(m[state + at.GATE_N_BUSY]):
        way = way_through(m, gate, number)
        connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
        if s[connection + at.CONNECTION_NEW_RATE] == 0.0:
            other = rec(m, at.GATES, far_gate(m, gate, way), at.GATE)
            s[connection + at.CONNECTION_NEW_RATE] = rate
            s[state + at.GATE_LEFT] -= rate
            s[other + at.GATE_LEFT] -= rate
            m[state + at.GATE_N_GROWING] -= 1
            m[other + at.GATE_N_GROWING] -= 1


@inner
def _let_flow(m: Cells, s: Floats) -> None:
    """At the new rates; between changes those are 0."""
    n_tied = 0
    for place in range(m[at.N_TIED]):
        if m[m[at.TIED] + place] < m[at.N_DEVICES]:
            n_tied += m[rec(m, at.GATES, m[m[at.TIED] + place], at.GATE) + at.GATE_N_BUSY]
    many = n_tied > 1 and n_tied * MANY > m[at.N_BUSY]
    for place in range(m[at.N_TIED]):
        gate = m[m[at.TIED] + place]
        if gate >= m[at.N_DEVICES]:
            continue
        state = rec(m, at.GATES, gate, at.GATE)
        own = s[state + at.GATE_CAPACITY] / m[state + at.GATE_N_BUSY]
        for number in range(m[state + at.GATE_N_BUSY]):
            way = way_through(m, gate, number)
            connection = rec(m, at.CONNECTIONS, way, at.CONNECTION)
            rate, s[connection + at.CONNECTION_NEW_RATE] = s[connection + at.CONNECTION_NEW_RATE], 0.0
            alone = min(own, s[rec(m, at.GATES, far_gate(m, gate, way), at.GATE) + at.GATE_CAPACITY])
            if rate != s[connection + at.CONNECTION_RATE] or alone != s[connection + at.CONNECTION_ALONE]:
                flow(m, s, way, rate, alone)
                if not many:
                    move(m, s, way)
    if many:
        put_in_order(m, s)
