"""A measured row as a scenario, and as kernels whose time a device's numbers give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from prism_sim.boards.rows import DATA, BoardRow
from prism_sim.plan import ATTENTION
from prism_sim.scenario import Scenario, load_scenario
from prism_sim.shapes.interpreter import predict
from prism_sim.shapes.job import Job
from prism_sim.simulation.simulate import job_of
from prism_sim.syntax import presets

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASE = DATA / "case.yaml"


@cache
def measured_models() -> dict[str, dict[str, Any]]:
    """Dimensions of those without a preset, by name."""
    models: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "models.yaml").read_text(encoding="utf-8"))
    return models


def model_type(model: str) -> str:
    """Of a preset, or of one of these."""
    config = measured_models().get(model) or presets.model(model).config
    return str(config["model_type"])


def beside(model: str) -> float:
    """What was measured besides the model that is simulated, as a part of its work."""
    return float(measured_models().get(model, {}).get("beside", 0.0))


def model_section(model: str, **stated: str | None) -> dict[str, Any]:
    """Of a scenario. stated: fields; None: not stated."""
    dims = {key: value for key, value in measured_models().get(model, {}).items() if key != "beside"}
    return ({"dims": dims} if dims else {"preset": model}) | {k: v for k, v in stated.items() if v is not None}


def workload_section(row: BoardRow) -> dict[str, Any]:
    """A step is the one after the first new token. A picture's tokens follow from its model."""
    if row.phase == "forward":
        pictures = "image_size" in measured_models().get(row.model, {}) or row.model.startswith(("vit", "deit"))
        return {"batch": row.batch} | ({} if pictures else {"tokens": row.tokens})
    return {"batch": row.batch, "tokens": row.tokens, "new_tokens": 2 if row.phase == "decode" else 1}


def scenario_of(row: BoardRow, devices: Any = None) -> Scenario:
    """The row alone on its preset's device. devices: a section in place of that."""
    section = [{"preset": row.device, "runtime": row.runtime}] if devices is None else devices
    model = model_section(row.model, head=row.head, dtype=row.dtype, weight_dtype=row.weight_dtype)
    return load_scenario(BASE, {"model": model, "workload": workload_section(row), "devices": section})


@dataclass(frozen=True)
class Work:
    """What one pass of a row computes: its kernels in order, and each kind of them beside how many it has.

    kernels: (kernels, 3), FLOPs, bytes, and whether it is attention. kinds: (kinds, 3), alike. counts: (kinds,).
    beside: as the function's.
    """

    kernels: NDArray[Any]
    kinds: NDArray[Any]
    counts: NDArray[Any]
    beside: float

    def seconds(self, numbers: Mapping[str, float]) -> float:
        """With a device's numbers: those of `PARTS`; where it is not fed, without `dispatch_s`.

        As `devices.Device.compute_s` and `timing.dispatch` have it.
        """
        return sum(self.parts_s(numbers).values())

    def parts_s(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """The time that falls to each of the numbers; the time's logarithm turns with theirs by its parts.

        `attention_efficiency` has attention's, which turns with `flops_per_s` as well.
        """
        kinds = _kernels_s(self.kinds, numbers)
        found = {name: float(self.counts @ seconds) for name, seconds in kinds.items()} | {"dispatch_s": 0.0}
        if launch_s := numbers.get("dispatch_s", 0.0):
            found = max(found, self._fed_s(launch_s, numbers), key=lambda parts: sum(parts.values()))
        return {name: seconds * (1 + self.beside) for name, seconds in found.items()}

    def _fed_s(self, launch_s: float, numbers: Mapping[str, float]) -> dict[str, float]:
        """From the kernel that keeps all waiting: the k-th begins no earlier than k launches."""
        import numpy as np

        left = {name: np.cumsum(seconds[::-1])[::-1] for name, seconds in _kernels_s(self.kernels, numbers).items()}
        launched_s = np.arange(1, len(self.kernels) + 1) * launch_s
        last = int(np.argmax(launched_s + sum(left.values())))
        return {name: float(seconds[last]) for name, seconds in left.items()} | {"dispatch_s": float(launched_s[last])}


PARTS = ("flops_per_s", "attention_efficiency", "memory_bytes_per_s", "op_overhead_s", "dispatch_s")


def _kernels_s(kernels: NDArray[Any], numbers: Mapping[str, float]) -> dict[str, NDArray[Any]]:
    """Of each kernel, the time that its arithmetic takes, or its traffic, whichever is longer, and its launch."""
    import numpy as np

    flops, moved_bytes, attends = kernels.T
    reached = numbers["flops_per_s"] * np.where(attends, numbers["attention_efficiency"], 1.0)
    arithmetic_s, traffic_s = flops / reached, moved_bytes / numbers["memory_bytes_per_s"]
    computes = arithmetic_s >= traffic_s
    return {
        "flops_per_s": np.where(computes & (attends == 0), arithmetic_s, 0.0),
        "attention_efficiency": np.where(computes & (attends == 1), arithmetic_s, 0.0),
        "memory_bytes_per_s": np.where(computes, 0.0, traffic_s),
        "op_overhead_s": np.full(len(kernels), numbers["op_overhead_s"]),
    }


@cache
def work(row: BoardRow) -> Work:
    """Raises ScenarioError where the row cannot be simulated."""
    import numpy as np

    plan = predict(job_of_row(row))
    kernels = [kernel for one in plan.participants for step in plan.computes(one) for kernel in step.kernels]
    each = np.array([(kernel.flops, kernel.moved_bytes, kernel.name == ATTENTION) for kernel in kernels], float)
    kinds, counts = np.unique(each, axis=0, return_counts=True)
    return Work(each, kinds, counts, beside(row.model))


def job_of_row(row: BoardRow) -> Job:
    """The pass, or the step, by one device. Raises ScenarioError where the row cannot be simulated."""
    board = [{"name": "board", "compute": "1 GFLOP/s", "memory_bandwidth": "1 GB/s"}]
    job = job_of(scenario_of(row, board), "single", 1)
    return job.step(job.n_tokens) if row.phase == "decode" else job
