"""Measures a device of this machine: kernels over sizes, with other processes as busy, and copies from and to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from prism_sim.calibration.device import DeviceEstimate, fit_device
from prism_sim.live.launcher import n_cores, on_loopback
from prism_sim.live.timed import PASSES, Copy
from prism_sim.live_runs.series import Series, run_series
from prism_sim.progress import SILENT, Progress

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Staging:
    """Copies between accelerator and host: latency_s + bytes / bytes_per_s."""

    latency_s: float
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class MeasuredDevice:
    """A device as it was measured. busy: other processes at the same work. staging: None on a processor."""

    name: str
    estimate: DeviceEstimate
    staging: Staging | None
    memory_bytes: int | None
    threads: int
    busy: int
    where: str
    rounds: int

    def to_yaml(self) -> str:
        """A scenario's devices section."""
        fields = self.estimate.fields()
        if self.staging is not None:
            fields["staging_bandwidth"] = f"{self.staging.bytes_per_s / 1e9:.4g} GB/s"
            fields["staging_latency"] = f"{1e6 * self.staging.latency_s:.4g} us"
        if self.memory_bytes is not None:
            fields["memory"] = f"{self.memory_bytes / GIB:.4g} GiB"
        lines = [f"  - name: {self.name}", *(f"    {name}: {text}" for name, text in fields.items())]
        return "\n".join(["devices:", *lines]) + "\n"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "estimate": self.estimate.to_json()}


def measure_device(
    config: Mapping[str, Any],
    name: str = "this-machine",
    busy: int | None = None,
    threads: int = 1,
    where: str = "cpu",
    rounds: int = 8,
    timeout_s: float = 300.0,
    progress: Progress = SILENT,
) -> MeasuredDevice:
    """config: of the model whose kernels are timed. busy: other processes at work; None: as many as have cores.

    Raises ValueError for numbers that make no sense, LiveError if the processes fail or are not done in time.
    """
    company = max(n_cores() // max(threads, 1) - 1, 0) if busy is None else busy
    if threads < 1 or company < 0 or rounds < 2:
        raise ValueError(f"threads(={threads}) must be >= 1, busy(={company}) >= 0 and rounds(={rounds}) >= 2")
    series = Series(
        cells=(),
        configs=(dict(config),),
        passes=PASSES,
        repeats=rounds,
        warmup=1,
        n_processes=company + 1,
        threads=threads,
        where=where,
    )
    found = run_series(series, on_loopback(), timeout_s, progress.line)
    steps = found.in_company[0] if company else found.alone[0]
    return MeasuredDevice(
        name=name,
        estimate=fit_device(steps),
        staging=fit_staging(found.copies) if found.copies else None,
        memory_bytes=_memory_bytes() if where == "cpu" else None,
        threads=threads,
        busy=company,
        where=where,
        rounds=rounds,
    )


def fit_staging(copies: tuple[Copy, ...]) -> Staging:
    """Least squares of logarithms of ratios. Raises ValueError for fewer than two sizes."""
    import numpy as np
    from scipy.optimize import least_squares

    if len({copy.payload_bytes for copy in copies}) < 2:
        raise ValueError("copies of at least two sizes are needed")
    sizes = np.array([copy.payload_bytes for copy in copies], dtype=float)
    measured = np.array([copy.seconds for copy in copies])
    guess = np.log([measured.min(), measured.max() / sizes.max()])

    def deviations(logs: Any) -> Any:
        latency_s, byte_s = np.exp(logs)
        return np.log((latency_s + sizes * byte_s) / measured)

    latency_s, byte_s = np.exp(least_squares(deviations, guess).x)
    return Staging(float(latency_s), float(1 / byte_s))


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, AttributeError, OSError):  # not every system knows
        return None
