"""`explain`: where the time goes, who waits for whom, what would help most, and what no network or device can beat."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from prism_sim import timing
from prism_sim.choice.auto import resolved
from prism_sim.plan import Plan
from prism_sim.scenario import Scenario
from prism_sim.simulation.memory import refuse_unless_it_fits
from prism_sim.simulation.placed import placed
from prism_sim.simulation.simulate import Simulation, simulate
from prism_sim.timing.media.base import Carrier
from prism_sim.timing.storage import reading
from prism_sim.timing.trace import FIRST, MICROSECONDS
from prism_sim.why.path import Load, Stage, Stretch, loads, parts_s, stages, stretches
from prism_sim.why.what_if import FACTOR, WhatIf, what_ifs

SCHEMA = "prism-sim/explain/1"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a participant works and waits.

    wait_s is late_s, until the sender of the message that came last was done with it, and way_s, while that was on its
    way. for_s: the waiting by that sender, the longest first.
    """

    participant: int
    busy_s: float
    wait_s: float
    late_s: float
    way_s: float
    for_s: dict[int, float]


@dataclass(frozen=True, slots=True)
class Bound:
    """What the latency cannot beat: the time that one device or carrier needs for its own part of the work."""

    name: str
    where: str
    length_s: float


@dataclass(frozen=True)
class Explanation:
    """Why a scenario's latency is what it is.

    path, stages, loads, waiting and bounds are of the pass over the input; of a request that generates text, that ends
    with the first token, and what a later one takes is in `token`.
    """

    scenario: Scenario
    simulation: Simulation
    waiting: tuple[Waiting, ...]
    bounds: tuple[Bound, ...]
    what_ifs: tuple[WhatIf, ...]

    @property
    def latency_s(self) -> float:
        return self.simulation.latency_s

    @property
    def pass_s(self) -> float:
        """Of the pass over the input: the latency, or the time to the first token."""
        return self.simulation.timeline.latency_s

    @cached_property
    def token(self) -> Token | None:
        """What a token after the first takes; None: none follows."""
        return None if self.simulation.decoding is None else Token.of(self.simulation)

    @property
    def breakdown_s(self) -> dict[str, float]:
        """Seconds of each part of the pass's critical path, storage by itself; they sum to `pass_s`."""
        return parts_s(self.simulation.timeline.breakdown_s, self.path)

    @cached_property
    def path(self) -> tuple[Stretch, ...]:
        return stretches(self.simulation.timeline, _reading(self.simulation, self.simulation.plan))

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        return stages(self.path)

    @cached_property
    def loads(self) -> tuple[Load, ...]:
        return loads(self.path)

    def device(self, participant: int) -> str:
        return self.scenario.devices[self.simulation.device_of[participant]].name

    def role(self, participant: int) -> str:
        """'2' for a rank, 'terminal'."""
        return "terminal" if participant == self.simulation.plan.terminal else str(participant)

    def trace_events(self) -> dict[str, Any]:
        """For Perfetto: what every device does, and below, as a process of its own, the critical path."""
        trace = timing.to_trace_events(self.simulation.timeline, [device.name for device in self.scenario.devices])
        below, thread = FIRST + len(self.scenario.devices), FIRST + 2 * len(self.simulation.device_of)
        events = trace["traceEvents"]
        events.append({"ph": "M", "name": "process_name", "pid": below, "args": {"name": "critical path"}})
        for stretch in self.path:
            events.append(
                {
                    "ph": "X",
                    "name": f"{stretch.part}: {stretch.label}",
                    "cat": stretch.part,
                    "pid": below,
                    "tid": thread,
                    "ts": stretch.start_s * MICROSECONDS,
                    "dur": stretch.length_s * MICROSECONDS,
                    "args": {"of": self.role(stretch.participant), "on": self.device(stretch.participant)},
                }
            )
        return trace

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "name": self.scenario.name,
            "strategy": self.simulation.job.strategy,
            "collectives": self.simulation.collectives,
            "latency_s": self.latency_s,
            "breakdown_s": dict(self.breakdown_s),
            "participants": [
                {"role": self.role(number), "device": self.device(number)}
                for number in range(len(self.simulation.device_of))
            ],
            "pass_s": self.pass_s,
            "token": None if self.token is None else self.token.to_json(),
            "path": [stretch._asdict() for stretch in self.path],
            "stages": [asdict(stage) for stage in self.stages],
            "loads": [asdict(load) for load in self.loads],
            "waiting": [
                {**asdict(one), "for_s": {self.role(other): s for other, s in one.for_s.items()}}
                for one in self.waiting
            ],
            "bounds": [asdict(bound) for bound in self.bounds],
            "factor": FACTOR,
            "what_if": [
                {**asdict(one), "resource": one.resource.name, "devices": list(one.resource.devices)}
                for one in self.what_ifs
            ],
            "scenario_hash": self.scenario.hash,
        }


