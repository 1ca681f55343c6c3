"""Media: how messages that are under way at the same time share a network."""

from prism_sim.timing.media.base import Flight, Medium, Network
from prism_sim.timing.media.switch import Switch

__all__ = ["Flight", "Medium", "Network", "Switch"]
