"""Which computing waits for weights that storage is read for, and for how long of a critical path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.timeline import Timeline

STORAGE = "storage"  # part of a path: computing that takes as long as reading its weights does


def reading(plan: Plan, devices: Sequence[Device], device_of: Sequence[int]) -> set[tuple[int, str]]:
    """The participants and labels whose weights take longer to be read from storage than to be computed with."""
    longer_s: dict[tuple[int, str], float] = {}
    for one in plan.participants:
        if (device := devices[device_of[one]]).streamed:
            for step in plan.computes(one):
                kernels_s = sum(map(device.kernel_s, step.kernels))
                longer_s[one, step.label] = (
                    longer_s.get((one, step.label), 0.0) + device.read_s(step.kernels) - kernels_s
                )
    return {key for key, seconds in longer_s.items() if seconds > 0}


def storage_s(timeline: Timeline, plan: Plan, devices: Sequence[Device], device_of: Sequence[int]) -> float:
    """Of the computing on the plan's critical path, what waits for storage."""
    if not (waiting := reading(plan, devices, device_of)):
        return 0.0
    computing = (one for one in timeline.critical_path if one.part == "compute")
    return fsum(one.end_s - one.start_s for one in computing if (one.participant, one.label) in waiting)


def storage_apart(breakdown_s: Mapping[str, float], reading_s: float) -> dict[str, float]:
    """The parts of a path, so much taken from computing as one by itself; as they are where that is nothing."""
    if not reading_s:
        return dict(breakdown_s)
    return {**breakdown_s, "compute": breakdown_s["compute"] - reading_s, STORAGE: reading_s}
