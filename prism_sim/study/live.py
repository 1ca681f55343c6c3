"""A live run: what its processes must know, and what they measured beside what was predicted."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from prism_sim import timing
from prism_sim.live.outline import outlines
from prism_sim.live.records import Arrived, Posted, Records, Waited, Worked
from prism_sim.live.routing import route
from prism_sim.plan import Plan
from prism_sim.scenario import Scenario
from prism_sim.study.auto import resolved
from prism_sim.study.placed import placed
from prism_sim.study.provenance import provenance
from prism_sim.study.simulation import Simulation, simulate
from prism_sim.timing.collectives import Message, lower
from prism_sim.timing.log import Blocked, Cause, Job, Log
from prism_sim.timing.media.base import Flight

if TYPE_CHECKING:
    from prism_sim.live.order import Order

SCHEMA = "prism-sim/live/1"
NETWORK_PARTS = ("transfer", "propagation", "queue")  # nobody can tell them apart from the ends of a real link


def planned(scenario: Scenario) -> Simulation:
    """What is to be run, and what the simulator says of it. Raises ScenarioError."""
    with placed(scenario):
        return simulate(resolved(scenario))


def order_of(scenario: Scenario, simulation: Simulation) -> Order:
    """What every process must know. Imports torch."""
    from prism_sim.live.order import Order
    from prism_sim.study.numerics import sources

    model, given = sources(scenario, simulation.job)
    algorithm = simulation.network.collective
    return Order(
        job=simulation.job,
        plan=simulation.plan,
        model=model,
        given=given,
        device_of=simulation.device_of,
        device_names=tuple(device.name for device in scenario.devices),
        algorithm=algorithm,
        messages=tuple(lower(exchange, algorithm) for exchange in simulation.plan.exchanges),
    )


def check_routes(scenario: Scenario, simulation: Simulation) -> None:
    """Raises ScenarioError where the network's collective makes messages that processes cannot send."""
    algorithm = simulation.network.collective
    try:
        for outline in outlines(simulation.job):
            route(outline, lower(outline.exchange, algorithm), algorithm)
    except ValueError as error:
        raise scenario.origin.overridden().error(("network",), str(error)) from error


def taking_part(simulation: Simulation) -> tuple[int, ...]:
    """Devices with something to do, in the order of their processes; as `Order.devices`, without torch."""
    programs = zip(simulation.device_of, simulation.plan.programs, strict=True)
    return tuple(dict.fromkeys(device for device, program in programs if program))


@dataclass(frozen=True)
class LiveResult:
    """Measured, in seconds from the common start, beside the prediction for the scenario's devices.

    latencies_s: of each run. timeline: of the run nearest to their median. output_error: largest deviation from the
    output of one process, relative to its largest value. interface_bytes: sent by each device in each run, where it
    had an interface of its own. cores: whether each process had some for itself.
    """

    scenario: Scenario
    predicted: Simulation
    timeline: timing.Timeline
    latencies_s: tuple[float, ...]
    output_error: float
    output_tolerance: float
    threads: int
    pinned: bool
    interface_bytes: tuple[tuple[int, ...], ...] | None

    @staticmethod
    def of(scenario: Scenario, predicted: Simulation, found: Mapping[str, Any]) -> LiveResult:
        """found: what process 0 reports, also after a journey as JSON."""
        sent = found["interface_bytes"]
        return LiveResult(
            scenario=scenario,
            predicted=predicted,
            timeline=measured_timeline(predicted, [_records(one) for one in found["records"]]),
            latencies_s=tuple(found["latencies_s"]),
            output_error=found["output_error"],
            output_tolerance=found["output_tolerance"],
            threads=found["threads"],
            pinned=found["cores"] is not None,
            interface_bytes=None if sent is None else tuple(map(tuple, sent)),
        )

    @property
    def latency_s(self) -> float:
        return statistics.median(self.latencies_s)

    @cached_property
    def quartiles_s(self) -> tuple[float, float]:
        if len(self.latencies_s) == 1:
            return self.latencies_s[0], self.latencies_s[0]
        first, _, third = statistics.quantiles(self.latencies_s, n=4, method="inclusive")
        return first, third

    @property
    def output_agrees(self) -> bool:
        return self.output_error <= self.output_tolerance  # and so not NaN

    @cached_property
    def payload_bytes(self) -> tuple[int, ...]:
        """Sent by each device to others in one run, as the plan says; in the order of the processes."""
        sent = dict.fromkeys(taking_part(self.predicted), 0)
        for message in self.timeline.messages:
            sent[self.predicted.device_of[message.source]] += message.payload_bytes
        return tuple(sent.values())

    def to_json(self) -> dict[str, Any]:
        predicted = self.predicted.timeline
        return {
            "schema": SCHEMA,
            "strategy": self.predicted.job.strategy,
            "measured": {
                "latency_s": self.latency_s,
                "quartiles_s": list(self.quartiles_s),
                "latencies_s": list(self.latencies_s),
                "breakdown_s": parts_s(self.timeline),
            },
            "predicted": {"latency_s": predicted.latency_s, "breakdown_s": parts_s(predicted)},
            "participants": [
                {
                    "device": self.scenario.devices[device].name,
                    "terminal": number == self.predicted.plan.terminal,
                    "measured_s": work_s(self.timeline, number),
                    "predicted_s": work_s(predicted, number),
                    "sent_bytes": self.timeline.sent_bytes[number],
                }
                for number, device in enumerate(self.predicted.device_of)
            ],
            "output": {
                "relative_error": self.output_error,
                "tolerance": self.output_tolerance,
                "agrees": self.output_agrees,
            },
            "interface_bytes": None if self.interface_bytes is None else list(map(list, self.interface_bytes)),
            "payload_bytes": list(self.payload_bytes),
            "threads_per_rank": self.threads,
            "pinned": self.pinned,
            "provenance": provenance(self.scenario),
        }


