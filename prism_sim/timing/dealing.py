"""Who serves which of the requests that come back to back, where each can be served in several ways?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.media.base import Carrier, Network
from prism_sim.timing.once import play_once
from prism_sim.timing.stream import play_stream
from prism_sim.timing.timeline import Timeline

MOST_DEALT = 32  # requests of a round, or twice as many as there are ways: the longer, the nearer to any ratio of paces
MOST_UNDER_WAY = 512  # requests, of which all are played at least once
SAME = 1e-9  # relative: rounding of times


@dataclass(frozen=True, slots=True)
class Deal:
    """order: the way that each request of a round takes. in_flight: rounds, so that nobody waits for the next one.

    most_per_s: requests, in the long run: what the busiest carrier or processor can do. A processor that a host feeds
    does not count: the host may run ahead from one request to the next, so that it needs less than for one alone.
    """

    order: tuple[int, ...]
    in_flight: int
    most_per_s: float


def deal(timelines: Sequence[Timeline], network: Network, devices: Sequence[Device]) -> Deal:
    """A round of requests over the ways that `timelines` show, by their indices: one request served each way.

    Each request goes where it ends first, if every processor and every carrier of bytes does what it has been dealt in
    turn. Of such rounds of up to `MOST_DEALT` requests, that which serves most for what the busiest of them has to do;
    of equals the shortest. Each way once, if none takes any time.
    """
    loads = [_load_s(timeline, network) for timeline in timelines]
    dealt_s: defaultdict[Carrier, float] = defaultdict(float)
    order: list[int] = []
    n_best, round_s = len(loads), math.inf
    while len(order) < max(MOST_DEALT, 2 * len(loads)):
        ends_s = [max((dealt_s[one] + seconds for one, seconds in load.items()), default=0.0) for load in loads]
        order.append(ends_s.index(min(ends_s)))
        for one, seconds in loads[order[-1]].items():
            dealt_s[one] += seconds
        busiest_s = max(dealt_s.values(), default=0.0)
        if not busiest_s:
            return Deal(tuple(range(len(loads))), 3, math.inf)
        if busiest_s * n_best * (1 + SAME) < round_s * len(order):
            n_best, round_s = len(order), busiest_s
    best = tuple(order[:n_best])
    fed = {("processor", number) for number, device in enumerate(devices) if device.is_fed}
    sure_s = max((sum(loads[way].get(one, 0.0) for way in best) for one in dealt_s if one not in fed), default=0.0)
    in_flight = _in_flight([timelines[way] for way in set(best)], round_s, n_best)
    return Deal(best, in_flight, n_best / sure_s if sure_s else math.inf)


def dealt_per_s(turns: Sequence[Plan], devices: Sequence[Device], device_of: Sequence[int], network: Network) -> float:
    """The throughput of requests that `deal` gives to these plans, by each of which one is served."""
    where = devices, device_of, network
    dealt = deal([play_once(plan, *where) for plan in turns], network, devices)
    played = play_stream([turns[way] for way in dealt.order], *where, in_flight=dealt.in_flight)
    # a rank that is ahead while the others fill may let requests end faster, for a time, than it can begin them
    return min(played.throughput_per_s, dealt.most_per_s)


def _in_flight(timelines: Sequence[Timeline], round_s: float, n_requests: int) -> int:
    """As many rounds as pass while the slowest answer is on its way, one that begins and one that ends."""
    slowest_s, most = max(timeline.latency_s for timeline in timelines), max(3, MOST_UNDER_WAY // n_requests)
    return min(2 + math.ceil(slowest_s / round_s - SAME), most) if slowest_s < most * round_s else most


def _load_s(timeline: Timeline, network: Network) -> dict[Carrier, float]:
    """Seconds for which a request keeps each processor and each carrier busy; none that it leaves alone."""
    found: defaultdict[Carrier, float] = defaultdict(float)
    for device, busy_s in enumerate(timeline.busy_s):
        found["processor", device] += busy_s
    for flight in timeline.log.flights:
        if flight.source_device != flight.destination_device:
            for carrier, seconds in network.occupied_s(flight).items():
                found[carrier] += seconds
    return {one: seconds for one, seconds in found.items() if seconds}
