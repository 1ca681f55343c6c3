"""What a plan is played on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from prism_sim.devices import Device
from prism_sim.plan import Plan
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Network


@dataclass(frozen=True, slots=True)
class Rig:
    """Devices, on which of them (an index) each participant is, the terminal's last, and the network between them."""

    devices: tuple[Device, ...]
    device_of: tuple[DeviceIndex, ...]
    network: Network

    @staticmethod
    def of(devices: Iterable[Device], device_of: Sequence[int], network: Network) -> Rig:
        return Rig(tuple(devices), cast(tuple[DeviceIndex, ...], tuple(device_of)), network)

    def check(self, plan: Plan) -> None:
        """Raises ValueError unless it says of each participant of the plan on which of the devices it is."""
        devices, device_of = self.devices, self.device_of
        if len(device_of) != len(plan.programs):
            raise ValueError(
                f"device_of(={device_of}) must name a device for each of {len(plan.programs)} participants"
            )
        if not all(0 <= device < len(devices) for device in device_of):
            raise ValueError(f"device_of(={device_of}) must be indices of the {len(devices)} devices")
