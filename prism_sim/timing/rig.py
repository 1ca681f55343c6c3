"""What a plan is played on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from prism_sim.devices import Device
from prism_sim.timing.ids import DeviceIndex
from prism_sim.timing.media.base import Network


@dataclass(frozen=True, slots=True)
class Rig:
    """Devices, on which of them (an index) each participant is, the terminal's last, and the network between them."""

    devices: tuple[Device, ...]
    device_of: tuple[DeviceIndex, ...]
    network: Network

    @staticmethod
    def of(devices: Sequence[Device], device_of: Sequence[int], network: Network) -> Rig:
        return Rig(tuple(devices), cast(tuple[DeviceIndex, ...], tuple(device_of)), network)
