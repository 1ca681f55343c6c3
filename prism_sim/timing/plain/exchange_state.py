"""How far the exchanges of a run have come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from simpy import Event

from prism_sim.plan import Exchange, ExchangeId, MessageId, ParticipantId, Plan, Start
from prism_sim.timing.ids import RequestId
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

    def __init__(self, exchange: ExchangeId, prepared: PreparedExchange) -> None:
        self.exchange = exchange
        self.prepared = prepared
        self.remaining = prepared.incoming.copy()
        self.blockers = prepared.blockers.copy()
        self.last: dict[ParticipantId, Flight] = {}
        self.started: set[ParticipantId] = set()
        self.copied_in: set[ParticipantId] = set()
        self.waiters: dict[ParticipantId, Event] = {}
        self.transmissions: dict[MessageId, Flight] = {}


class Exchanges:
    """The state of every exchange, made when it is first touched; exchanges of one shape share their preparation.

    algorithm_of: by which algorithm an exchange becomes messages.
    """

    def __init__(self, plan: Plan, rig: Rig, algorithm_of: Callable[[Exchange], str]) -> None:
        self.plan, self.rig, self.algorithm_of = plan, rig, algorithm_of
        self.states: dict[tuple[RequestId, ExchangeId], ExchangeState] = {}
        self.prepared: dict[object, PreparedExchange] = {}

    def __call__(self, request: RequestId, exchange: ExchangeId) -> ExchangeState:
        state = self.states.get((request, exchange))
        if state is None:
            prepared = self._prepare(self.plan.exchanges[exchange])
            state = self.states[request, exchange] = ExchangeState(exchange, prepared)
            for participant, forwards in prepared.forwards.items():
                if (participant, exchange) in self.starters:  # who takes part sends on only once it has begun itself
                    for forward in forwards:
                        state.blockers[forward] += 1
        return state

    def forget(self, request: RequestId) -> None:
        """Nothing of this request is under way any more."""
        for exchange in self.plan.exchange_ids:
            self.states.pop((request, exchange), None)

    @cached_property
    def n_messages(self) -> int:
        """Of a request, those that stay on a device included."""
        return sum(len(self._prepare(exchange).messages) for exchange in self.plan.exchanges)

    @cached_property
    def starters(self) -> set[tuple[ParticipantId, ExchangeId]]:
        """Who starts which exchange."""
        programs = zip(self.plan.participants, self.plan.programs, strict=True)
        return {(who, step.exchange) for who, program in programs for step in program if isinstance(step, Start)}

    def _prepare(self, exchange: Exchange) -> PreparedExchange:
        shape = (exchange.kind, exchange.group, exchange.bytes_by_rank, exchange.root)
        prepared = self.prepared.get(shape)
        if prepared is None:
            prepared = PreparedExchange(exchange, self.algorithm_of(exchange), self.rig.devices, self.rig.device_of)
            self.prepared[shape] = prepared
        return prepared
