"""How a host feeds an accelerator: it hands kernels over ahead of it, until a copy between the two drains the queue.

Without copies the host runs ahead for the whole pass, and handing over is hidden behind the work, or the other way
round. After a copy it begins anew with an idle accelerator, and so what a stretch takes depends on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from prism_sim.devices import Device
from prism_sim.plan import Kernel


class Host:
    """One device's host: until when it hands over kernels, and what copies have left it to do.

    restart_s: to be spent over the launches of the next stretch.  handling_s: to be spent after them.
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.free_s = self.restart_s = self.handling_s = 0.0
        self._pieces: dict[tuple[int, float], float] = {}

    def meet(self, at_s: float) -> None:
        """The host was waiting, or busy with something else, until `at_s`."""
        if at_s > self.free_s:
            self.free_s = at_s

    def copied(self, received_bytes: int = 0) -> None:
        """A copy has drained the queue, and brought in these bytes of others."""
        self.restart_s = self.device.restart_s
        self.handling_s += received_bytes / self.device.handling_bytes_per_s

    def finish_s(self, kernels: Sequence[Kernel], start_s: float, work_s: float) -> float:
        """Hands over kernels; when the accelerator, free from `start_s`, and the host are done with them.

        work_s: all kernels, on the accelerator.
        """
        launch_s = self.device.dispatch_s + self.restart_s / len(kernels)
        launched_s = self.free_s + launch_s * len(kernels)
        fed_s = self.free_s + self.fed_s(kernels, launch_s)
        self.free_s, self.restart_s = launched_s + self.handling_s, 0.0
        self.handling_s = 0.0
        return max(start_s + work_s, fed_s, self.free_s)

    def fed_s(self, kernels: Sequence[Kernel], launch_s: float) -> float:
        """From the host's begin to the last kernel's end: the k-th begins no earlier than k launches, k = 1, 2, ..."""
        key = (id(kernels), launch_s)
        if key not in self._pieces:
            left = accumulate(
                map(self.device.kernel_s, reversed(kernels))
            )  # work from a kernel on, the last one's first
            launches = range(len(kernels), 0, -1)
            longest_s = max(number * launch_s + left_s for number, left_s in zip(launches, left, strict=True))
            self._pieces[key] = longest_s
        return self._pieces[key]


def hosts_of(devices: Sequence[Device]) -> list[Host | None]:
    """None where feeding the accelerator takes no time, or is part of each kernel's overhead."""
    return [Host(device) if device.is_fed else None for device in devices]
