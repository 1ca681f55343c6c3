"""Who serves which of the requests that come back to back, where each can be served in several ways?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    loads = [load_s(timeline, network) for timeline in timelines]
    best, round_s = _best_round(loads)
    if not round_s:
        return Deal(best, 3, math.inf)
    fed = {("processor", number) for number, device in enumerate(devices) if device.is_fed}
    used = {one for load in loads for one in load}
    sure_s = max((sum(loads[way].get(one, 0.0) for way in best) for one in used if one not in fed), default=0.0)
    in_flight = _in_flight([timelines[way] for way in set(best)], round_s, len(best))
    return Deal(best, in_flight, len(best) / sure_s if sure_s else math.inf)


def served_per_s(latencies_s: Sequence[float], loads: Sequence[Mapping[Carrier, float]]) -> float:
    """Requests a second by ways that each serve one at a time, the next as soon as the last is answered.

    latencies_s: of a request by each way. loads: what it asks of each processor and carrier. Ways serve as if alone,
    unless what they share has too much to do: then as many as that can do in the best round.
    """
    paces_per_s = [1 / seconds for seconds in latencies_s]
    used = {one for load in loads for one in load}
    parts = [sum(pace * load.get(one, 0.0) for pace, load in zip(paces_per_s, loads, strict=True)) for one in used]
    if max(parts, default=0.0) <= 1 + SAME:
        return sum(paces_per_s)
    each = [{**load, ("way", way): latencies_s[way]} for way, load in enumerate(loads)]
    best, round_s = _best_round(each)
    return len(best) / round_s


def _best_round(loads: Sequence[Mapping[Carrier, float]]) -> tuple[tuple[int, ...], float]:
    """The ways of a round, as `deal` chooses them, and how long its busiest processor or carrier has to do for it."""
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
            return tuple(range(len(loads))), 0.0
        if busiest_s * n_best * (1 + SAME) < round_s * len(order):
            n_best, round_s = len(order), busiest_s
    return tuple(order[:n_best]), round_s


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


def load_s(timeline: Timeline, network: Network) -> dict[Carrier, float]:
    """Seconds for which a request keeps each processor and each carrier busy; none that it leaves alone."""
    found: defaultdict[Carrier, float] = defaultdict(float)
    for device, busy_s in enumerate(timeline.busy_s):
        found["processor", device] += busy_s
    for flight in timeline.log.flights:
        if flight.source_device != flight.destination_device:
            for carrier, seconds in network.occupied_s(flight).items():
                found[carrier] += seconds
    return {one: seconds for one, seconds in found.items() if seconds}
