"""Requests back to back: how many a second, once the pipeline is full."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import cast

from simpy import Event

from prism_sim.devices import Device
from prism_sim.plan import ParticipantId, Plan, Step
from prism_sim.timing.engines import are_worth_compiled
from prism_sim.timing.ids import Cause, RequestId
from prism_sim.timing.log import UnderWay
from prism_sim.timing.media.base import Network
from prism_sim.timing.plain.engine import Engine
from prism_sim.timing.quickest import algorithm_of
from prism_sim.timing.rhythm import Rhythm, StreamState
from prism_sim.timing.rig import Rig
from prism_sim.timing.rounds import Round

N_REQUESTS = 16  # that are counted


@dataclass(frozen=True, slots=True)
class Stream:
    """throughput_per_s: of the requests in the middle.  completions_s: when each request (each round, where there are
    several plans) was done, the first and last `in_flight` (filling and emptying the pipeline) included.
    n_played: how many of them were played to know the rest.
    """

    throughput_per_s: float
    completions_s: tuple[float, ...]
    n_played: int


def play_stream(
    plans: Plan | Sequence[Plan],
    devices: Sequence[Device],
    device_of: Sequence[int],
    network: Network,
    n_requests: int = N_REQUESTS,
    in_flight: int | None = None,
    whole: bool = False,
) -> Stream:
    """Measures the throughput over `n_requests`, after a warm-up and before a cool-down of `in_flight` each.

    Of several plans requests take one after another, over and over: each once is a round, and rounds are what is
    counted and kept under way.
    A rank starts the next request when it is done with its part of the last. The terminal, which would otherwise wait
    for each answer, keeps `in_flight` requests under way: by default 3 or, where ranks send to each other as in a
    pipeline, enough to keep each stage and each link between stages busy.
    Once requests repeat themselves, the rest are not played but continued as they are (the pipeline stays full); whole:
    all are played.
    Raises ValueError for counts below 1, and as `simulate`.
    """
    heard = ListenedRounds.of((plans,) if isinstance(plans, Plan) else plans, n_requests, in_flight)
    (known,) = heard.completions([Rig.of(devices, device_of, network)], whole)
    completions_s, n_played = known
    return Stream(heard.throughput_per_s(completions_s), tuple(completions_s), n_played)


@dataclass(frozen=True, slots=True)
class ListenedRounds:
    """What is listened to: rounds, of which so many are counted and so many under way."""

    a_round: Round
    n_requests: int
    in_flight: int

    @staticmethod
    def of(plans: Sequence[Plan], n_requests: int = N_REQUESTS, in_flight: int | None = None) -> ListenedRounds:
        """Raises ValueError for counts below 1, and as `Round.of`."""
        a_round = Round.of(plans)
        in_flight = _in_flight(a_round.plan) if in_flight is None else in_flight
        for name, value in (("n_requests", n_requests), ("in_flight", in_flight)):
            if value < 1:
                raise ValueError(f"{name}(={value}) must be >= 1")
        return ListenedRounds(a_round, n_requests, in_flight)

    def throughput_per_s(self, completions_s: Sequence[float]) -> float:
        """After a warm-up and before a cool-down of `in_flight` each."""
        elapsed_s = completions_s[self.in_flight + self.n_requests - 1] - completions_s[self.in_flight - 1]
        return self.n_requests * len(self.a_round.terminals) / elapsed_s if elapsed_s else float("inf")

    def completions(self, rigs: Sequence[Rig], whole: bool = False) -> Sequence[tuple[list[float], int]]:
        """On each rig, when each round is done, and how many are played to know that."""
        what = self.n_requests + 2 * self.in_flight, self.in_flight, whole
        networks = [rig.network for rig in rigs]
        if are_worth_compiled(self.a_round.plan, networks, self.in_flight + 4):
            from prism_sim.timing import compiled  # loads numba

            with suppress(compiled.CannotEndError):
                return list(compiled.completions(self.a_round, rigs, *what))
        return [completions_plainly(self.a_round, rig, *what) for rig in rigs]


def completions_plainly(
    a_round: Round, rig: Rig, n_rounds: int, in_flight: int, whole: bool
) -> tuple[list[float], int]:
    """By the plain engine."""
    run = Engine(a_round.plan, rig, partial(algorithm_of, rig), keep_log=False)
    stream = _Rounds(run, a_round.terminals, n_rounds, in_flight)
    stream.play(whole)
    return stream.completions_s, stream.n_played


def _in_flight(plan: Plan) -> int:
    """Each of the stages, the links around them, and the terminal's two halves may hold a request.

    Ranks that all wait for each other are at work on the same one.
    """
    staged = any(exchange.kind == "send" for exchange in plan.exchanges)
    together = any(exchange.root is None and exchange.group == tuple(plan.ranks) for exchange in plan.exchanges)
    return 2 * plan.n_ranks + 4 if staged and not together else 3


class _Rounds:
    """The participants at work on round after round: one request, or one of each plan."""

    def __init__(self, run: Engine, terminals: Sequence[Sequence[Step]], count: int, in_flight: int) -> None:
        self.run, self.terminals, self.count = run, terminals, count
        self.unfinished = [run.plan.n_ranks + len(terminals)] * count
        self.completions_s: list[float] = []
        self.admitted = [run.env.event() for _ in range(count)]
        self.requests = cast(Sequence[RequestId], range(count))
        self.processes = {rank: run.env.process(self.rank(rank)) for rank in run.plan.ranks}
        for request in self.requests:
            for program in terminals:
                run.env.process(self.terminal(program, request))
            if request < in_flight:
                self.admitted[request].succeed()
        self.next = in_flight
        self.rhythm = Rhythm(in_flight)
        self.n_played = count

    def play(self, whole: bool) -> None:
        """Until all rounds are done or, unless `whole`, known."""
        env, rhythm = self.run.env, self.rhythm
        while env.peek() < inf:
            n_completed = len(self.completions_s)
            env.step()
            rhythm.moments_s.append(env.now)
            if len(self.completions_s) == n_completed:
                continue
            state = self.state()
            if not whole and rhythm.completed(env.now, state, self.count - len(self.completions_s)):
                self.go_on()
                return
        self.check()

    def state(self) -> StreamState:
        """How many steps each participant is ahead of what is completed and, last, how many messages."""
        run, n_completed, flights = self.run, len(self.completions_s), cast(UnderWay, self.run.flights)
        steps = zip(run.n_steps, map(len, run.plan.programs), strict=True)
        n_ahead = len(flights) - n_completed * run.exchanges.n_messages
        leads = (*(taken - n_completed * n_steps for taken, n_steps in steps), n_ahead)
        return StreamState(leads, len(flights), flights.n_arrived())

    def go_on(self) -> None:
        """The completions that are left, as those before them."""
        self.n_played = len(self.completions_s)
        while len(self.completions_s) < self.count:
            self.completions_s.append(self.completions_s[-self.rhythm.n_period] + self.rhythm.period_s)

    def rank(self, rank: ParticipantId) -> Generator[Event, None, None]:
        cause: Cause = None
        for request in self.requests:
            cause = yield from self.run.play(rank, self.run.plan.programs[rank], request, cause)
            self.done(request)

    def terminal(self, program: Sequence[Step], request: RequestId) -> Generator[Event, None, None]:
        yield self.admitted[request]
        yield from self.run.play(self.run.plan.terminal, program, request, None)
        self.done(request)

    def done(self, request: RequestId) -> None:
        """One more participant is done with a round; the last one lets the terminal begin another."""
        self.unfinished[request] -= 1
        if self.unfinished[request]:
            return
        self.completions_s.append(self.run.env.now)
        self.run.exchanges.forget(request)
        if self.next < self.count:
            self.admitted[self.next].succeed()
            self.next += 1

    def check(self) -> None:
        for rank, process in self.processes.items():
            if process.is_alive:
                raise ValueError(self.run.missing(rank))
        if len(self.completions_s) < self.count:
            raise ValueError(self.run.missing(self.run.plan.terminal))
