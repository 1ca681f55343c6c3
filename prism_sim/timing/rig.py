"""What a plan is played on."""

from __future__ import annotations

from dataclasses import dataclass

from prism_sim.devices import Device
from prism_sim.timing.media.base import Network


@dataclass(frozen=True, slots=True)
class Rig:
    """Devices, on which of them (an index) each participant is, the terminal's last, and the network between them."""

    devices: tuple[Device, ...]
    device_of: tuple[int, ...]
    network: Network
