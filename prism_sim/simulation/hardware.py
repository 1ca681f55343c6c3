"""A scenario's devices and network as the timing model takes them."""

from __future__ import annotations

from functools import lru_cache

from prism_sim import timing
from prism_sim.scenario import DeviceSpec, NetworkSpec, Scenario
from prism_sim.simulation.model_config import model_spec


def devices(scenario: Scenario) -> tuple[timing.Device, ...]:
    """At the rates that they reach in the model's element type."""
    return boards(scenario.devices, model_spec(scenario).dtype)


@lru_cache(maxsize=64)
def boards(specs: tuple[DeviceSpec, ...], dtype: str) -> tuple[timing.Device, ...]:
    """At the rates that they reach in this element type."""
    half = dtype in ("float16", "bfloat16")
    return tuple(spec.playing(half) for spec in specs)


def network(scenario: Scenario) -> timing.Network:
    """Raises ValueError where its numbers do not fit together."""
    return playing(scenario.network)


@lru_cache(maxsize=64)
def playing(spec: NetworkSpec) -> timing.Network:
    """As `network`."""
    return {"switch": _switch, "shared": _shared, "links": _links}[spec.medium](spec)


def _switch(spec: NetworkSpec) -> timing.Network:
    assert spec.up_bits_per_s is not None
    assert spec.down_bits_per_s is not None
    return timing.Switch(
        up_bits_per_s=spec.up_bits_per_s * spec.efficiency,
        down_bits_per_s=spec.down_bits_per_s * spec.efficiency,
        latency_s=spec.latency_s,
        message_overhead_s=spec.message_overhead_s,
        sharing=spec.sharing,
        collective=spec.collective,
        slow_start=spec.slow_start,
    )


def _shared(spec: NetworkSpec) -> timing.Network:
    assert spec.up_bits_per_s is not None
    return timing.SharedRadio(
        bits_per_s=spec.up_bits_per_s * spec.efficiency,
        latency_s=spec.latency_s,
        message_overhead_s=spec.message_overhead_s,
        collective=spec.collective,
        direct=spec.direct,
        access_point=spec.access_point,
        broadcast_bits_per_s=spec.broadcast_bits_per_s,
        slow_start=spec.slow_start,
    )


def _links(spec: NetworkSpec) -> timing.Network:
    return timing.Links(
        links=tuple(
            timing.Link(link.a, link.b, link.up_bits_per_s, link.down_bits_per_s, link.latency_s) for link in spec.links
        ),
        message_overhead_s=spec.message_overhead_s,
        collective=spec.collective,
        switching=spec.switching,
        slow_start=spec.slow_start,
    )
