"""A live run: what its processes must know, and what they measured beside what was predicted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prism_sim import timing
from prism_sim.choice.auto import resolved
from prism_sim.live.order import LiveOrder
from prism_sim.live.timed import quartiles_s
from prism_sim.live_runs.measured import measured_timelines, records_from_json
from prism_sim.live_runs.passes import series_of
from prism_sim.live_runs.text import LiveText
from prism_sim.scenario import Scenario
from prism_sim.simulation.placed import placed
from prism_sim.simulation.provenance import provenance
from prism_sim.simulation.simulate import Simulation, simulate

SCHEMA = "prism-sim/live/1"
NETWORK_PARTS = ("transfer", "propagation", "queue")  # nobody can tell them apart from the ends of a real link


def planned(scenario: Scenario) -> Simulation:
    """What is to be run, and what the simulator says of it. Raises ScenarioError."""
    with placed(scenario):
        return simulate(resolved(scenario))


def order_of(scenario: Scenario, simulation: Simulation) -> LiveOrder:
    """What every process must know. Imports torch."""
    from prism_sim.outputs.fidelity import sources

    model, given = sources(scenario, simulation.job)
    return LiveOrder(
        series=series_of(simulation),
        model=model,
        given=given,
        device_of=simulation.device_of,
        device_names=tuple(device.name for device in scenario.devices),
    )


def check_routes(scenario: Scenario, simulation: Simulation) -> None:
    """Raises ScenarioError where an exchange's algorithm makes messages that processes cannot send."""
    try:
        for one in series_of(simulation):
            one.routes()
    except ValueError as error:
        raise scenario.error(("network",), str(error)) from error


def taking_part(simulation: Simulation) -> tuple[int, ...]:
    """Devices with something to do, in the order of their processes; as `Order.devices`, without torch."""
    programs = zip(simulation.device_of, simulation.plan.programs, strict=True)
    return tuple(dict.fromkeys(device for device, program in programs if program))


@dataclass(frozen=True)
class LiveResult:
    """Measured, in seconds from the common start, beside the prediction for the scenario's devices.

    latencies_s: of each run. timelines: of the passes of the run nearest to their median, each from its own beginning.
    output_error: largest deviation from the output of one process, relative to its largest value. interface_bytes: sent
    by each device in each run, where it had an interface of its own. cores: whether each process had some for itself.
    text: of a request that generates some.
    """

    scenario: Scenario
    predicted: Simulation
    timelines: tuple[timing.Timeline, ...]
    latencies_s: tuple[float, ...]
    output_error: float
    output_tolerance: float
    threads: int
    pinned: bool
    interface_bytes: tuple[tuple[int, ...], ...] | None
    text: LiveText | None = None

    @staticmethod
    def of(scenario: Scenario, predicted: Simulation, found: Mapping[str, Any]) -> LiveResult:
        """found: what process 0 reports, also after a journey as JSON."""
        sent, generation = found["interface_bytes"], predicted.generation
        records = [list(map(records_from_json, process)) for process in found["records"]]
        begins_s = [0.0, *found["moments_s"][found["chosen"]][:-1]]
        timelines = tuple(measured_timelines(predicted, records, begins_s))
        return LiveResult(
            scenario=scenario,
            predicted=predicted,
            timelines=timelines,
            latencies_s=tuple(found["latencies_s"]),
            output_error=found["output_error"],
            output_tolerance=found["output_tolerance"],
            threads=found["threads"],
            pinned=found["cores"] is not None,
            interface_bytes=None if sent is None else tuple(map(tuple, sent)),
            text=None if generation is None else LiveText.of(generation, timelines[1:], found),
        )

    @property
    def timeline(self) -> timing.Timeline:
        """Of the first pass."""
        return self.timelines[0]

    @property
    def latency_s(self) -> float:
        return statistics.median(self.latencies_s)

    @property
    def quartiles_s(self) -> tuple[float, float]:
        return quartiles_s(self.latencies_s)

    @property
    def output_agrees(self) -> bool:
        right = self.output_error <= self.output_tolerance  # and so not NaN
        return right and (self.text is None or self.text.caches_agree(self.output_tolerance))

    @cached_property
    def breakdown_s(self) -> dict[str, float]:
        """Seconds of each part of the critical path, of all passes."""
        return {part: sum(one.breakdown_s[part] for one in self.timelines) for part in self.timeline.breakdown_s}

    def work_s(self, participant: int) -> dict[str, float]:
        """A participant's time in each kind of work, and in waiting, in all passes."""
        of_passes = [work_s(one, participant) for one in self.timelines]
        return {kind: sum(one[kind] for one in of_passes) for kind in of_passes[0]}

    def predicted_work_s(self, participant: int) -> dict[str, float]:
        """The same as predicted."""
        kinds = work_s(self.predicted.timeline, participant)
        of_passes = self.predicted.over_request(lambda timeline: work_s(timeline, participant).values())
        return dict(zip(kinds, of_passes, strict=True))

    @cached_property
    def sent_bytes(self) -> tuple[int, ...]:
        """Per participant, between different devices, in all passes."""
        return tuple(map(sum, zip(*(one.sent_bytes for one in self.timelines), strict=True)))

    @cached_property
    def payload_bytes(self) -> tuple[int, ...]:
        """Sent by each device to others in one run, as the plan says; in the order of the processes."""
        sent = dict.fromkeys(taking_part(self.predicted), 0)
        for timeline in self.timelines:
            for message in timeline.messages:
                sent[self.predicted.device_of[message.source]] += message.payload_bytes
        return tuple(sent.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "strategy": self.predicted.job.strategy,
            "measured": {
                "latency_s": self.latency_s,
                "quartiles_s": list(self.quartiles_s),
                "latencies_s": list(self.latencies_s),
                "breakdown_s": parts_s(self.breakdown_s),
            },
            "predicted": {
                "latency_s": self.predicted.latency_s,
                "breakdown_s": parts_s(self.predicted.breakdown_s),
            },
            "generation": None if self.text is None else self.text.to_json(self.output_tolerance),
            "participants": [
                {
                    "device": self.scenario.devices[device].name,
                    "terminal": number == self.predicted.plan.terminal,
                    "measured_s": self.work_s(number),
                    "predicted_s": self.predicted_work_s(number),
                    "sent_bytes": self.sent_bytes[number],
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


def parts_s(found: Mapping[str, float]) -> dict[str, float]:
    """The critical path's parts, all that a network does in one."""
    work = {part: seconds for part, seconds in found.items() if part not in NETWORK_PARTS}
    return {**work, "network": sum(found[part] for part in NETWORK_PARTS)}


def work_s(timeline: timing.Timeline, participant: int) -> dict[str, float]:
    """A participant's time in each kind of work, and in waiting."""
    found = dict.fromkeys(("compute", "staging", "overhead"), 0.0)
    for span in timeline.spans:
        if span.participant == participant and span.kind in found and span.message is None:
            found[span.kind] += span.end_s - span.start_s
    return {**found, "wait": timeline.wait_s[participant]}
