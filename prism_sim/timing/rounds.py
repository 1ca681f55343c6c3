"""Several plans played side by side as one: a round of requests, one of each plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prism_sim.plan import Compute, Exchange, ExchangeId, Plan, Start, Step, Wait

Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """plan: all exchanges, and each participant's programs one after another.

    terminals: the terminal's program of each request, in the numbers of `plan`; it waits for several answers at a time.
    """

    plan: Plan
    terminals: tuple[Steps, ...]

    @staticmethod
    def of(plans: Sequence[Plan]) -> Round:
        """Raises ValueError unless there are plans, all for as many ranks."""
        if len({plan.n_ranks for plan in plans}) != 1:
            raise ValueError(f"plans for {[plan.n_ranks for plan in plans]} ranks make no round: all must have as many")
        if len(plans) == 1:
            return Round(plans[0], (plans[0].programs[-1],))
        exchanges: list[Exchange] = []
        requests = []  # of each, the programs of all participants
        for plan in plans:
            requests.append([_numbered_from(len(exchanges), program) for program in plan.programs])
            exchanges += plan.exchanges
        joined = Plan(
            n_ranks=plans[0].n_ranks,
            programs=tuple(tuple(step for program in own for step in program) for own in zip(*requests, strict=True)),
            exchanges=tuple(exchanges),
            weight_bytes=_most(plan.weight_bytes for plan in plans),
            activation_bytes=_most(plan.activation_bytes for plan in plans),
        )
        return Round(joined, tuple(programs[-1] for programs in requests))


def _numbered_from(first: int, program: Steps) -> Steps:
    """The steps, if their plan's exchanges have the numbers from `first` on."""
    return tuple(step if isinstance(step, Compute) else _moved(step, first) for step in program)


def _moved(step: Start | Wait, first: int) -> Step:
    return type(step)(ExchangeId(step.exchange + first))


def _most(sizes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Of each participant, the largest."""
    return tuple(map(max, zip(*sizes, strict=True)))
