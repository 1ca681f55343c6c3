"""What would help most: the latency with each resource twice as good or twice as bad, played again, not estimated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prism_sim.scenario import DeviceSpec, Scenario
from prism_sim.scenario.spec import RATES_BY_TYPE
from prism_sim.simulation.simulate import Simulation, simulate

FACTOR = 2.0

# name, FACTOR times as good in words, fields
_OF_NETWORK: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("bandwidth", "twice the bandwidth", ("up_bits_per_s", "down_bits_per_s", "broadcast_bits_per_s")),
    ("propagation", "half the propagation latency", ("latency_s",)),
    ("message overhead", "half the overhead of a message", ("message_overhead_s",)),
)
_OF_DEVICES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("compute", "twice the compute rate", ("flops_per_s", *RATES_BY_TYPE)),
    ("memory bandwidth", "twice the memory bandwidth", ("memory_bytes_per_s",)),
    ("kernel overhead", "half the overhead of a kernel", ("op_overhead_s",)),
    ("staging", "staging twice as fast", ("staging_bytes_per_s", "staging_latency_s", "staging_ramp_s")),
    ("storage", "storage twice as fast", ("storage_bytes_per_s",)),
    ("dispatch", "a host twice as fast at feeding it", ("dispatch_s", "restart_s", "handling_bytes_per_s")),
)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that could be better. fields: of the network and its links, or of the devices in `devices`.

    better: what it is called when it is `FACTOR` times as good.
    A rate is better when it is higher, a time when it is shorter; the unit at a field's end tells which it is.
    """

    name: str
    better: str
    fields: tuple[str, ...]
    devices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The latency with a resource `FACTOR` times as good, and as bad. gain_s, loss_s: against the latency as it is.

    Both may be negative: where messages of several senders, or several participants, share a carrier or a processor,
    faster work comes in another order, and first come, first served may then serve worse (Graham, "Bounds on
    multiprocessing timing anomalies", 1969).
    """

    resource: Resource
    better_s: float
    worse_s: float
    gain_s: float
    loss_s: float

    @property
    def anomalous(self) -> bool:
        """Whether better is slower, or worse is faster, by more than rounding."""
        return min(self.gain_s, self.loss_s) < -1e-9 * self.better_s


def what_ifs(scenario: Scenario, simulation: Simulation) -> tuple[WhatIf, ...]:
    """Of every resource, what helps most first."""
    found = []
    for resource in resources(scenario, simulation):
        better_s = simulate(improved(scenario, resource, FACTOR)).latency_s
        worse_s = simulate(improved(scenario, resource, 1 / FACTOR)).latency_s
        gain_s, loss_s = simulation.latency_s - better_s, worse_s - simulation.latency_s
        found.append(WhatIf(resource, better_s, worse_s, gain_s, loss_s))
    return tuple(sorted(found, key=lambda what_if: (-what_if.gain_s, -what_if.loss_s)))


def resources(scenario: Scenario, simulation: Simulation) -> Iterator[Resource]:
    """The network's, those of all devices, and where devices differ, each kind of device by itself."""
    for name, better, fields in _OF_NETWORK:
        yield Resource(name, better, fields)
    everyone = tuple(range(len(scenario.devices)))
    has_storage = any(device.storage_bytes_per_s is not None for device in scenario.devices)
    for name, better, fields in _OF_DEVICES:
        if name == "storage" and not has_storage:
            continue
        yield Resource(name, better, fields, everyone)
    kinds: dict[DeviceSpec, list[int]] = {}
    for index in sorted(set(simulation.device_of)):
        kinds.setdefault(replace(scenario.devices[index], name=""), []).append(index)
    if len(kinds) > 1:
        of_a_device = tuple(field for _, _, fields in _OF_DEVICES for field in fields)
        for devices in kinds.values():
            names = [scenario.devices[index].name for index in devices]
            shown = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} alike"
            yield Resource(f"all of {shown}", f"{shown} twice as fast in every way", of_a_device, tuple(devices))


def improved(scenario: Scenario, resource: Resource, factor: float) -> Scenario:
    """The scenario with a resource `factor` times as good."""
    if resource.devices:
        devices = tuple(
            _improved(device, resource.fields, factor) if index in resource.devices else device
            for index, device in enumerate(scenario.devices)
        )
        return replace(scenario, devices=devices)
    links = tuple(_improved(link, resource.fields, factor) for link in scenario.network.links)
    return replace(scenario, network=replace(_improved(scenario.network, resource.fields, factor), links=links))


def _improved(spec: Any, fields: Sequence[str], factor: float) -> Any:
    changes = {}
    for field in fields:
        if (value := getattr(spec, field, None)) is not None:
            changes[field] = value * factor if field.endswith("_per_s") else value / factor
    return replace(spec, **changes)
