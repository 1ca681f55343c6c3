"""How far the exchanges of a run have come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from simpy import Event

from prism_sim.plan import Exchange, Plan, Start
from prism_sim.timing.media.base import Flight
from prism_sim.timing.prepared import PreparedExchange
from prism_sim.timing.rig import Rig


class ExchangeState:
    """One exchange of one request.

    remaining: messages still to arrive, per participant.  last: the latest to arrive, per participant.
    blockers: what each message still waits for.  transmissions: the flights on which riders ride.
    """

    __slots__ = (
        "blockers",
        "copied_in",
        "exchange",
        "last",
        "prepared",
        "remaining",
        "started",
        "transmissions",
        "waiters",
    )

    def __init__(self, exchange: int, prepared: PreparedExchange) -> None:
        self.exchange = exchange
        self.prepared = prepared
        self.remaining = prepared.incoming.copy()
        self.blockers = prepared.blockers.copy()
        self.last: dict[int, Flight] = {}
        self.started: set[int] = set()
        self.copied_in: set[int] = set()
        self.waiters: dict[int, Event] = {}
        self.transmissions: dict[int, Flight] = {}


class Exchanges:
    """The state of every exchange, made when it is first touched; exchanges of one shape share their preparation.

    algorithm_of: by which algorithm an exchange becomes messages.
    """

    def __init__(self, plan: Plan, rig: Rig, algorithm_of: Callable[[Exchange], str]) -> None:
        self.plan, self.rig, self.algorithm_of = plan, rig, algorithm_of
        self.states: dict[tuple[int, int], ExchangeState] = {}
        self.prepared: dict[object, PreparedExchange] = {}

    def __call__(self, request: int, number: int) -> ExchangeState:
        """The plan's exchange `number` in a request."""
        state = self.states.get((request, number))
        if state is None:
            prepared = self._prepare(self.plan.exchanges[number])
            state = self.states[request, number] = ExchangeState(number, prepared)
            for participant, forwards in prepared.forwards.items():
                if (participant, number) in self.starters:  # who takes part sends on only once it has begun itself
                    for forward in forwards:
                        state.blockers[forward] += 1
        return state

    def forget(self, request: int) -> None:
        """Nothing of this request is under way any more."""
        for number in range(len(self.plan.exchanges)):
            self.states.pop((request, number), None)

    @cached_property
    def starters(self) -> set[tuple[int, int]]:
        """Who starts which exchange."""
        programs = enumerate(self.plan.programs)
        return {(who, step.exchange) for who, program in programs for step in program if isinstance(step, Start)}

    def _prepare(self, exchange: Exchange) -> PreparedExchange:
        shape = (exchange.kind, exchange.group, exchange.bytes_by_rank, exchange.root)
        prepared = self.prepared.get(shape)
        if prepared is None:
            prepared = PreparedExchange(exchange, self.algorithm_of(exchange), self.rig.devices, self.rig.device_of)
            self.prepared[shape] = prepared
        return prepared
