"""Plays a plan on devices and a network: latency, its causes, and who was busy or waited."""

from prism_sim.timing.devices import Device
from prism_sim.timing.engine import simulate
from prism_sim.timing.media import Network, Switch
from prism_sim.timing.timeline import Timeline

__all__ = ["Device", "Network", "Switch", "Timeline", "simulate"]
