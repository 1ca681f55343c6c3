"""A device's numbers from the times of its kernels.

A kernel of f FLOPs that moves b bytes takes  overhead + max(f / F, b / M) + (1 - overlap) min(f / F, b / M).  The four
numbers are those with which passes through a block, and their steps, deviate least from what was measured: robust least
squares of logarithms of ratios, a step weighing as much as its part of its pass.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import compress
from typing import Any

from prism_sim import timing
from prism_sim.live.timed import WHOLE_PASS, TimedStep, mean_s, quartiles_s

SOFT = 0.03  # relative deviation above which a step counts less: as the spread of means on a quiet machine


@dataclass(frozen=True, slots=True)
class KernelDeviation:
    """Of one pass through a block: what the four numbers say, and what was measured, with its quartiles."""

    label: str
    fitted_s: float
    measured_s: float
    quartiles_s: tuple[float, float]

    @property
    def error(self) -> float:
        return self.fitted_s / self.measured_s - 1

    @property
    def spread(self) -> float:
        """Half of the distance between the quartiles, relative."""
        low_s, high_s = self.quartiles_s
        return (high_s - low_s) / 2 / self.measured_s


@dataclass(frozen=True, slots=True)
class DeviceEstimate:
    """What a scenario's device section says of a processor, in SI units, and how well it explains the passes."""

    flops_per_s: float
    memory_bytes_per_s: float
    memory_overlap: float
    op_overhead_s: float
    passes: tuple[KernelDeviation, ...]

    @property
    def typical_error(self) -> float:
        return statistics.median(abs(one.error) for one in self.passes)

    @property
    def worst(self) -> KernelDeviation:
        return max(self.passes, key=lambda one: abs(one.error))

    @property
    def spread(self) -> float:
        """Of a pass from block to block, typically: what a prediction for a single run is worth at best."""
        return statistics.median(one.spread for one in self.passes)

    def device(self, name: str = "core") -> timing.Device:
        return _device((self.flops_per_s, self.memory_bytes_per_s, self.op_overhead_s, self.memory_overlap), name)

    def slowed(self, factor: float) -> DeviceEstimate:
        """As it is where everything takes so many times as long."""
        return replace(
            self,
            flops_per_s=self.flops_per_s / factor,
            memory_bytes_per_s=self.memory_bytes_per_s / factor,
            op_overhead_s=self.op_overhead_s * factor,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "typical_error": self.typical_error,
            "worst_error": self.worst.error,
            "spread": self.spread,
        }

    def fields(self) -> dict[str, str]:
        """A device's fields as a scenario writes them."""
        return {
            "compute": f"{self.flops_per_s / 1e9:.4g} GFLOP/s",
            "memory_bandwidth": f"{self.memory_bytes_per_s / 1e9:.4g} GB/s",
            "memory_overlap": f"{self.memory_overlap:.3g}",
            "op_overhead": f"{1e6 * self.op_overhead_s:.4g} us",
        }


def fit_device(steps: Sequence[TimedStep]) -> DeviceEstimate:
    """Raises ValueError for fewer than two passes."""
    import numpy as np
    from scipy.optimize import least_squares

    wholes = {step.label: step for step in steps if step.name == WHOLE_PASS}
    if len(wholes) < 2:
        raise ValueError(f"a device is fitted to at least two passes, but {len(wholes)} were timed")
    weights = np.array([step.seconds / wholes[step.label].seconds for step in steps])
    measured = np.array([step.seconds for step in steps])

    def numbers(x: Any) -> tuple[float, ...]:
        return (*(math.exp(value) for value in x[:3]), float(x[3]))

    def deviations(x: Any) -> Any:
        device = _device(numbers(x))
        return weights * np.log(np.array([device.compute_s(step.kernels) for step in steps]) / measured)

    guess = _guess(list(wholes.values()))
    bounds = ([-np.inf] * 3 + [0.0], [np.inf] * 3 + [1.0])
    found = least_squares(deviations, guess, bounds=bounds, loss="soft_l1", f_scale=SOFT)
    flops_per_s, memory_bytes_per_s, op_overhead_s, overlap = numbers(found.x)
    device = _device((flops_per_s, memory_bytes_per_s, op_overhead_s, overlap))
    passes = tuple(
        KernelDeviation(step.label, device.compute_s(step.kernels), step.seconds, quartiles_s(step.samples_s))
        for step in wholes.values()
    )
    return DeviceEstimate(flops_per_s, memory_bytes_per_s, overlap, op_overhead_s, passes)


def in_step(cores: Sequence[Sequence[TimedStep]]) -> tuple[TimedStep, ...]:
    """Of cores that make the same passes at once and wait for one another after each: what the slowest one takes.

    cores: of each, its steps, timed at the same time. Cores differ from moment to moment, and so the slowest takes
    longer than any does in the mean. Raises ValueError unless all made the same passes.
    """
    first = {(step.label, step.name): step for step in cores[0]}
    if any({(step.label, step.name) for step in other} != set(first) for other in cores[1:]):
        raise ValueError("cores that are set side by side must have made the same passes")
    wholes = [{step.label: step for step in core if step.name == WHOLE_PASS} for core in cores]
    slowest = {label: mean_s(_slowest_s([core[label] for core in wholes])) for label in wholes[0]}
    own = {step.label: step.seconds for step in cores[0] if step.name == WHOLE_PASS}
    return tuple(replace(step, seconds=step.seconds * slowest[step.label] / own[step.label]) for step in cores[0])


def _slowest_s(cores: Sequence[TimedStep]) -> list[float]:
    """Of each time that a pass was made, by all cores at once; where others disturbed none of them, if ever."""
    times = [max(one) for one in zip(*(core.samples_s for core in cores), strict=False)]
    calm = [all(one) for one in zip(*(core.calm for core in cores), strict=False)]
    return list(compress(times, calm)) or times


def _guess(wholes: Sequence[TimedStep]) -> list[float]:
    """The rate of the pass that computes fastest; half of the least one's time for bytes, a hundredth for launches."""
    rate = max(sum(kernel.flops for kernel in step.kernels) / step.seconds for step in wholes)
    least = min(wholes, key=lambda step: step.seconds)
    bytes_per_s = 2 * sum(kernel.moved_bytes for kernel in least.kernels) / least.seconds
    return [math.log(rate), math.log(bytes_per_s), math.log(least.seconds / 100 / len(least.kernels)), 0.5]


def _device(numbers: Sequence[float], name: str = "core") -> timing.Device:
    flops_per_s, memory_bytes_per_s, op_overhead_s, overlap = numbers
    return timing.Device(name, flops_per_s, memory_bytes_per_s, op_overhead_s=op_overhead_s, memory_overlap=overlap)
