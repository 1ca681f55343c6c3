"""The steps after a prompt: a few are played, and the rest follow, since a step's time is nearly affine in its past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from operator import add

from prism_sim import timing
from prism_sim.plan import Plan
from prism_sim.plugins import remembered
from prism_sim.shapes.interpreter import cache_bytes, predict
from prism_sim.shapes.job import Job

Figures = Callable[[timing.Timeline], Iterable[float]]  # some of a timeline's, always as many

NEAR = 1e-4  # relative; where the step in the middle is as near to the line between both ends, all others are too


@dataclass(frozen=True, slots=True)
class Moment:
    """A step that was played. past: tokens before its own. weight: the steps that it stands for."""

    past: int
    plan: Plan
    timeline: timing.Timeline
    weight: float


@dataclass(frozen=True)
class Decoding:
    """All steps of one request: new tokens 2 .. n, the first being the prompt's. moments: in order, at least one."""

    n_steps: int
    moments: tuple[Moment, ...]

    @property
    def total_s(self) -> float:
        return self.sum(lambda timeline: (timeline.latency_s,))[0]

    @property
    def tpot_s(self) -> float:
        """Time per output token: the mean of all but the first."""
        return self.total_s / self.n_steps

    @cached_property
    def breakdown_s(self) -> dict[str, float]:
        """Of all steps' critical paths; the parts sum to `total_s`."""
        parts = list(self.moments[0].timeline.breakdown_s)
        return dict(zip(parts, self.sum(lambda timeline: timeline.breakdown_s.values()), strict=True))

    def sum(self, figures: Figures) -> tuple[float, ...]:
        """Of these figures of a timeline, over all steps."""
        rows = [(moment.weight, tuple(figures(moment.timeline))) for moment in self.moments]
        return tuple(sum(weight * row[column] for weight, row in rows) for column in range(len(rows[0][1])))

    @property
    def middle(self) -> Moment:
        """The step that stands for most others, to show what a token's time is made of."""
        return max(self.moments, key=lambda moment: moment.weight)


def decoding(
    prompt: Job, devices: Sequence[timing.Device], device_of: Sequence[int], network: timing.Network
) -> Decoding:
    """The steps, one at least, of the request whose prompt this is, each beginning when its token is known."""
    played: dict[int, tuple[Plan, timing.Timeline]] = {}

    def step(past: int) -> tuple[Plan, timing.Timeline]:
        if past not in played:
            plan = predict(prompt.step(past))
            played[past] = plan, timing.play_once(plan, devices, device_of, network)
        return played[past]

    def seconds(past: int) -> float:
        return step(past)[1].latency_s

    pasts = prompt.step_pasts
    weights = affine_weights(nodes(pasts[0], pasts[-1], seconds))
    return Decoding(len(pasts), tuple(Moment(past, *step(past), weight) for past, weight in weights.items()))


def over_request(of_pass: timing.Timeline, after: Decoding | None, figures: Figures) -> tuple[float, ...]:
    """These figures of a pass and of the steps that follow it, if some do."""
    found = tuple(figures(of_pass))
    return found if after is None else tuple(map(add, found, after.sum(figures)))


def nodes(first: int, last: int, value: Callable[[int], float]) -> list[int]:
    """Whole numbers from first to last between which `value` is nearly affine: both ends, and what lies between."""
    if last - first < 2:
        return sorted({first, last})
    middle = (first + last) // 2
    share = (middle - first) / (last - first)
    expected = value(first) * (1 - share) + value(last) * share
    if abs(value(middle) - expected) <= NEAR * value(middle):
        return [first, middle, last]
    return [*nodes(first, middle, value), *nodes(middle, last, value)[1:]]


def affine_weights(pasts: Sequence[int]) -> dict[int, float]:
    """How many whole numbers from the first to the last each node stands for, where all between two lie on a line."""
    weights = dict.fromkeys(pasts, 0.0)
    weights[pasts[0]] += 1
    for low, high in pairwise(pasts):
        steps = high - low  # those after low, high included
        weights[high] += (steps + 1) / 2
        weights[low] += (steps - 1) / 2
    return weights


def decoded_cache_bytes(prompt: Job) -> tuple[int, ...]:
    """Per participant: keys and values when the last step has run."""
    pasts = prompt.step_pasts
    return cache_bytes(prompt.step(pasts[-1]) if pasts else prompt)


@remembered(maxsize=512)
def request_plan(job: Job) -> Plan:
    """The Plan of the pass over the prompt, its memory that of the whole request: caches are largest at the last step.

    Of a job that generates nothing, its Plan.
    """
    plan = predict(job)
    if not job.step_pasts:
        return plan
    last = predict(job.step(job.step_pasts[-1]))
    return Plan(
        plan.n_ranks,
        plan.programs,
        plan.exchanges,
        tuple(map(max, plan.weight_bytes, last.weight_bytes)),
        tuple(map(max, plan.activation_bytes, last.activation_bytes)),
    )
