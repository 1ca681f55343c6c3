"""Numbers that have the interval of their fit beside them, and samples of what such numbers leave open.

An interval is of a log-normal distribution: its 5 % and its 95 % quantile. n samples of a number are its quantiles at
1/2n, 3/2n, ..., in an order of their own that the seed and the number's name decide (Latin hypercube sampling, McKay,
Beckman and Conover, Technometrics 21(2), 1979): so few samples reach far, and a number's do not turn on other numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from statistics import NormalDist
from typing import Any, TypeVar

from prism_sim.scenario.spec import DeviceSpec, FittedNumber, LinkSpec, NetworkSpec
from prism_sim.syntax.fields import Section
from prism_sim.syntax.presets import HardwarePreset

OUTSIDE = 0.05  # the part of a number's distribution below its interval, and above
MOST = {"memory_overlap": 1.0, "attention_efficiency": 1.0}  # numbers that end somewhere

# A preset's field, and the numbers of a device's or network's spec that it gives: those that decide how long it takes.
RANGED: Mapping[str, tuple[str, ...]] = {
    "compute": ("flops_per_s",),
    "compute_float16": ("float16_flops_per_s",),
    "compute_int8": ("int8_flops_per_s",),
    "compute_q8_0": ("q8_0_flops_per_s",),
    "compute_q4_0": ("q4_0_flops_per_s",),
    "memory_bandwidth": ("memory_bytes_per_s",),
    "memory_overlap": ("memory_overlap",),
    "attention_efficiency": ("attention_efficiency",),
    "op_overhead": ("op_overhead_s",),
    "staging_bandwidth": ("staging_bytes_per_s",),
    "staging_latency": ("staging_latency_s",),
    "staging_ramp": ("staging_ramp_s",),
    "dispatch": ("dispatch_s",),
    "dispatch_restart": ("restart_s",),
    "handling_bandwidth": ("handling_bytes_per_s",),
    "message_overhead": ("message_overhead_s",),
    "bandwidth": ("up_bits_per_s", "down_bits_per_s"),
    "up": ("up_bits_per_s",),
    "down": ("down_bits_per_s",),
    "efficiency": ("efficiency",),
    "latency": ("latency_s",),
    "broadcast_rate": ("broadcast_bits_per_s",),
}

Spec = TypeVar("Spec", DeviceSpec, NetworkSpec, LinkSpec)


def fitted_numbers(
    preset: HardwarePreset, runtime: str | None, form: type[Section], stated: Collection[str]
) -> tuple[FittedNumber, ...]:
    """Those of a preset with an interval. form: whose fields they are. stated: fields that stand in their place."""
    replaced = {attribute for field in stated for attribute in RANGED.get(field, ())}
    found = []
    for field, ends in preset.intervals_under(runtime).items():
        low, high = (getattr(form.model_validate({field: end}), field) for end in ends)
        attributes = tuple(one for one in RANGED[field] if one not in replaced)
        found.append(FittedNumber(" ".join(filter(None, (preset.name, runtime, field))), attributes, low, high))
    return tuple(found)


def with_fitted(spec: Spec, numbers: Sequence[FittedNumber]) -> Spec:
    """The spec with those of the numbers that it really has: some mean nothing beside others, or on another medium."""
    own = [replace(one, attributes=tuple(name for name in one.attributes if _has(spec, name, one))) for one in numbers]
    return replace(spec, fitted=tuple(one for one in own if one.attributes))


def _has(spec: Spec, attribute: str, number: FittedNumber) -> bool:
    value = getattr(spec, attribute, None)
    return value is not None and number.low <= value <= number.high


def fitted_in(devices: Iterable[DeviceSpec], network: NetworkSpec) -> dict[str, FittedNumber]:
    """Of all of them, and of the network's links, by name."""
    specs: list[DeviceSpec | NetworkSpec | LinkSpec] = [*devices, network, *network.links]
    return {number.name: number for spec in specs for number in spec.fitted}


def sampled(
    devices: Sequence[DeviceSpec], network: NetworkSpec, seed: int, n_samples: int
) -> list[tuple[tuple[DeviceSpec, ...], NetworkSpec]]:
    """Both with other values of the numbers that were fitted, all at once."""
    amounts = {name: _amounts(one, n_samples, seed) for name, one in fitted_in(devices, network).items()}
    found = []
    for sample in range(n_samples):
        drawn = {name: of_number[sample] for name, of_number in amounts.items()}
        links = tuple(_with_amounts(link, drawn) for link in network.links)
        boards = tuple(_with_amounts(device, drawn) for device in devices)
        found.append((boards, replace(_with_amounts(network, drawn), links=links)))
    return found


def _amounts(number: FittedNumber, n_samples: int, seed: int) -> list[float]:
    low, high = math.log(number.low), math.log(number.high)
    deviation = (high - low) / 2 / NormalDist().inv_cdf(1 - OUTSIDE)
    places = list(range(n_samples))
    Random(f"{seed} {number.name}").shuffle(places)
    return [
        math.exp((low + high) / 2 + deviation * NormalDist().inv_cdf((place + 0.5) / n_samples)) for place in places
    ]


def _with_amounts(spec: Spec, drawn: Mapping[str, float]) -> Spec:
    changes: dict[str, Any] = {}
    for number in spec.fitted:
        for attribute in number.attributes:
            changes[attribute] = min(drawn[number.name], MOST.get(attribute, math.inf))
    return replace(spec, **changes)
