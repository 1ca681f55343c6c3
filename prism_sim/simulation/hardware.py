"""A scenario's devices and network as the timing model takes them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from prism_sim import timing
from prism_sim.scenario import DeviceSpec, NetworkSpec, Scenario
from prism_sim.simulation.model_config import model_spec


def devices(scenario: Scenario) -> tuple[timing.Device, ...]:
    """At the rates that they reach in the model's element types."""
    spec = model_spec(scenario)
    return boards(scenario.devices, spec.dtype, spec.weight_dtype)


@lru_cache(maxsize=64)
def boards(specs: tuple[DeviceSpec, ...], dtype: str, weight_dtype: str | None = None) -> tuple[timing.Device, ...]:
    """At the rates that they reach with activations and weights in these types."""
    return tuple(spec.playing(dtype, weight_dtype) for spec in specs)


@lru_cache(maxsize=64)
def network(spec: NetworkSpec) -> timing.Network:
    """Raises ValueError where its numbers do not fit together."""
    of_all: dict[str, Any] = {name: getattr(spec, name) for name in ("message_overhead_s", "collective", "slow_start")}
    if spec.medium == "links":
        links = (timing.Link(one.a, one.b, one.up_bits_per_s, one.down_bits_per_s, one.latency_s) for one in spec.links)
        return timing.Links(links=tuple(links), switching=spec.switching, **of_all)
    assert spec.up_bits_per_s is not None
    assert spec.down_bits_per_s is not None
    up, down = spec.up_bits_per_s * spec.efficiency, spec.down_bits_per_s * spec.efficiency
    if spec.medium == "switch":
        return timing.Switch(
            up_bits_per_s=up, down_bits_per_s=down, latency_s=spec.latency_s, sharing=spec.sharing, **of_all
        )
    return timing.SharedRadio(
        bits_per_s=up,
        latency_s=spec.latency_s,
        direct=spec.direct,
        access_point=spec.access_point,
        broadcast_bits_per_s=spec.broadcast_bits_per_s,
        **of_all,
    )
