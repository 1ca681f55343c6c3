"""One processor a device, first come, first served.

Each job's length is known when it is issued, so a processor needs no queue: only the moment when it falls free.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy import Environment

from prism_sim.devices import Device
from prism_sim.plan import Compute, ExchangeId, ParticipantId
from prism_sim.timing.dispatch import Host, hosts_of
from prism_sim.timing.ids import Cause, DeviceIndex, HoldId, LogEntry, of_hold
from prism_sim.timing.log import Hold


class Processors:
    """Holds are granted in the order in which they are asked for, and logged with what bound their start."""

    def __init__(
        self, env: Environment, devices: Sequence[Device], device_of: Sequence[DeviceIndex], jobs: list[Hold]
    ) -> None:
        self.env, self.devices, self.device_of, self.jobs = env, devices, device_of, jobs
        self.free_s = [0.0] * len(devices)
        self.holder: list[Cause] = [None] * len(devices)
        self.costs: list[dict[int, tuple[float, float]]] = [{} for _ in devices]
        self.hosts = hosts_of(devices)

    def hold(
        self,
        participant: ParticipantId,
        kind: str,
        subject: str | ExchangeId,
        duration_s: float,
        cause: Cause,
        launch_s: float = 0.0,
    ) -> tuple[float, LogEntry]:
        """Takes the processor as soon as it is free; returns when the job ends, and it as a cause."""
        device, now_s = self.device_of[participant], self.env.now
        start_s = self.free_s[device]
        if start_s > now_s:
            cause = self.holder[device]
        else:
            start_s = now_s
        number: HoldId = len(self.jobs)  # type: ignore[assignment]  # a call of the NewType costs run time
        end_s, entry = start_s + duration_s, of_hold(number)
        self.free_s[device], self.holder[device] = end_s, entry
        self.jobs.append(Hold(participant, kind, subject, start_s, end_s, cause, launch_s))
        host = self.hosts[device]
        if host is not None and kind != "compute":
            host.meet(end_s)
            if kind == "staging":
                host.copied()
        return end_s, entry

    def compute(self, participant: ParticipantId, step: Compute, cause: Cause) -> tuple[float, Cause]:
        """Holds the processor for all kernels at once; the same when there is nothing to do."""
        device = self.device_of[participant]
        duration_s, launch_s = self.cost(device, step)
        host = self.hosts[device]
        if host is not None and step.kernels:
            duration_s, launch_s = self.fed(device, host, step, cause)
        if not duration_s:
            return self.env.now, cause
        return self.hold(participant, "compute", step.label, duration_s, cause, launch_s)

    def received(self, participant: ParticipantId, received_bytes: int) -> None:
        """A participant has copied in what others sent."""
        host = self.hosts[self.device_of[participant]]
        if host is not None:
            host.copied(received_bytes)

    def fed(self, device: DeviceIndex, host: Host, step: Compute, cause: Cause) -> tuple[float, float]:
        """The same for a device whose host hands its kernels over: what is not work on them counts as launches."""
        if cause != self.holder[device]:  # the participant has waited for a message, and so has the host
            host.meet(self.env.now)
        start_s = max(self.env.now, self.free_s[device])
        work_s, launch_s = self.cost(device, step)
        duration_s = max(host.finish_s(step.kernels, start_s, work_s) - start_s, work_s)
        return duration_s, duration_s - (work_s - launch_s)

    def cost(self, device: DeviceIndex, step: Compute) -> tuple[float, float]:
        """Seconds of a Compute on a device, and how many of them are launches; steps that share kernels share it."""
        known = self.costs[device]
        key = id(step.kernels)
        if key not in known:
            model = self.devices[device]
            known[key] = (model.compute_s(step.kernels), model.op_overhead_s * len(step.kernels))
        return known[key]
