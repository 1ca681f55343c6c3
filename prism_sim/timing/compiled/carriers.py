"""The media of `media/` as compiled code: ports in turn or shared fairly, the air, and links over several hops."""

from __future__ import annotations

from prism_sim.timing.compiled import layout as at
from prism_sim.timing.compiled.air import enter_air, last_bits_per_s, received, transmit
from prism_sim.timing.compiled.clock import push, rec
from prism_sim.timing.compiled.fair.changes import change_rates, end_flows, queue_up
from prism_sim.timing.compiled.jit import inner
from prism_sim.timing.compiled.layout import Cells, Floats
from prism_sim.timing.compiled.lines import enter_link, n_hops
from prism_sim.timing.compiled.ports import claim_downlink, enter_port


@inner
def send(m: Cells, s: Floats, number: int) -> None:
    """`Medium.post`: takes a flight that its sender is done with now."""
    if m[at.MEDIUM] == at.FIFO:
        enter_port(m, s, number)
    elif m[at.MEDIUM] == at.FAIR:
        queue_up(m, s, number)
    elif m[at.MEDIUM] == at.AIR:
        enter_air(m, s, number)
    else:
        enter_link(m, s, number)


@inner
def go_on(m: Cells, s: Floats, kind: int, number: int) -> bool:
    """Something that a medium has waited for; whether a flight has arrived by it."""
    now_s = s[at.NOW_S]
    if kind == at.ARRIVE:
        s[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_ARRIVAL_S] = now_s
        return True
    if kind == at.HEAD:
        claim_downlink(m, s, number)
    elif kind == at.CHANGE:
        change_rates(m, s)
    elif kind == at.FLOWN:
        end_flows(m, s, number)
    elif kind == at.RELAY:
        end_s = transmit(m, s, number, last_bits_per_s(m, s, number))
        push(m, s, now_s + (end_s - now_s), at.RECEIVED, number)
    elif kind == at.RECEIVED:
        received(m, s, number)
    elif m[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_HOP] == n_hops(m, s, number):
        s[rec(m, at.FLIGHTS, number, at.FLIGHT) + at.FLIGHT_ARRIVAL_S] = now_s
        return True
    else:
        enter_link(m, s, number)
    return False
