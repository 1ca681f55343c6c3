"""A measured row as a scenario, and as kernels whose time a device's numbers give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from prism_sim.boards.rows import DATA, BoardRow
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.simulation.simulate import job_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASE = DATA / "case.yaml"


@cache
def measured_models() -> dict[str, dict[str, Any]]:
    """Dimensions of those without a preset, by name."""
    models: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "models.yaml").read_text(encoding="utf-8"))
    return models


def beside(model: str) -> float:
    """What was measured besides the model that is simulated, as a part of its work."""
    return float(measured_models().get(model, {}).get("beside", 0.0))


def model_section(row: BoardRow) -> dict[str, Any]:
    """Of a scenario."""
    dims = {key: value for key, value in measured_models().get(row.model, {}).items() if key != "beside"}
    stated = {"head": row.head, "dtype": row.dtype, "weight_dtype": row.weight_dtype}
    return ({"dims": dims} if dims else {"preset": row.model}) | {k: v for k, v in stated.items() if v is not None}


def workload_section(row: BoardRow) -> dict[str, Any]:
    """A step is the one after the first new token. A picture's tokens follow from its model."""
    if row.phase == "forward":
        pictures = "image_size" in measured_models().get(row.model, {}) or row.model.startswith(("vit", "deit"))
        return {"batch": row.batch} | ({} if pictures else {"tokens": row.tokens})
    return {"batch": row.batch, "tokens": row.tokens, "new_tokens": 2 if row.phase == "decode" else 1}


def scenario_of(row: BoardRow, devices: Any = None) -> Scenario:
    """The row alone on its preset's device. devices: a section in place of that."""
    section = [{"preset": row.device, "runtime": row.runtime}] if devices is None else devices
    return load_scenario(
        BASE, {"model": model_section(row), "workload": workload_section(row), "devices": section}
    )


@dataclass(frozen=True)
class Work:
    """What one pass of a row computes, kernel by kernel, in order. flops, moved_bytes: (kernels,). beside: see above."""

    flops: NDArray[Any]
    moved_bytes: NDArray[Any]
    beside: float

    def seconds(self, numbers: Mapping[str, float]) -> float:
        """With a device's `flops_per_s`, `memory_bytes_per_s`, `op_overhead_s` and, where it is fed, `dispatch_s`.

        As `devices.Device.compute_s` and `timing.dispatch` have it.
        """
        import numpy as np

        arithmetic_s, traffic_s = self.flops / numbers["flops_per_s"], self.moved_bytes / numbers["memory_bytes_per_s"]
        kernels_s = np.maximum(arithmetic_s, traffic_s) + numbers["op_overhead_s"]
        whole_s = float(kernels_s.sum())
        if launch_s := numbers.get("dispatch_s", 0.0):
            left_s = np.cumsum(kernels_s[::-1])[::-1]
            fed_s = (np.arange(1, len(left_s) + 1) * launch_s + left_s).max()
            whole_s = max(whole_s, float(fed_s), launch_s * len(left_s))
        return whole_s * (1 + self.beside)


@cache
def work(row: BoardRow) -> Work:
    """Raises ScenarioError where the row cannot be simulated."""
    import numpy as np

    plan = predict(_job(row))
    kernels = [kernel for one in plan.participants for step in plan.computes(one) for kernel in step.kernels]
    flops, moved_bytes = (np.array([getattr(k, name) for k in kernels], float) for name in ("flops", "moved_bytes"))
    return Work(flops, moved_bytes, beside(row.model))


def _job(row: BoardRow) -> Job:
    board = [{"name": "board", "compute": "1 GFLOP/s", "memory_bandwidth": "1 GB/s"}]
    job = job_of(scenario_of(row, board), "single", 1)
    return job.step(job.n_tokens) if row.phase == "decode" else job
