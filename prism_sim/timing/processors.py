"""One processor a device, first come, first served.

Each job's length is known when it is issued, so a processor needs no queue: only the moment when it falls free.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy import Environment

from prism_sim.plan import Compute
from prism_sim.timing.devices import Device
from prism_sim.timing.log import Cause, Job


class Processors:
    """Holds are granted in the order in which they are asked for, and logged with what bound their start."""

    def __init__(self, env: Environment, devices: Sequence[Device], device_of: Sequence[int], jobs: list[Job]) -> None:
        self.env, self.devices, self.device_of, self.jobs = env, devices, device_of, jobs
        self.free_s = [0.0] * len(devices)
        self.holder: list[Cause] = [None] * len(devices)
        self.costs: list[dict[int, tuple[float, float]]] = [{} for _ in devices]

    def hold(
        self, participant: int, kind: str, subject: str | int, duration_s: float, cause: Cause, launch_s: float = 0.0
    ) -> tuple[float, int]:
        """Takes the processor as soon as it is free; returns when the job ends, and its number."""
        device, now_s = self.device_of[participant], self.env.now
        start_s = self.free_s[device]
        if start_s > now_s:
            cause = self.holder[device]
        else:
            start_s = now_s
        end_s, number = start_s + duration_s, len(self.jobs)
        self.free_s[device], self.holder[device] = end_s, number
        self.jobs.append(Job(participant, kind, subject, start_s, end_s, cause, launch_s))
        return end_s, number

    def compute(self, participant: int, step: Compute, cause: Cause) -> tuple[float, Cause]:
        """Holds the processor for all kernels at once; the same when there is nothing to do."""
        duration_s, launch_s = self.cost(self.device_of[participant], step)
        if not duration_s:
            return self.env.now, cause
        return self.hold(participant, "compute", step.label, duration_s, cause, launch_s)

    def cost(self, device: int, step: Compute) -> tuple[float, float]:
        """Seconds of a Compute on a device, and how many of them are launches; steps that share kernels share it."""
        known = self.costs[device]
        key = id(step.kernels)
        if key not in known:
            model = self.devices[device]
            known[key] = (model.compute_s(step.kernels), model.op_overhead_s * len(step.kernels))
        return known[key]
