"""What it costs ranks to meet, beyond the bytes: handing over, the way, waking up, and taking what has come."""

from __future__ import annotations

from collections.abc import Iterator

from prism_sim.live.timed import mean_s
from prism_sim.plan import ExchangeId, Plan
from prism_sim.timing import Timeline

ALL_WAIT = "all_reduce"  # of these, all members bring something, and none goes on before it has all


def meeting_s(plan: Plan, timeline: Timeline) -> float:
    """The mean of a run's all-reductions, each from when its last member came until all have gone on.

    So to wait for a member is no part of it, and it is what the last one's message costs, from end to end. Raises
    ValueError for a plan without any.
    """
    found = list(meetings_s(plan, timeline))
    if not found:
        raise ValueError(f"a plan without {ALL_WAIT} does not tell what a meeting costs; choose tensor_parallel")
    return mean_s(found)


def meetings_s(plan: Plan, timeline: Timeline) -> Iterator[float]:
    """Of each all-reduction, in the order of the plan."""
    for number, exchange in enumerate(plan.exchanges):
        if exchange.kind == ALL_WAIT:
            stays = [_stay(timeline, ExchangeId(number), member) for member in exchange.group]
            yield max(end_s for _, end_s in stays) - max(begin_s for begin_s, _ in stays)


def _stay(timeline: Timeline, exchange: ExchangeId, member: int) -> tuple[float, float]:
    """From when to when a member was at it, at work or waiting."""
    spans = [
        span
        for span in timeline.spans
        if span.exchange == exchange and span.participant == member and span.message is None
    ]
    return min(span.start_s for span in spans), max(span.end_s for span in spans)
