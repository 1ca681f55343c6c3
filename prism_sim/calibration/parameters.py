"""What can be fitted: numbers of a device and of the network, what each stands for, and where it may lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from prism_sim.scenario import Scenario
from prism_sim.syntax import units


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that is to be found.

    name: the scenario's field, of every device that takes part, or of the network ("network.latency").
    attribute: in the scenario's spec.  unit: None for a plain number.  start: where the scenario has none.
    usual: whether it is fitted unless others are asked for.
    """

    name: str
    attribute: str
    unit: units.Unit | None
    low: float
    high: float
    start: float
    usual: bool = True

    @property
    def reason(self) -> str:
        return REASONS[self.name]

    @property
    def of_network(self) -> bool:
        return self.name.startswith("network.")

    def value(self, scenario: Scenario) -> float:
        return float(
            getattr(scenario.network if self.of_network else scenario.devices[scenario.terminal], self.attribute)
        )

    def first_guess(self, scenario: Scenario) -> float:
        value = self.value(scenario)
        return value if math.isfinite(value) and self.low < value < self.high else self.start

    def text(self, amount: float, digits: int = 4) -> str:
        from prism_sim.why.varied import quantity_text

        return f"{amount:.{digits}g}" if self.unit is None else quantity_text(self.unit, amount, digits)


PARAMETERS = {
    parameter.name: parameter
    for parameter in (
        Parameter("compute", "flops_per_s", units.COMPUTE, 1e6, 1e15, 1e11),
        Parameter("dispatch", "dispatch_s", units.TIME, 1e-6, 2e-2, 3e-4),
        Parameter("dispatch_restart", "restart_s", units.TIME, 1e-6, 1e-1, 1e-3),
        Parameter("handling_bandwidth", "handling_bytes_per_s", units.STAGING_RATE, 1e5, 1e11, 1e8),
        Parameter("staging_ramp", "staging_ramp_s", units.TIME, 1e-6, 1e1, 5e-2),
        Parameter("network.efficiency", "efficiency", None, 0.05, 5.0, 1.0),
        Parameter("network.message_overhead", "message_overhead_s", units.TIME, 1e-6, 1.0, 5e-4),
        Parameter("op_overhead", "op_overhead_s", units.TIME, 1e-7, 1e-1, 1e-4, usual=False),
        Parameter("memory_bandwidth", "memory_bytes_per_s", units.MEMORY_RATE, 1e6, 1e13, 1e10, usual=False),
        Parameter("staging_bandwidth", "staging_bytes_per_s", units.STAGING_RATE, 1e5, 1e12, 1e9, usual=False),
        Parameter("staging_latency", "staging_latency_s", units.TIME, 1e-7, 1.0, 1e-4, usual=False),
        Parameter("network.latency", "latency_s", units.TIME, 1e-6, 10.0, 1e-3, usual=False),
    )
}
REASONS = {
    "compute": "the rate that large matrix products reach",
    "dispatch": "a framework hands kernels over one by one, ahead of the accelerator; small batches end when it does",
    "dispatch_restart": "a copy drains the accelerator's queue; the host wakes up, allocates and begins anew",
    "handling_bandwidth": "the host sees to bytes that came in (buffers, sockets, unpacking) while the accelerator may "
    "work",
    "staging_ramp": "a copy starts slowly and gathers speed (clocks, prefetching, fresh pages), so its time bends",
    "network.efficiency": "payload rate over the rate that was set",
    "network.message_overhead": "what a message costs whatever its size; with one message at a time, a latency looks "
    "the same",
    "op_overhead": "the accelerator starts a kernel",
    "memory_bandwidth": "the rate of steps that only move data",
    "staging_bandwidth": "the rate of a long copy",
    "staging_latency": "what a copy costs whatever its size",
    "network.latency": "one way, between devices",
}


def with_values(scenario: Scenario, values: dict[str, float]) -> Scenario:
    """The scenario with these numbers, by parameter, on all of its devices and its network."""
    of_network: dict[str, Any] = {}
    of_devices: dict[str, Any] = {}
    for name, value in values.items():
        (of_network if PARAMETERS[name].of_network else of_devices)[PARAMETERS[name].attribute] = value
    return replace(
        scenario,
        devices=tuple(replace(device, **of_devices) for device in scenario.devices),
        network=replace(scenario.network, **of_network),
    )
