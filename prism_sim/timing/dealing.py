"""Who serves which of the requests that come back to back, where each can be served in several ways?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from prism_sim.timing.media.base import Carrier, Network
from prism_sim.timing.timeline import Timeline

MOST_DEALT = 32  # requests of a round, or twice as many as there are ways: the longer, the nearer to any ratio of paces
SAME = 1e-9  # relative: rounding of times


def deal(timelines: Sequence[Timeline], network: Network) -> tuple[int, ...]:
    """The ways that the requests of a round take, as indices in `timelines`, which show one request served each way.

    Each request goes where it ends first, if every processor and every carrier of bytes does what it has been dealt in
    turn. Of such rounds of up to `MOST_DEALT` requests, that which serves most for what the busiest of them has to do;
    of equals the shortest. Each way once, if none takes any time.
    """
    loads = [_load_s(timeline, network) for timeline in timelines]
    dealt_s: defaultdict[Carrier, float] = defaultdict(float)
    order: list[int] = []
    best, best_per_s = len(loads), 0.0
    while len(order) < max(MOST_DEALT, 2 * len(loads)):
        ends_s = [max((dealt_s[one] + seconds for one, seconds in load.items()), default=0.0) for load in loads]
        order.append(ends_s.index(min(ends_s)))
        for one, seconds in loads[order[-1]].items():
            dealt_s[one] += seconds
        busiest_s = max(dealt_s.values(), default=0.0)
        if not busiest_s:
            return tuple(range(len(loads)))
        if len(order) / busiest_s > best_per_s * (1 + SAME):
            best, best_per_s = len(order), len(order) / busiest_s
    return tuple(order[:best])


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
