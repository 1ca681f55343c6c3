"""By which algorithm an exchange becomes messages: the network's or, where that says `quickest`, the quickest for it.

Played alone, every member beginning at 0 s, an exchange takes one algorithm this long and another that long, copies and
message overhead included; which is least turns on its kind, its bytes, its members and the network between them. So a
long latency lets small sums go along a tree while large ones go round a ring. What else is under way when it begins in
a run, and who comes late to it, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from math import inf

from prism_sim.devices import Device
from prism_sim.plan import Exchange, ExchangeId, Plan, Start, Wait, participants, shapes_of
from prism_sim.timing.collectives import ALGORITHMS, COLLECTIVES, QUICKEST, Message, lower, ways_of
from prism_sim.timing.engines import is_worth_compiled
from prism_sim.timing.media.base import Network
from prism_sim.timing.plain.engine import Engine
from prism_sim.timing.rig import Rig

ALONE = ExchangeId(0)  # the exchange of a plan that has no other
DIRECT = "direct"  # what every kind of exchange can do
TIE = 1e-12  # relative; a smaller difference is rounding, and the first in the order of `ALGORITHMS` is taken


def algorithms_of(plan: Plan, devices: Sequence[Device], device_of: Sequence[int], network: Network) -> tuple[str, ...]:
    """Of each exchange of the plan, in its order, as `simulate` plays it on the same hardware."""
    rig = Rig.of(devices, device_of, network)
    if is_worth_compiled(plan, network):
        from prism_sim.timing import compiled  # loads numba

        with suppress(compiled.CannotEndError):
            return compiled.algorithms(plan, rig)
    return algorithms_plainly(plan, rig)


def algorithms_plainly(plan: Plan, rig: Rig) -> tuple[str, ...]:
    """By the plain engine."""
    shapes, numbers = shapes_of(plan.exchanges)
    found = [algorithm_of(rig, shape) for shape in shapes]
    return tuple(found[number] for number in numbers)


def algorithm_of(rig: Rig, exchange: Exchange) -> str:
    """One of `ALGORITHMS`; direct, where the network's has no way of its own for such an exchange."""
    collective = rig.network.collective
    if collective != QUICKEST:
        return collective if exchange.kind in ALGORITHMS[collective] else DIRECT
    return _quickest(rig, replace(exchange, label="")) if _has_ways(rig, exchange) else DIRECT


def ways_for(rig: Rig, exchange: Exchange) -> tuple[str, ...]:
    """Those that it may take, of which the quickest is chosen; the first in the order of `ALGORITHMS` of equals."""
    if rig.network.collective != QUICKEST:
        return (algorithm_of(rig, exchange),)
    if not _has_ways(rig, exchange):
        return (DIRECT,)
    return tuple(way for way in ways_of(exchange.kind) if way != "broadcast" or rig.network.reaches_all)


def _has_ways(rig: Rig, exchange: Exchange) -> bool:
    """Between two there is one way to go, and on one device none is needed."""
    on = {rig.device_of[member] for member in exchange.group}
    return exchange.kind in COLLECTIVES and len(exchange.group) > 2 and len(on) > 1


@lru_cache(maxsize=1024)  # runs, streams and searches on the same hardware meet the same shapes again and again
def _quickest(rig: Rig, exchange: Exchange) -> str:
    best, best_s = DIRECT, inf
    known: list[tuple[Message, ...]] = []
    for algorithm in ways_for(rig, exchange):
        messages = lower(exchange, algorithm)
        if messages not in known:
            known.append(messages)
            if (alone_s := _alone_s(rig, exchange, algorithm)) < best_s * (1 - TIE):
                best, best_s = algorithm, alone_s
    return best


def _alone_s(rig: Rig, exchange: Exchange, algorithm: str) -> float:
    """From the begin, common to all its members, until the last of them has what is due to it."""
    n_ranks = len(rig.device_of) - 1
    programs = tuple((Start(ALONE), Wait(ALONE)) if one in exchange.group else () for one in participants(n_ranks))
    nothing = (0,) * len(programs)
    run = Engine(Plan(n_ranks, programs, (exchange,), nothing, nothing), rig, lambda _: algorithm, False)
    run.once()
    return max(end_s for end_s, _ in run.ends)
