"""A scenario's devices and network as the timing model takes them."""

from __future__ import annotations

from dataclasses import asdict, fields

from prism_sim import timing
from prism_sim.scenario import Scenario


def devices(scenario: Scenario) -> list[timing.Device]:
    wanted = {field.name for field in fields(timing.Device)}
    return [
        timing.Device(**{name: value for name, value in asdict(device).items() if name in wanted})
        for device in scenario.devices
    ]


def network(scenario: Scenario) -> timing.Network:
    spec = scenario.network
    return timing.Switch(
        up_bits_per_s=spec.up_bits_per_s,
        down_bits_per_s=spec.down_bits_per_s,
        latency_s=spec.latency_s,
        message_overhead_s=spec.message_overhead_s,
        sharing=spec.sharing,
        collective=spec.collective,
    )