@dataclass(frozen=True, slots=True)
class Token:
    """tpot_s: the mean of all but the first. past: tokens before the step whose critical path is shown, of length_s.

    breakdown_s: of that step, its parts; loads: what it is made of, the heaviest first.
    """

    tpot_s: float
    past: int
    length_s: float
    breakdown_s: dict[str, float]
    loads: tuple[Load, ...]

    @staticmethod
    def of(simulation: Simulation) -> Token:
        """Of one that has steps."""
        decoding = simulation.decoding
        assert decoding is not None
        middle = decoding.middle
        path = stretches(middle.timeline, _reading(simulation, middle.plan))
        parts = parts_s(middle.timeline.breakdown_s, path)
        return Token(decoding.tpot_s, middle.past, middle.timeline.latency_s, parts, loads(path))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def explain(scenario: Scenario) -> Explanation:
    """Raises ScenarioError where the scenario cannot be simulated or does not fit its devices."""
    with placed(scenario):
        scenario = resolved(scenario)
        simulation = simulate(scenario)
        refuse_unless_it_fits(scenario, simulation)
    return explained(scenario, simulation)


def explained(scenario: Scenario, simulation: Simulation) -> Explanation:
    """Of a scenario's own simulation, which fits its devices. Raises ScenarioError as above."""
    with placed(scenario):
        return Explanation(
            scenario, simulation, waiting(simulation), bounds(simulation), what_ifs(scenario, simulation)
        )


def _reading(simulation: Simulation, plan: Plan) -> set[tuple[int, str]]:
    return reading(plan, simulation.setting.playing, simulation.device_of)


def waiting(simulation: Simulation) -> tuple[Waiting, ...]:
    """Of every participant that does anything, in their order."""
    log, timeline = simulation.timeline.log, simulation.timeline
    found = []
    for one, program in enumerate(simulation.plan.programs):
        if not program:
            continue
        late_s, for_s = 0.0, dict[int, float]()
        for blocked in log.blocked:
            if blocked.participant == one:
                assert blocked.last is not None
                last = log.flights[blocked.last]
                ready_s = last.posted_s if last.held_since_s is None else last.held_since_s
                late_s += min(max(ready_s, blocked.start_s), blocked.end_s) - blocked.start_s
                sender = last.message.source
                for_s[sender] = for_s.get(sender, 0.0) + blocked.end_s - blocked.start_s
        wait_s = timeline.wait_s[one]
        ordered = dict(sorted(for_s.items(), key=lambda item: -item[1]))
        found.append(Waiting(one, timeline.participant_busy_s[one], wait_s, late_s, wait_s - late_s, ordered))
    return tuple(found)


def bounds(simulation: Simulation) -> tuple[Bound, ...]:
    """Of the device with the most arithmetic, of the busiest processor, and of the busiest carrier of bytes."""
    log, devices = simulation.timeline.log, simulation.devices
    compute_s = [0.0] * len(devices)
    for job in log.jobs:
        if job.kind == "compute":
            compute_s[log.device_of[job.participant]] += job.end_s - job.start_s - job.launch_s
    found = []
    for name, by_device in (("compute", compute_s), ("processor", simulation.timeline.busy_s)):
        busiest = max(range(len(devices)), key=lambda device: by_device[device])
        found.append(Bound(name, devices[busiest].name, by_device[busiest]))
    if carriers := carried_s(simulation):
        carrier = max(carriers, key=lambda one: carriers[one])
        found.append(Bound("transfer", carrier_text(carrier, devices), carriers[carrier]))
    return tuple(found)


def carried_s(simulation: Simulation) -> dict[Carrier, float]:
    """Seconds that each carrier of bytes is busy with all messages of the run."""
    found: dict[Carrier, float] = {}
    for flight in simulation.timeline.log.flights:
        if flight.source_device != flight.destination_device:
            for carrier, seconds in simulation.network.occupied_s(flight).items():
                found[carrier] = found.get(carrier, 0.0) + seconds
    return found


def carrier_text(carrier: Carrier, devices: tuple[timing.Device, ...]) -> str:
    """('uplink', 0) -> 'uplink of board-0'."""
    kind, *nodes = carrier
    names = [devices[node].name if isinstance(node, int) else node for node in nodes]
    match kind:
        case "air":
            return "the air"
        case "link":
            return f"link {names[0]} → {names[1]}"
        case _:
            return f"{kind} of {names[0]}"