def parts_s(timeline: timing.Timeline) -> dict[str, float]:
    """The critical path's parts, all that a network does in one."""
    found = timeline.breakdown_s
    work = {part: seconds for part, seconds in found.items() if part not in NETWORK_PARTS}
    return {**work, "network": sum(found[part] for part in NETWORK_PARTS)}


def work_s(timeline: timing.Timeline, participant: int) -> dict[str, float]:
    """A participant's time in each kind of work, and in waiting."""
    found = dict.fromkeys(("compute", "staging", "overhead"), 0.0)
    for span in timeline.spans:
        if span.participant == participant and span.kind in found and span.message is None:
            found[span.kind] += span.end_s - span.start_s
    return {**found, "wait": timeline.wait_s[participant]}


def _records(found: Mapping[str, Any]) -> Records:
    """From dictionaries and lists."""
    return Records(
        [Worked(*one) for one in found["worked"]],
        [Waited(*one) for one in found["waited"]],
        [Posted(*one) for one in found["posted"]],
        [Arrived(*one) for one in found["arrived"]],
        [(participant, end_s) for participant, end_s in found["ends"]],
    )


def measured_timeline(predicted: Simulation, records: Sequence[Records]) -> timing.Timeline:
    """What the processes wrote down, in the form of a simulated run: pictures and explanations work on it.

    A message's whole way is transfer.
    """
    plan, device_of = predicted.plan, predicted.device_of
    algorithm = predicted.network.collective
    messages = [lower(exchange, algorithm) for exchange in plan.exchanges]
    return timing.Timeline.of(_Merging(plan, device_of, messages, records).log(), len(predicted.devices))


class _Merging:
    """Puts the records of all processes into one log, with the cause of every start."""

    def __init__(
        self,
        plan: Plan,
        device_of: tuple[int, ...],
        messages: Sequence[Sequence[Message]],
        records: Iterable[Records],
    ) -> None:
        records = list(records)
        self.plan, self.device_of, self.messages = plan, device_of, messages
        self.posted = sorted((one for found in records for one in found.posted), key=lambda one: one.at_s)
        self.flight_of = {(one.exchange, one.message): index for index, one in enumerate(self.posted)}
        self.arrived = {(one.exchange, one.message): one.at_s for found in records for one in found.arrived}
        self.waited = [one for found in records for one in found.waited]
        self.ended = {participant: end_s for found in records for participant, end_s in found.ends}
        worked = [one for found in records for one in found.worked]
        self.worked = sorted(worked, key=lambda one: (device_of[one.participant], one.start_s))
        self.begins: dict[int, tuple[int, list[float]]] = {}  # per device: its first job, and when its jobs begin
        for number, one in enumerate(self.worked):
            self.begins.setdefault(device_of[one.participant], (number, []))[1].append(one.start_s)

    def log(self) -> Log:
        released = {(one.participant, one.end_s): one.exchange for one in self.waited}
        jobs: list[Job] = []
        for number, one in enumerate(self.worked):
            first = self.begins[self.device_of[one.participant]][0]
            cause: Cause = number - 1 if number > first else None
            exchange = released.get((one.participant, one.start_s))
            if exchange is not None:
                cause = self._last_arrival(one.participant, exchange)
            jobs.append(Job(one.participant, one.kind, one.subject, max(one.start_s, 0.0), one.end_s, cause))
        flights = [self._flight(index, one) for index, one in enumerate(self.posted)]
        blocked = [Blocked(*one) for one in self.waited]
        ends = [self._end(participant) for participant in range(len(self.device_of))]
        return Log(self.plan, self.device_of, jobs, flights, blocked, ends)

    def _job_at(self, device: int, at_s: float) -> Cause:
        """The job of a device that was under way, or over, at a moment."""
        first, begins = self.begins.get(device, (0, []))
        place = bisect_right(begins, at_s) - 1
        return first + place if place >= 0 else None

    def _last_arrival(self, participant: int, exchange: int) -> Cause:
        due = [number for number, m in enumerate(self.messages[exchange]) if m.destination == participant]
        last = max(due, key=lambda number: self.arrived[exchange, number])
        return ~self.flight_of[exchange, last]

    def _flight(self, index: int, one: Posted) -> Flight:
        message = self.messages[one.exchange][one.message]
        source, destination = self.device_of[message.source], self.device_of[message.destination]
        cause = self._job_at(source, one.at_s) if one.cause is None else ~self.flight_of[one.exchange, one.cause]
        flight = Flight(index, one.message, message, source, destination, cause, SimpleNamespace(exchange=one.exchange))
        arrival_s = max(self.arrived[one.exchange, one.message], one.at_s)  # clocks of two hosts agree only roughly
        flight.posted_s = flight.uplink_start_s = flight.uplink_end_s = one.at_s
        flight.head_s = flight.downlink_start_s = one.at_s
        flight.arrival_s = arrival_s
        flight.legs = (("transfer", one.at_s, arrival_s),)
        return flight

    def _end(self, participant: int) -> tuple[float, Cause]:
        if participant not in self.ended:
            return 0.0, None
        end_s = self.ended[participant]
        return end_s, self._job_at(self.device_of[participant], end_s)
