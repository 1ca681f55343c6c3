"""A live run: what its processes must know, and what they measured beside what was predicted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from prism_sim import timing
from prism_sim.choice.auto import resolved
from prism_sim.live.outline import outlines
from prism_sim.live.routing import route
from prism_sim.live.timed import quartiles_s
from prism_sim.live_runs.measured import measured_timeline, records_from_json
from prism_sim.scenario import Scenario
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, simulate

if TYPE_CHECKING:
    from prism_sim.live.order import LiveOrder

SCHEMA = "prism-sim/live/1"
NETWORK_PARTS = ("transfer", "propagation", "queue")  # nobody can tell them apart from the ends of a real link


def planned(scenario: Scenario) -> Simulation:
    """What is to be run, and what the simulator says of it. Raises ScenarioError."""
    with placed(scenario):
        return simulate(resolved(scenario))


def order_of(scenario: Scenario, simulation: Simulation) -> LiveOrder:
    """What every process must know. Imports torch."""
    from prism_sim.live.order import LiveOrder
    from prism_sim.outputs.fidelity import sources

    model, given = sources(scenario, simulation.job)
    return LiveOrder(
        job=simulation.job,
        plan=simulation.plan,
        model=model,
        given=given,
        device_of=simulation.device_of,
        device_names=tuple(device.name for device in scenario.devices),
        algorithms=simulation.algorithms,
        messages=simulation.messages,
    )


def check_routes(scenario: Scenario, simulation: Simulation) -> None:
    """Raises ScenarioError where an exchange's algorithm makes messages that processes cannot send."""
    try:
        for ways in zip(outlines(simulation.job), simulation.messages, simulation.algorithms, strict=True):
            route(*ways)
    except ValueError as error:
        raise scenario.error(("network",), str(error)) from error


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
            timeline=measured_timeline(predicted, [records_from_json(one) for one in found["records"]]),
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

    @property
    def quartiles_s(self) -> tuple[float, float]:
        return quartiles_s(self.latencies_s)

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
