"""Plays a plan on devices and a network: latency, its causes, and who was busy or waited."""

from prism_sim.timing.devices import Device
from prism_sim.timing.engine import simulate
from prism_sim.timing.media import NETWORKS, Link, Links, Network, SharedRadio, Switch
from prism_sim.timing.timeline import Timeline

__all__ = ["NETWORKS", "Device", "Link", "Links", "Network", "SharedRadio", "Switch", "Timeline", "simulate"]
